"""Locks of the artifacts folder; each ends with the process that holds it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pozytywka_cli import temporaries
from pozytywka_cli.artifacts.cleaning import remove_leftovers
from pozytywka_cli.errors import BusyError, StorageError


@contextmanager
def writing(root: Path, *, wait: bool) -> Iterator[None]:
    """Hold the lock for writing to the artifacts folder `root`, and remove what killed runs have left there.

    Errors as in `held`.
    """
    with held(root / ".lock", f"another run is writing to {root}", wait=wait):
        remove_leftovers(root)
        yield


@contextmanager
def held(path: Path, busy: str, *, wait: bool) -> Iterator[None]:
    """Hold the lock file `path`, which is made where it is missing; with `wait` as soon as nobody else holds it.

    Raises:
        BusyError: another run holds it and `wait` is False; `busy` is the message.
        StorageError: it cannot be made or locked.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except OSError as error:
        raise _cannot_lock(path, error) from None
    try:
        try:
            temporaries.lock(handle, wait=wait)
        except BlockingIOError:
            raise BusyError(busy, "Try again when it has ended.") from None
        except OSError as error:
            raise _cannot_lock(path, error) from None
        yield
    finally:
        os.close(handle)


def _cannot_lock(path: Path, error: OSError) -> StorageError:
    return StorageError(f"cannot lock {path}: {error.strerror}", "Check the folder and its permissions.")
