"""Cut text into blocks of whole lines, so that a file of any size is read in bounded memory.

A file that is one JSON array has a line for each element. Blank lines at the end of a file are no lines.
"""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from pozytywka_cli.dataset.reading.containers import Source, open_source
from pozytywka_cli.dataset.reading.guard import shown
from pozytywka_cli.dataset.reading.json_array import elements, is_array
from pozytywka_cli.dataset.reading.line_decoder import LONGEST
from pozytywka_cli.errors import StorageError

BLOCK = 16 << 20  # bytes; smaller blocks cost time, larger ones memory
ELEMENTS = 100_000  # of an array in a block
CUT = b" (cut)"  # stands at the end of a line that is too long


class Block(NamedTuple):
    """A line feed and whole lines, each with a line feed at its end, and their numbers (from 1) in ascending order."""

    text: bytes
    numbers: range | list[int]


def read_blocks(source: Source) -> Iterator[Block]:
    """Yield the lines of a file or of content; the next block is read in a thread meanwhile.

    A line longer than `LONGEST` is cut there. The elements of a JSON array are numbered by the line on which they
    begin, or from 1 where several begin on one line.

    Raises:
        StorageError, OSError, EOFError, zlib.error, ZstdError, BadZipFile: it cannot be read or decompressed.
    """
    with open_source(source) as stream, ThreadPoolExecutor(1) as pool:
        blocks = _array_blocks(source, stream) if _is_array(source, stream) else _line_blocks(stream)
        following = pool.submit(next, blocks, None)
        while block := following.result():
            following = pool.submit(next, blocks, None)
            yield block


def numbered_lines(source: Source, numbers: set[int]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of these numbers as they stand in the file, without the line feed at their end."""
    for block in read_blocks(source) if numbers else ():
        yield from lines_of(block, numbers)
        if block.numbers[-1] >= max(numbers):
            return


def lines_of(block: Block, numbers: set[int]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a block that have these numbers, without the line feed at their end."""
    lines = islice(io.BytesIO(block.text), 1, None)
    for number, line in zip(block.numbers, lines, strict=True) if numbers else ():
        if number in numbers:
            yield number, line.removesuffix(b"\n")


def _is_array(source: Source, stream: IO[bytes]) -> bool:
    if isinstance(source, bytes):
        return False
    head = stream.peek()  # type: ignore[attr-defined]
    if head.startswith(b"PAR1"):
        raise StorageError(f"cannot read {shown(source)}: it is a Parquet file", "Let its name end in .parquet.")
    return is_array(head)


def _array_blocks(source: Source, stream: IO[bytes]) -> Iterator[Block]:
    try:
        found = list(elements(stream))
    except ValueError as error:
        name = shown(source) if isinstance(source, Path) else "the array"
        hint = "Correct the file, or write one object on each line."
        raise StorageError(f"cannot read {name}: {error}", hint) from None
    numbers = [line for line, _ in found]
    if len(set(numbers)) < len(numbers):
        numbers = list(range(1, len(numbers) + 1))
    for start in range(0, len(found), ELEMENTS):
        text = b"\n" + b"".join(element + b"\n" for _, element in found[start : start + ELEMENTS])
        yield Block(text, numbers[start : start + ELEMENTS])


def _line_blocks(stream: IO[bytes]) -> Iterator[Block]:
    first, blank = 1, b""
    for text in _whole_lines(stream):
        end = _end_of_content(text)
        if end > 1:  # blank lines behind it wait for what follows them
            whole = b"".join((b"\n", blank, memoryview(text)[1:end])) if blank or end < len(text) else text
            count = whole.count(b"\n") - 1
            yield Block(whole, range(first, first + count))
            first, blank = first + count, b""
        blank += text[end:]


def _end_of_content(text: bytes) -> int:
    """Return where the blank lines at the end of a text begin that starts with a line feed: 1 if all are blank."""
    if text[text.rfind(b"\n", 0, -1) :].strip():
        return len(text)
    return text.find(b"\n", len(text.rstrip()) or 0) + 1


def _whole_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield texts of a line feed and whole lines, each with a line feed at its end; a line that is too long is cut."""
    buffer, partial = bytearray(BLOCK), b""
    view = memoryview(buffer)
    while size := stream.readinto(buffer):  # type: ignore[attr-defined]
        start = buffer.find(b"\n", 0, size) if len(partial) > LONGEST else 0
        if start < 0:  # still the line that is too long
            continue
        end = buffer.rfind(b"\n", 0, size) + 1
        if end:
            yield b"".join((b"\n", partial, view[start:end]))
            partial = b""
        partial += view[end:size]
        if len(partial) > LONGEST:
            partial = partial[:LONGEST] + CUT
    if partial:
        yield b"\n" + partial + b"\n"
