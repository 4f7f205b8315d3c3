"""Run the application with uvicorn, in one process or several."""

import logging
import os
import signal
import socket
import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.supervisors import Multiprocess

from pozytywka_cli.errors import StorageError
from pozytywka_cli.serving import metrics
from pozytywka_cli.serving.options import Options
from pozytywka_cli.serving.protocol import ImpatientProtocol

DRAIN_SECONDS = 5  # that requests have to end after the signal to stop
KEEP_ALIVE_SECONDS = 30
CONNECTIONS = 1000  # of a worker; more are told to come back
BACKLOG = 2048


def serve(options: Options, configure_logs: Callable[[], object], announce: Callable[[str], None]) -> None:
    """Answer requests until a signal to stop arrives.

    Args:
        options: how.
        configure_logs: is called in every process; with several workers it must be one that can be pickled.
        announce: gets the address when it is listened on.

    Raises:
        StorageError: the address cannot be listened on.
    """
    with _listening(options.host, options.port) as listener:
        config = _config(options, partial(_application, options, configure_logs))
        host, port = listener.getsockname()[:2]
        announce(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        if options.workers == 1:
            _run(config, listener)
            return
        with tempfile.TemporaryDirectory(prefix="pozytywka-") as folder:
            os.environ[metrics.FOLDER] = folder
            Multiprocess(config, sockets=[listener]).run()


def _run(config: uvicorn.Config, listener: socket.socket) -> None:
    """Run one worker in this process; that SIGTERM has ended it is no error."""
    try:
        uvicorn.Server(config).run(sockets=[listener])
    except SystemExit as ended:
        if ended.code != 128 + signal.SIGTERM:
            raise


def _application(options: Options, configure_logs: Callable[[], object]) -> FastAPI:
    """Return the application of one worker."""
    from pozytywka_cli.serving.app import create  # not in the parent of workers

    configure_logs()
    server, own = logging.getLogger("uvicorn"), logging.getLogger("pozytywka_cli")
    server.handlers, server.propagate = own.handlers, False
    server.setLevel(logging.WARNING)
    return create(options)


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens: who comes before a worker is ready waits."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        problem = f"cannot listen on {host}:{port}: {os.strerror(error.errno) if error.errno else error}"
        raise StorageError(problem, "Choose another --host or --port, or stop what uses it.") from None
    listener.set_inheritable(True)
    return listener


def _config(options: Options, application: Callable[[], FastAPI]) -> uvicorn.Config:
    protocol: Any = partial(ImpatientProtocol, seconds=options.seconds, connections=CONNECTIONS)
    return uvicorn.Config(
        application,
        factory=True,
        workers=options.workers,
        loop="uvloop",
        http=protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
