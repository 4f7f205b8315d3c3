"""`pozytywka serve`."""

import os
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal

import typer

from pozytywka_cli.commands.context import context
from pozytywka_cli.errors import UnavailableError

MEBI = 2**20
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # set before numpy is imported


def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", min=0, max=65535, help="The port; 0 for any free one.")] = 8000,
    workers: Annotated[int, typer.Option(metavar="N", min=1, max=256, help="How many processes answer.")] = 1,
    tokens: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Bearer tokens. Without, routes that write are closed.")
    ] = None,
    durability: Annotated[
        Literal["request", "batch"], typer.Option(help="Whether a request that writes waits for the disk.")
    ] = "request",
    max_body: Annotated[int, typer.Option(metavar="MB", min=1, max=1024, help="The most a body may have.")] = 1,
    max_requests: Annotated[
        int, typer.Option(metavar="N", min=1, max=100_000, help="The most requests, or events, of one body.")
    ] = 1000,
    timeout: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0.1, max=600, help="The most a request may take."),
    ] = 10,
    cors: Annotated[
        list[str] | None, typer.Option(metavar="ORIGIN", help="Let pages of this origin call; repeatable.")
    ] = None,
    access_log: Annotated[bool, typer.Option(help="A line of JSON on stderr for each request.")] = True,
) -> None:
    """Answer over HTTP what the commands answer, and log events and experiments.

    Reads the promoted versions in artifacts/, and what was prepared for them in artifacts/FAMILY/prepared/; where that
    is missing, it is prepared from the data folder first. A version that is promoted later, or prepared from newer
    data, answers from then on, without a restart. Events are appended to sessions/events-DATE.jsonl in the data folder,
    and experiments are kept in artifacts/experiments.sqlite3 or the database of POZYTYWKA_DATABASE_URL.

    GET /docs describes all routes. Routes that write need a token of --tokens: a file with `write TOKEN` or
    `admin TOKEN` on each line; a token has at least 16 characters.

    With --durability request, events, exposures and outcomes are on the disk before a request that sent them is
    answered. With batch they are written soon after: a kill may lose the last 1,000 of each.

    SIGTERM and Ctrl-C end the service after the requests that it has begun, at most 5 seconds later.

    \b
    Examples:
      pozytywka serve
      pozytywka serve --host 0.0.0.0 --workers 4 --tokens tokens.txt
      curl -s localhost:8000/v1/similar/Rosetta
      curl -s localhost:8000/v1/skip --json '{"user_id": 101, "track_id": "2PmGtDUyJIpYBEtI1hQIVp"}'
    """
    shared = context(ctx)
    for module in ("fastapi", "uvicorn", "uvloop", "httptools", "prometheus_client"):
        try:
            import_module(module)
        except ImportError as error:
            problem = f"serve needs the extra `serve`: {error}"
            raise UnavailableError(problem, "Install it: `pip install 'pozytywka[serve]'`.") from None
    os.environ |= ONE_THREAD
    if shared.config:
        os.environ["POZYTYWKA_CONFIG"] = str(shared.config)  # of the command that prepares versions
    from pozytywka_cli.commands.logs import logger
    from pozytywka_cli.pipeline import versions
    from pozytywka_cli.serving import server
    from pozytywka_cli.serving.options import Options
    from pozytywka_cli.serving.tokens import Tokens

    versions.require_promoted(shared.store)
    Tokens.read(tokens)
    options = Options(
        artifacts=shared.artifacts,
        data=shared.data(),
        database_url=shared.settings.general.database_url,
        host=host,
        port=port,
        workers=workers,
        tokens=tokens,
        durability=durability,
        body_bytes=max_body * MEBI,
        requests=max_requests,
        seconds=timeout,
        origins=tuple(cors or ()),
        access_log=access_log,
    )
    configure_logs = partial(logger, shared.settings.general.log_format, quiet=shared.console.quiet)
    server.serve(
        options,
        configure_logs,
        lambda address: shared.console.info(f"Listening on {address}; all routes: {address}/docs"),
    )
