"""Read a file that is one JSON array, element by element."""

import io
import json
import re
from collections.abc import Iterator
from typing import IO

from pozytywka_cli.dataset.reading.line_decoder import LONGEST

ARRAY = re.compile(rb"\s*\[\s*(?:[{\]]|\Z)")
OPENING, SEPARATOR, CLOSING = re.compile(r"\s*\[\s*"), re.compile(r"\s*,\s*"), re.compile(r"\s*\]\s*\Z")
STEP = 2 * LONGEST  # characters


def is_array(head: bytes) -> bool:
    """Return whether a file that begins like this is one array of objects, and not JSONL whose first line is one."""
    if not ARRAY.match(head):
        return False
    first, _, rest = head.lstrip().partition(b"\n")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return True
    return not rest.strip()


def elements(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the line (from 1) on which each element of an array begins, and its JSON with spaces for line ends.

    Raises:
        ValueError: it is no JSON array, or an element is longer than `LONGEST`; the line is named.
    """
    source = io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="")
    try:
        yield from _elements(source)
    finally:
        source.detach()  # so that the stream stays open


def _elements(source: IO[str]) -> Iterator[tuple[int, bytes]]:
    text, line, decoder = source.read(STEP), 1, json.JSONDecoder()
    at, separator, more = 0, OPENING, True
    while not CLOSING.match(text, at):
        between = separator.match(text, at)
        if between is None:
            raise ValueError(f"line {line}: not a JSON array: no comma or end after an element")
        line, start = line + between[0].count("\n"), between.end()
        if separator is OPENING and CLOSING.match(text, start):
            return
        try:
            _, at = decoder.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", None) or "nested too deeply, or a number with too many digits"
            raise ValueError(f"line {line}: not a JSON array: {reason}") from None
        element = text[start:at]
        yield line, re.sub(r"[\r\n]", " ", element).encode(errors="surrogateescape")
        line, separator = line + element.count("\n"), SEPARATOR
        if more and len(text) - at < LONGEST:
            further = source.read(STEP)
            text, at, more = text[at:] + further, 0, bool(further)
