"""Read CSV text strictly: every error names the file, the line and the column."""

import csv
import io
import re
from codecs import BOM_UTF8
from contextlib import suppress
from itertools import islice
from typing import Literal

import polars as pl

from pozytywka_cli.dataset.reading.guard import UNREADABLE, without_panic_messages
from pozytywka_cli.errors import RefusedError

CORRECT = "Correct or remove that line, and run again."
AS_UTF8 = "Save the file as UTF-8, and run again."
QUOTE = 'Write such a value in quotes, with each of its own doubled ("12"" Mix"), and run again.'
SEPARATORS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe"}
START = 1 << 16  # bytes that decide the separator, and the lines that are looked at for it
SAMPLE = 50
EXACT = 2**53  # floats from here on are not exact


def plain_text(content: bytes, name: str) -> bytes:
    """Return text without a byte order mark and blank last lines; CR is a line's end if it ends the first line alone.

    Raises:
        RefusedError: it has NUL bytes, as UTF-16 and files that are no text do.
    """
    content = content.removeprefix(BOM_UTF8)
    first = re.search(rb"\r\n?|\n", content)
    if first and first[0] == b"\r":
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if (nul := content.find(b"\0")) >= 0:
        line = content.count(b"\n", 0, nul) + 1
        raise RefusedError(f"{name}:{line}: the text is not UTF-8: it has a NUL byte", AS_UTF8)
    end = content.find(b"\n", len(content.rstrip()))
    return content if end < 0 else content[:end]


def first_rows(text: bytes, separator: str) -> list[list[str]]:
    """Return the first rows of a text, leniently: at least one, of which only a single long one may be cut short."""
    start = text[:START]
    whole = start if len(start) < START or b"\n" not in start else start[: start.rfind(b"\n")]
    stream = io.StringIO(whole.decode(errors="replace"), newline="")
    quotes = has_quotes(text, separator)
    rows: list[list[str]] = []
    with suppress(csv.Error):  # the strict reader tells what is wrong
        reader = csv.reader(stream, delimiter=separator, quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE)
        rows.extend([cell.strip() for cell in row] for row in islice(reader, SAMPLE))
    return rows or [[]]


def has_quotes(text: bytes, separator: str) -> bool:
    """Return whether values may be in quotes; in tab-separated text only if it starts with one.

    Files with tabs hold names such as `12" Mix` as they are.
    """
    return separator != "\t" or text.startswith(b'"')


def read_csv(text: bytes, name: str, separator: str = ",") -> pl.DataFrame:
    """Read a `plain_text` as columns of text: a row for each record, the header's too, null where a value is empty.

    Raises:
        RefusedError: a line is not CSV, or has more values than the first; the file's `name` and the line are named.
    """
    quote = '"' if has_quotes(text, separator) else None
    try:
        with without_panic_messages():
            frame = pl.read_csv(text, separator=separator, quote_char=quote, has_header=False, infer_schema=False)
    except pl.exceptions.NoDataError:
        return pl.DataFrame()
    except UNREADABLE as error:
        raise _not_csv(name, text, separator, error) from None
    return frame.select(pl.all().replace("", None))


def line_numbers(frame: pl.DataFrame) -> pl.Series:
    """Return the line on which each row starts: the first row starts on line 1, and quoted values may span lines."""
    breaks = pl.sum_horizontal(pl.all().str.count_matches("\n", literal=True).fill_null(0))
    before = breaks.cum_sum().shift(fill_value=0)
    return frame.select((pl.int_range(1, pl.len() + 1) + before).cast(pl.UInt32).alias("line")).to_series()


def whole_numbers(written: pl.Series) -> pl.Series:
    """Return text as integers, also where they are written as floats (277.0); null where there is none."""
    integers = written.cast(pl.Int64, strict=False)
    if integers.null_count() == written.null_count():
        return integers
    floats = written.str.strip_chars().cast(pl.Float64, strict=False)
    whole = (floats == floats.floor()) & (floats.abs() < EXACT)
    return pl.select(pl.coalesce(integers, pl.when(whole).then(floats).cast(pl.Int64, strict=False))).to_series()


def _not_csv(name: str, text: bytes, separator: str, error: BaseException) -> RefusedError:
    """Find the line where a text stops being CSV, with a second, slower reader: polars does not tell it."""
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if has_quotes(text, separator) else csv.QUOTE_NONE
    columns, line = 0, 0
    try:
        stream = io.StringIO(text.decode(), newline="")
        reader = csv.reader(stream, delimiter=separator, quoting=quoting, strict=True)
        for row in reader:
            columns = columns or len(row)
            if len(row) > columns:
                return RefusedError(f"{name}:{line + 1}: {len(row)} columns in place of {columns}", CORRECT)
            line = reader.line_num
    except UnicodeDecodeError as fault:
        line = text.count(b"\n", 0, fault.start) + 1
        return RefusedError(f"{name}:{line}: the text is not UTF-8", AS_UTF8)
    except csv.Error as fault:
        return RefusedError(f"{name}:{line + 1}: not CSV: {fault}", CORRECT)
    if stray := _stray_quote(separator).search(text):
        line = text.count(b"\n", 0, stray.end()) + 1
        return RefusedError(f"{name}:{line}: not CSV: a quote in a value that does not begin with one", QUOTE)
    return RefusedError(f"{name}: not CSV: {str(error).splitlines()[0]}", "Save the file as plain CSV, and run again.")


def _stray_quote(separator: str) -> re.Pattern[bytes]:
    """Match whole values, quoted or not, up to the first that has a quote further in."""
    between = re.escape(separator).encode()
    value = rb'(?:"(?:[^"]|"")*+"|[^"%b\r\n]*+)' % between
    return re.compile(rb'\A(?:%b[%b\r\n])*+[^"%b\r\n]+"' % (value, between, between))
