"""Read standard input."""

import sys
from collections.abc import Iterator
from typing import BinaryIO

from pozytywka_cli.errors import UsageError


def stdin() -> BinaryIO:
    """Return the bytes of standard input.

    Raises:
        UsageError: it is closed.
    """
    if sys.stdin is None:
        raise UsageError("standard input is closed, and - reads it", "Connect a pipe or a file, or leave out -.")
    return sys.stdin.buffer


def lines() -> Iterator[str]:
    """Yield the lines of standard input that are not blank, as they come; invalid UTF-8 becomes �.

    Raises:
        UsageError: it is closed.
    """
    for number, line in enumerate(stdin()):
        text = line.decode("utf-8" if number else "utf-8-sig", errors="replace")
        if text.strip():
            yield text.removesuffix("\n").removesuffix("\r")
