"""Temporary files and folders, and what killed runs have left of them.

A temporary path is `.NAME.XXXXXXXX.tmp`, beside the file NAME that it becomes. Its writer holds a lock on it (flock),
which ends with the process: one that is not locked was left by a killed run.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4


@contextmanager
def created(target: Path, create: Callable[[Path], object]) -> Iterator[Path]:
    """Yield a temporary path for `target`, made by `create` (`Path.touch` or `Path.mkdir`), and remove it at the end.

    What killed runs have left of the same target is removed first.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(target.parent, target.name)
    path, handle = _locked(target, create)
    try:
        yield path
    finally:
        os.close(handle)
        remove(path)


def unused(target: Path) -> Path:
    """Return a temporary path for `target` that does not exist."""
    return target.with_name(f".{target.name}.{uuid4().hex[:8]}.tmp")


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with its content, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def remove_leftovers(folder: Path, name: str | None = None) -> None:
    """Remove what killed runs have left in a folder: temporary paths of the target `name`, of any if it is None.

    A temporary path that a running writer has locked stays, and so does one that cannot be locked or removed. Links
    cannot be locked: the caller knows that nobody is writing one.
    """
    temporary = re.compile(rf"\.{re.escape(name) if name else '.+'}\.[0-9a-f]{{8}}\.tmp")
    with suppress(OSError):
        for path in [path for path in folder.iterdir() if temporary.fullmatch(path.name)]:
            with suppress(OSError):  # BlockingIOError: locked
                _remove_unlocked(path)


def lock(handle: int, *, wait: bool) -> None:
    """Lock an open file or folder for this process; a BlockingIOError if it is locked and `wait` is False."""
    fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def _remove_unlocked(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
        return
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        lock(handle, wait=False)
        remove(path)
    finally:
        os.close(handle)


def _locked(target: Path, create: Callable[[Path], object]) -> tuple[Path, int]:
    """Create a temporary path and lock it; again where another run has removed it between the two."""
    while True:
        path = unused(target)
        create(path)
        with suppress(FileNotFoundError):
            handle = os.open(path, os.O_RDONLY)
            with suppress(OSError):  # a file system without locks: what a killed run leaves there stays
                lock(handle, wait=True)
            if path.exists():
                return path, handle
            os.close(handle)
