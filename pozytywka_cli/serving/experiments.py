"""Experiments of the service: the database, the definitions in use, and what is to be logged."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

import sqlalchemy as sa

from pozytywka_cli.errors import PozytywkaError
from pozytywka_cli.experiments import analysis, database, lifecycle, recording
from pozytywka_cli.experiments.entries import Exposure, Outcome
from pozytywka_cli.experiments.lifecycle import Stored
from pozytywka_cli.serving.group_commit import GroupCommit
from pozytywka_cli.serving.options import Options

SECONDS = 1.0  # that a definition is used before it is read again
T = TypeVar("T")


class Experiments:
    """The experiments in a database, which is connected to when it is first needed."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._connecting = Lock()
        self._threads = ThreadPoolExecutor(2, "experiments")  # its own: a database that hangs holds up nothing else
        self._engine: sa.Engine | None = None
        self._failure: PozytywkaError | None = None  # of the last attempt to connect
        self._retry_at = 0.0
        self._known: dict[str, tuple[float, Stored]] = {}
        wait = options.durability == "request"
        self.log: GroupCommit[tuple[int, Exposure | Outcome]] = GroupCommit(self._write, wait=wait)

    async def load(self, name: str, *, running: bool = False) -> Stored:
        """Return an experiment as it was at most a second ago.

        Raises:
            NotFoundError: there is none of that name.
            RefusedError: it must be `running`, and is not.
        """
        known = self._known.get(name)
        if known is None or time.monotonic() - known[0] > SECONDS:
            known = time.monotonic(), await self._with_engine(lambda engine: lifecycle.load(engine, name))
            self._known[name] = known
        return lifecycle.require_running(known[1]) if running else known[1]

    async def all(self) -> list[Stored]:
        """Return all experiments."""
        return await self._with_engine(lifecycle.load_all)

    async def results(self, name: str) -> dict[str, Any]:
        """Return the analysis of an experiment."""
        stored = await self.load(name)
        return await self._with_engine(lambda engine: analysis.results(stored, analysis.analyze(engine, stored)))

    async def clear(self, stored: Stored) -> dict[str, int]:
        """Remove all that was logged of an experiment, and return how many exposures and outcomes there were."""
        await self.log.flush()  # else what was acknowledged before would come back
        return (await self._with_engine(lambda engine: recording.clear(engine, stored)))._asdict()

    async def _with_engine(self, work: Callable[[sa.Engine], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(self._connected()))

    async def close(self) -> None:
        """Write what is still to be written, and disconnect."""
        try:
            await self.log.close()
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)
        if self._engine is not None:
            self._engine.dispose()

    def _connected(self) -> sa.Engine:
        with self._connecting:
            if self._engine is None:
                if self._failure and time.monotonic() < self._retry_at:
                    raise self._failure.with_traceback(None)  # who waited for the lock need not wait for the same again
                try:
                    self._engine = database.connect(self._options.database_url, self._options.artifacts)
                except PozytywkaError as error:
                    self._failure, self._retry_at = error, time.monotonic() + SECONDS
                    raise
            return self._engine

    def _write(self, entries: Sequence[tuple[int, Exposure | Outcome]]) -> None:
        exposures = [(experiment, one) for experiment, one in entries if isinstance(one, Exposure)]
        outcomes = [(experiment, one) for experiment, one in entries if isinstance(one, Outcome)]
        recording.record(self._connected(), exposures, outcomes)
