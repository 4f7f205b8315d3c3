"""Write what several requests have to store together, so that one wait for the disk serves all of them."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from pozytywka_cli.errors import PozytywkaError, StorageError

T = TypeVar("T")
MOST = 1000  # items that may be acknowledged and not yet written, without `wait`
RETRY_SECONDS = 1.0
logger = logging.getLogger(__name__)


class GroupCommit(Generic[T]):
    """Collects items while an earlier group is written by `write`, in a thread, and then writes them as one group.

    With `wait`, `add` returns when the items are written. Without, it returns as soon as at most `MOST` items are
    unwritten: that many a crash can lose. A group that cannot be written is then kept, and tried again.
    """

    def __init__(self, write: Callable[[list[T]], object], *, wait: bool) -> None:
        self._write, self._wait = write, wait
        self._thread = ThreadPoolExecutor(1, "group-commit")  # its own: a disk that hangs holds up nothing else
        self._items: list[T] = []
        self._group: asyncio.Future[None] | None = None  # of the items that wait for the next write
        self._task: asyncio.Task[None] | None = None
        self._failure: PozytywkaError | None = None  # of the latest write

    @property
    def unwritten(self) -> int:
        """How many items are not yet written."""
        return len(self._items)

    async def add(self, items: Sequence[T]) -> None:
        """Take items to write.

        Raises:
            PozytywkaError: they, or too many before them, cannot be written.
        """
        if not self._wait and self.unwritten + len(items) > MOST and self._failure:
            raise self._failure.with_traceback(None)
        if not items:
            return
        self._items += items
        group = self._next_group()
        if self._wait or self.unwritten > MOST:
            await asyncio.shield(group)

    async def flush(self) -> None:
        """Return when everything is written that was added before; errors as for `add`."""
        if self._items:
            await asyncio.shield(self._next_group())

    async def close(self) -> None:
        """Write what is left, once."""
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task], timeout=2 * RETRY_SECONDS)
            self._task.cancel()
        loop = asyncio.get_running_loop()
        try:
            if self._items:  # after a write that may still go on: there is one thread
                await loop.run_in_executor(self._thread, self._write_rest)
        finally:
            self._thread.shutdown(wait=False)

    def _next_group(self) -> "asyncio.Future[None]":
        """Return the future of the next write, which begins as soon as the one before has ended."""
        loop = asyncio.get_running_loop()
        group = self._group = self._group or loop.create_future()
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run())
        return group

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._items or self._group:
            items, group = list(self._items), self._group
            self._group = None
            try:
                await loop.run_in_executor(self._thread, self._written, items)
            except Exception as error:  # whatever it is, requests wait for it
                self._failure = error if isinstance(error, PozytywkaError) else StorageError(f"cannot write: {error}")
                logger.error("%s", self._failure.message, extra={"hint": self._failure.hint})
                await self._failed(self._failure, items, group)
            else:
                self._failure = None
                _settle(group, None)

    def _written(self, items: list[T]) -> None:
        """Write items and forget them, in the thread: so `close` sees what was written, whenever it comes."""
        self._write(items)
        del self._items[: len(items)]

    def _write_rest(self) -> None:
        if self._items:
            self._written(list(self._items))

    async def _failed(self, error: PozytywkaError, items: list[T], group: "asyncio.Future[None] | None") -> None:
        _settle(group, error)
        if self._wait:
            del self._items[: len(items)]
        else:
            await asyncio.sleep(RETRY_SECONDS)


def _settle(group: "asyncio.Future[None] | None", error: PozytywkaError | None) -> None:
    if group is None or group.done():
        return
    if error is None:
        group.set_result(None)
    else:
        group.set_exception(error)
        group.exception()  # nobody may wait for it
