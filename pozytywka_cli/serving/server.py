"""Run the application with uvicorn, in one process or several."""

import os
import tempfile
from functools import partial

import uvicorn
from uvicorn.supervisors import Multiprocess

from pozytywka_cli.errors import StorageError
from pozytywka_cli.serving.options import Options

DRAIN_SECONDS = 5  # that requests have to end after the signal to stop
KEEP_ALIVE_SECONDS = 30
CONNECTIONS = 1000  # of a worker; more are told to come back


def serve(options: Options) -> None:
    """Answer requests until a signal to stop arrives.

    Raises:
        StorageError: the address cannot be bound.
        UsageError: the file of tokens cannot be used.
    """
    from pozytywka_cli.serving.app import create  # imports the routes, which the parent of workers does not need

    config = uvicorn.Config(
        partial(create, options),
        factory=True,
        host=options.host,
        port=options.port,
        workers=options.workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        limit_concurrency=CONNECTIONS,
    )
    try:
        socket = config.bind_socket()
    except SystemExit:
        problem = f"cannot listen on {options.host}:{options.port}"
        raise StorageError(problem, "Choose another --port, or stop what uses it.") from None
    with socket:
        if options.workers == 1:
            uvicorn.Server(config).run(sockets=[socket])
            return
        with tempfile.TemporaryDirectory(prefix="pozytywka-") as folder:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
            Multiprocess(config, sockets=[socket]).run()
