"""What all routes share while the service runs."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import Request

from pozytywka_cli.artifacts import Store
from pozytywka_cli.dataset.events import Event
from pozytywka_cli.serving.batching import Batcher
from pozytywka_cli.serving.event_log import EventLog
from pozytywka_cli.serving.group_commit import GroupCommit
from pozytywka_cli.serving.models import Models
from pozytywka_cli.serving.options import Options
from pozytywka_cli.serving.preparation import Preparation
from pozytywka_cli.serving.problems import ProblemError
from pozytywka_cli.serving.tokens import Tokens

if TYPE_CHECKING:
    from pozytywka_cli.serving.experiments import Experiments

logger = logging.getLogger(__name__)
SWITCH_SECONDS = 0.0005  # a thread that computes gives way to the event loop after that time; 5 ms is Python's default


class Service:
    """The open models, the log of events, tokens and limits."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.tokens = Tokens.read(options.tokens)
        folders = ("--data-dir", str(options.data), "--artifacts-dir", str(options.artifacts))
        events = options.data / "sessions"
        self.models = Models(Store(options.artifacts), events, Preparation(folders))
        self.batcher = Batcher()
        self.slow = ThreadPoolExecutor(1, "slow-answers")  # one: an answerer is asked by one thread at a time
        self._log = EventLog(events, fsync=options.durability == "request")
        self.events: GroupCommit[Event] = GroupCommit(self._log.append, wait=options.durability == "request")

    @cached_property
    def experiments(self) -> "Experiments":
        """The experiments; what they need is imported when the first request is about one."""
        from pozytywka_cli.serving.experiments import Experiments

        return Experiments(self.options)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow promotions and events; at the end write what is still to be written."""
        sys.setswitchinterval(SWITCH_SECONDS)
        task = asyncio.create_task(self.models.follow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.slow.shutdown(wait=False, cancel_futures=True)
            logs = [self.events.close(), *([self.experiments.close()] if "experiments" in vars(self) else [])]
            for failure in await asyncio.gather(*logs, return_exceptions=True):
                if failure:
                    logger.error("not everything could be written at the end: %s", failure)


def service_of(request: Request) -> Service:
    """Return the service that answers a request."""
    service: Service = request.app.state.service
    return service


def refuse_unknown_parameters(request: Request, known: tuple[str, ...]) -> None:
    """Raise a ProblemError if the query has a parameter that the route does not have."""
    if unknown := [name for name in request.query_params if name not in known]:
        detail = f"unknown parameter {unknown[0]!r}"
        hint = f"Known are {', '.join(known)}." if known else "This route has no parameters."
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, hint)
