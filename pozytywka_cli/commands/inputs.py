"""Read names from standard input, and requests for predictions from a file at once or from a stream as they come."""

import sys
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from io import BufferedIOBase, BytesIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from pozytywka_cli.errors import RefusedError, UsageError

if TYPE_CHECKING:
    import msgspec
    import polars as pl

CHUNK = 1 << 20  # bytes


def stdin() -> BufferedIOBase:
    """Return the bytes of standard input; a UsageError if it is closed."""
    if sys.stdin is None:
        raise UsageError("standard input is closed, and - reads it", "Connect a pipe or a file, or leave out -.")
    return sys.stdin.buffer  # type: ignore[return-value]


def lines() -> Iterator[str]:
    """Yield the lines of standard input that are not blank, as they come; invalid UTF-8 becomes �."""
    for number, line in enumerate(stdin()):
        text = line.decode("utf-8" if number else "utf-8-sig", errors="replace")
        if text.strip():
            yield text.removesuffix("\n").removesuffix("\r")


def line_batches() -> Iterator[list[bytes]]:
    """Yield the lines of standard input as they come, all that have arrived at a time, without their line feeds."""
    stream = stdin()
    yield from _line_batches(_begin(stream), stream)


class RequestReader:
    """Read the requests of a source: a file, a pipe, or `-` for standard input.

    JSONL from a stream comes in batches: all lines that have arrived at a time. Lines that are no requests are reported
    to `warn` and counted. Files, and CSV and Parquet from a stream, are one batch, and refused if a line is bad.
    """

    def __init__(self, source: str, warn: Callable[[str], None]) -> None:
        self.source, self.warn = source, warn
        self.lines = self.bad = 0

    def batches(self, request: "type[msgspec.Struct]") -> "Iterator[pl.DataFrame]":
        """Yield the requests, a row each, whose columns are the fields of `request`.

        Raises:
            UsageError: the source is a folder, or standard input is closed.
            RefusedError: a line of a file is not a request; file, line and column are named.
            StorageError: it cannot be read.
        """
        from pozytywka_cli.dataset.requests import read_requests

        path, is_stdin = Path(self.source), self.source == "-"
        if not is_stdin and path.is_dir():
            raise UsageError(f"{path} is a folder", "Name a JSONL, CSV or Parquet file, or - for standard input.")
        if not is_stdin and (path.is_file() or not path.exists()):
            yield read_requests(path, self.source, request)
            return
        with nullcontext(stdin()) if is_stdin else path.open("rb") as stream:
            begin = _begin(stream)
            if begin.lstrip()[:1] in (b"{", b"[", b""):
                yield from (self._decoded(lines, request) for lines in _line_batches(begin, stream))
            else:
                yield read_requests(BytesIO(begin + stream.read()), self.source, request)

    def answered(
        self, batches: "Iterable[pl.DataFrame]", answer: "Callable[[pl.DataFrame], pl.DataFrame]"
    ) -> "Iterator[pl.DataFrame]":
        """Yield the answers to batches; of a JSONL stream, a refused request does not keep the others from theirs."""
        for batch in batches:
            try:
                yield answer(batch)
            except RefusedError as error:
                if not self.lines:
                    raise
                if len(batch) > 1:
                    yield from self.answered((batch[row : row + 1] for row in range(len(batch))), answer)
                else:
                    self.bad += 1
                    self.warn(f"{self.source}: {error.message}")

    def raise_bad(self) -> None:
        """Raise a RefusedError if a line was not answered."""
        if self.bad:
            problem = f"{self.bad:,} of {self.lines:,} lines of {self.source} could not be answered"
            raise RefusedError(problem, "The warnings above say what is wrong with each of them.")

    def _decoded(self, lines: list[bytes], request: "type[msgspec.Struct]") -> "pl.DataFrame":
        from pozytywka_cli.dataset.requests import read_request_lines

        requests, problems = read_request_lines(lines, request, self.lines + 1)
        self.lines += len(lines)
        self.bad += len({problem.line for problem in problems})
        for line, column, problem in problems:
            self.warn(f"{self.source}:{line}: {column or 'line'} {problem}")
        return requests


def _begin(stream: BufferedIOBase) -> bytes:
    """Read up to the byte that tells the format; a byte order mark is left out."""
    begin = b""
    while BOM_UTF8.startswith(begin) or not begin.removeprefix(BOM_UTF8).strip():
        chunk = stream.read1(CHUNK)
        if not chunk:
            break
        begin += chunk
    return begin.removeprefix(BOM_UTF8)


def _line_batches(begin: bytes, stream: BufferedIOBase) -> Iterator[list[bytes]]:
    """Yield lines as they come: all that have arrived at a time, without waiting for more; `begin` is read already.

    Blank lines wait for another line: at the end of a stream they are no lines.
    """
    blank: list[bytes] = []
    for complete in _complete_lines(begin, stream):
        lines = blank + complete
        end = max((number for number, line in enumerate(lines, start=1) if line.strip()), default=0)
        blank = lines[end:]
        if end:
            yield lines[:end]


def _complete_lines(begin: bytes, stream: BufferedIOBase) -> Iterator[list[bytes]]:
    """Yield the lines that each read completes, and last what stands after the last line feed."""
    parts: list[bytes] = []  # of a line that is not complete
    for chunk in chain([begin], iter(lambda: stream.read1(CHUNK), b"")):
        first, *others = chunk.split(b"\n")
        parts.append(first)
        if others:
            yield [b"".join(parts), *others[:-1]]
            parts = others[-1:]
    yield [b"".join(parts)]
