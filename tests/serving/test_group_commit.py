import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from pozytywka_cli.errors import StorageError
from pozytywka_cli.serving import group_commit
from pozytywka_cli.serving.group_commit import GroupCommit


class Disk:
    """Something to write to that can be full, and slow."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.full = False
        self.ready = threading.Event()
        self.ready.set()

    def write(self, items: list[int]) -> None:
        """Write a group, or fail."""
        self.ready.wait(5)
        if self.full:
            raise StorageError("the disk is full")
        self.groups.append(items)


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine."""
    asyncio.run(asyncio.wait_for(test(), 10))


def test_requests_that_wait_share_a_write():
    """What arrives during a write is written together by the next one, once and in order."""
    disk = Disk()

    async def test() -> None:
        log = GroupCommit(disk.write, wait=True)
        disk.ready.clear()
        tasks = [asyncio.create_task(log.add([number])) for number in range(50)]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in tasks)
        disk.ready.set()
        await asyncio.gather(*tasks)
        assert log.unwritten == 0

    run(test)
    assert [one for group in disk.groups for one in group] == list(range(50))
    assert len(disk.groups) <= 2


def test_a_write_that_fails_is_an_error_of_the_requests_that_waited_for_it():
    """Their items are not written later either; those of the next request are."""
    disk = Disk()

    async def test() -> None:
        log = GroupCommit(disk.write, wait=True)
        disk.full = True
        with pytest.raises(StorageError):
            await log.add([1])
        disk.full = False
        await log.add([2])

    run(test)
    assert disk.groups == [[2]]


def test_without_waiting_at_most_the_stated_number_is_unwritten(monkeypatch: pytest.MonkeyPatch):
    """A request that would exceed it waits."""
    disk = Disk()
    monkeypatch.setattr(group_commit, "MOST", 10)

    async def test() -> None:
        log = GroupCommit(disk.write, wait=False)
        disk.ready.clear()
        for number in range(10):
            await log.add([number])
        late = asyncio.create_task(log.add([10]))
        await asyncio.sleep(0.05)
        assert not late.done()
        assert log.unwritten == 11
        disk.ready.set()
        await late
        assert log.unwritten == 0

    run(test)
    assert [one for group in disk.groups for one in group] == list(range(11))


def test_without_waiting_what_cannot_be_written_is_kept_and_written_later(monkeypatch: pytest.MonkeyPatch):
    """It was acknowledged; only when too much is unwritten are requests refused."""
    disk = Disk()
    monkeypatch.setattr(group_commit, "MOST", 2)
    monkeypatch.setattr(group_commit, "RETRY_SECONDS", 0.01)

    async def test() -> None:
        log = GroupCommit(disk.write, wait=False)
        disk.full = True
        await log.add([1])
        await log.add([2])
        await asyncio.sleep(0.05)
        with pytest.raises(StorageError):
            await log.add([3])
        disk.full = False
        await log.close()

    run(test)
    assert [one for group in disk.groups for one in group] == [1, 2]
