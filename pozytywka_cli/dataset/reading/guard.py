"""Guard the calls that read a user's file, those of the frame library too: every failure is one kind of error."""

import os
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import zstandard

from pozytywka_cli.errors import StorageError

# a panic is a fault inside of polars; it is no `Exception`
UNREADABLE = (
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    zstandard.ZstdError,
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
)
STDERR = 2  # the file descriptor


@contextmanager
def reading(source: Path | str, hint: str = "Check the file, or copy it again.") -> Iterator[None]:
    """Turn every failure to read or decompress a file into a StorageError "cannot read SOURCE: reason".

    That includes the errors of polars and its panics. The errors of this package pass through.

    Raises:
        StorageError: the file could not be read.
    """
    try:
        with without_panic_messages():
            yield
    except UNREADABLE as error:
        reason = (str(getattr(error, "strerror", None) or error).splitlines() or ["damaged"])[0]
        raise StorageError(f"cannot read {shown(source)}: {reason}", hint) from None


def shown(path: Path | str) -> str:
    r"""Return a path as text that can be printed and encoded: the bytes of its name that are not UTF-8 become \xff."""
    return os.fsencode(path).decode(errors="backslashreplace")


def as_polars_source(path: Path) -> Path | bytes:
    """Return what polars must be given to read this very file.

    It would take a relative `~` for the home folder and `file:` for a URL, and cannot open a name that is not UTF-8.
    """
    absolute = path.absolute()
    return absolute if shown(absolute) == str(absolute) else path.read_bytes()


@contextmanager
def without_panic_messages() -> Iterator[None]:
    """Drop what native code writes to stderr: polars prints the backtrace of a panic before it raises it.

    Python's messages go on, because `__main__` gives `sys.stderr` a file descriptor of its own; where it has none,
    such as in another program, nothing is dropped.
    """
    if _python_writes_to(STDERR):
        yield
        return
    kept, nowhere = os.dup(STDERR), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDERR)
    try:
        yield
    finally:
        os.dup2(kept, STDERR)
        os.close(kept)
        os.close(nowhere)


def _python_writes_to(descriptor: int) -> bool:
    """Return whether `sys.stderr` is this file descriptor, or cannot be told from it."""
    try:
        return sys.stderr.fileno() == descriptor
    except (AttributeError, OSError, ValueError):  # closed, or no file
        return True
