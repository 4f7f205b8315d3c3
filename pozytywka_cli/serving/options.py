"""How the service runs."""

from pathlib import Path
from typing import Literal

import msgspec

Durability = Literal["request", "batch"]


class Options(msgspec.Struct, frozen=True):
    """Everything that `pozytywka serve` was started with.

    database_url: of experiments; "" for a file in `artifacts`
    tokens: the file of bearer tokens; without one, routes that write are closed
    durability: "request" waits until events, exposures and outcomes are on the disk before it answers; "batch" does not
    body_bytes, requests: limits of one body, and of the requests in it
    seconds: how long the head of a request may take to arrive, and then everything until it is answered
    origins: of web pages that may call the service (CORS)
    """

    artifacts: Path
    data: Path
    database_url: str = ""
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    tokens: Path | None = None
    durability: Durability = "request"
    body_bytes: int = 2**20
    requests: int = 1000
    seconds: float = 10.0
    origins: tuple[str, ...] = ()
    access_log: bool = True
