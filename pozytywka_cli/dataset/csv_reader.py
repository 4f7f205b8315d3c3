"""Read CSV files strictly: every error names the file, the line and the column."""

import csv
import io
import re

import polars as pl

from pozytywka_cli.dataset.line_reader import Raw
from pozytywka_cli.dataset.read import from_frame
from pozytywka_cli.dataset.tables import Table
from pozytywka_cli.errors import RefusedError

CORRECT = "Correct or remove that line, and run again."
QUOTE = 'Write such a value in quotes, with each of its own doubled ("12"" Mix"), and run again.'
# whole values, quoted or not, up to the first with a quote further in: searched for where nothing else is wrong
STRAY = re.compile(rb'\A(?:(?:"(?:[^"]|"")*+"|[^",\r\n]*+)[,\r\n])*+[^",\r\n]+"')


def header(content: bytes) -> list[str]:
    """Return the column names in the first line."""
    first = content.partition(b"\n")[0].decode("utf-8-sig", errors="replace").strip()
    return next(csv.reader([first]), [])


def read_csv(content: bytes, name: str) -> pl.DataFrame:
    """Read UTF-8 CSV as text, null where a value is empty, with quotes or without; blank lines may end it.

    Raises:
        RefusedError: a line is not CSV, or has more values than the header; the file's `name` and the line are named.
    """
    try:
        return pl.read_csv(content.rstrip(b"\r\n"), infer_schema=False).select(pl.all().replace("", None))
    except pl.exceptions.PolarsError as error:
        raise _not_csv(name, content, error) from None


def read_rows(table: Table, content: bytes, name: str) -> Raw:
    """Read CSV as the raw columns of a table; the file may have others too.

    Raises:
        RefusedError: a line is not CSV, or a column that the table requires is missing or there twice.
    """
    names = header(content)
    for column in table.columns:
        if names.count(column.name) > 1:
            raise RefusedError(f"{name}:1: the column {column.name} is there twice", "Leave out one of them.")
        if column.required and column.name not in names:
            raise RefusedError(f"{name}:1: there is no column {column.name}", "Add it, and run again.")
    frame = read_csv(content, name)
    return from_frame(table, frame, line_numbers(frame))


def line_numbers(frame: pl.DataFrame) -> pl.Series:
    """Return the line on which each row starts: line 1 is the header, and quoted values may span lines."""
    breaks = pl.concat_str(pl.all().fill_null("")).str.count_matches("\n")
    before = breaks.cum_sum().shift(fill_value=0)
    return frame.select((pl.int_range(2, pl.len() + 2) + before).cast(pl.UInt32).alias("line")).to_series()


def refuse_first(name: str, frame: pl.DataFrame, column: str, bad: pl.Expr, problem: str) -> None:
    """Refuse the first row for which `bad` holds; the message is "<value> <problem>".

    Raises:
        RefusedError: there is such a row.
    """
    rows = frame.with_columns(line=line_numbers(frame)).filter(bad)
    for line in rows["line"].head(1):
        row = rows.drop("line").row(0, named=True)
        value = "is empty" if row[column] is None else f"{row[column]!r} {problem}"
        what = f"column {column}: {value}" if any(row.values()) else "a blank line"
        raise RefusedError(f"{name}:{line}: {what}", CORRECT)


def _not_csv(name: str, content: bytes, error: Exception) -> RefusedError:
    """Find the line where a file stops being CSV, with a second, slower reader: polars does not tell it."""
    columns = len(header(content))
    try:
        reader = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
        for row in reader:
            if len(row) > columns:
                return RefusedError(f"{name}:{reader.line_num}: {len(row)} columns in place of {columns}", CORRECT)
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        return RefusedError(f"{name}:{line}: the text is not UTF-8", "Save the file as UTF-8, and run again.")
    except csv.Error as fault:
        return RefusedError(f"{name}:{reader.line_num}: not CSV: {fault}", CORRECT)
    if stray := STRAY.search(content):
        line = content.count(b"\n", 0, stray.end()) + 1
        return RefusedError(f"{name}:{line}: not CSV: a quote in a value that does not begin with one", QUOTE)
    return RefusedError(f"{name}: not CSV: {str(error).splitlines()[0]}", "Save the file as plain CSV, and run again.")
