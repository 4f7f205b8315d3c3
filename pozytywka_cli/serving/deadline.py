"""How long a request may take, from the end of its head to its answer."""

import asyncio


class Deadline:
    """The time limit of a request that begins now; `awaits_body` tells what it is waiting for."""

    def __init__(self, seconds: float, *, has_body: bool) -> None:
        self.seconds, self.awaits_body = seconds, has_body
        self.limit = asyncio.timeout(seconds)
