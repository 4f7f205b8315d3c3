"""CSV files of text columns, read strictly: every refusal names the file, the line and the column."""

import csv
import hashlib
import io
import re
from pathlib import Path

import polars as pl

from pozytywka_cli.errors import RefusedError, StorageError
from pozytywka_cli.records import Input

MEND = "Mend or remove that line, and run again."
QUOTE = 'Write such a value in quotes, with each of its own doubled ("12"" Mix"), and run again.'
# whole values, quoted or not, up to the first with a quote further in: searched for where nothing else is wrong
STRAY = re.compile(rb'\A(?:(?:"(?:[^"]|"")*+"|[^",\r\n]*+)[,\r\n])*+[^",\r\n]+"')


def read_csv(path: Path, columns: tuple[str, ...]) -> tuple[pl.DataFrame, Input]:
    """All rows of a UTF-8 CSV file whose header is exactly `columns`, and what was read. Blank lines may end it.

    Every value is text, or null where it is empty, with quotes or without. A pipe is read once: what is known of the
    input is known of those bytes.

    Raises:
        StorageError: the file cannot be opened.
        RefusedError: another header, or a line that is not CSV.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}", "Check the path.") from None
    header = content.partition(b"\n")[0].decode("utf-8-sig", errors="replace").strip()
    if next(csv.reader([header]), None) != list(columns):
        raise RefusedError(f"{path}:1: the header is another", f"It must be {','.join(columns)!r}.")
    try:
        rows = pl.read_csv(content.rstrip(b"\r\n"), infer_schema=False).select(pl.all().replace("", None))
    except pl.exceptions.PolarsError as error:
        raise _not_csv(path, content, len(columns), error) from None
    return rows, Input(path.name, hashlib.sha256(content).hexdigest(), len(content), rows.height)


def refuse_first(path: Path, frame: pl.DataFrame, column: str, bad: pl.Expr, problem: str) -> None:
    """Refuse the first row of `frame` for which `bad` holds; `problem` is the rest of "<value> …".

    Raises:
        RefusedError: there is such a row.
    """
    rows = frame.select(bad).to_series()
    if not rows.any():
        return
    row = frame.filter(rows).row(0, named=True)
    value = "is empty" if row[column] is None else f"{row[column]!r} {problem}"
    what = f"column {column}: {value}" if any(row.values()) else "a blank line"
    raise RefusedError(f"{path}:{first_line(frame, rows)}: {what}", MEND)


def first_line(frame: pl.DataFrame, rows: pl.Series) -> int:
    """The line of the file on which the first of the `rows` (a mask) starts: quoted values may span lines."""
    row = rows.arg_max() or 0
    breaks = frame.head(row).select(pl.concat_str(pl.all(), ignore_nulls=True).str.count_matches("\n").sum())
    return 2 + row + int(breaks.item())


def _not_csv(path: Path, content: bytes, columns: int, error: Exception) -> RefusedError:
    """Where a file stops being CSV: polars does not tell the line, so a second, slower reader finds it."""
    try:
        reader = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
        for values in reader:
            if len(values) > columns:
                return RefusedError(f"{path}:{reader.line_num}: {len(values)} columns in place of {columns}", MEND)
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        return RefusedError(f"{path}:{line}: the text is not UTF-8", "Save the file as UTF-8, and run again.")
    except csv.Error as fault:
        return RefusedError(f"{path}:{reader.line_num}: not CSV: {fault}", MEND)
    if stray := STRAY.search(content):
        line = content.count(b"\n", 0, stray.end()) + 1
        return RefusedError(f"{path}:{line}: not CSV: a quote in a value that does not begin with one", QUOTE)
    return RefusedError(f"{path}: not CSV: {str(error).splitlines()[0]}", "Save the file as plain CSV, and run again.")
