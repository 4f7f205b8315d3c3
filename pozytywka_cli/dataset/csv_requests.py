"""Read CSV text as the raw columns of a table."""

import polars as pl

from pozytywka_cli.dataset.csv_reader import SEPARATORS, first_rows, line_numbers, plain_text, read_csv, whole_numbers
from pozytywka_cli.dataset.line_decoder import epoch_text
from pozytywka_cli.dataset.line_reader import Raw
from pozytywka_cli.dataset.read import from_frame
from pozytywka_cli.dataset.tables import Column, Kind, Table
from pozytywka_cli.dataset.values import RAW, finite
from pozytywka_cli.errors import RefusedError

EPOCH_DIGITS = 18  # more do not fit into 64 bits


def read_rows(table: Table, content: bytes, name: str) -> Raw:
    """Read CSV, separated by commas, tabs, semicolons or pipes; columns that the table does not have are left out.

    Raises:
        RefusedError: a line is not CSV, or a column that the table requires is missing or there twice.
    """
    text = plain_text(content, name)
    headers = {separator: first_rows(text, separator)[0] for separator in SEPARATORS}
    separator = max(headers, key=lambda one: len(set(headers[one]) & table.schema.keys()))
    header = headers[separator]
    for column in table.columns:
        if header.count(column.name) > 1:
            raise RefusedError(f"{name}:1: the column {column.name} is there twice", "Leave out one of them.")
        if column.required and column.name not in header:
            raise RefusedError(f"{name}:1: there is no column {column.name}", "Add it, and run again.")
    records = read_csv(text, name, separator)
    known = {at: column for at, column in enumerate(header) if column in table.schema}
    frame = records[1:].select(records[1:, at].alias(column) for at, column in known.items())
    return from_frame(table, frame, line_numbers(records)[1:], _cast)


def _cast(column: Column, written: pl.Series) -> pl.Series:
    """Return text as the column's raw type; null where it is none."""
    wanted = RAW[column.kind]
    if written.dtype == pl.Null or column.kind is Kind.TEXTS:
        return pl.repeat(None, len(written), dtype=wanted, eager=True)
    if column.kind is Kind.NUMBER:
        return finite(written)
    if column.kind is Kind.INTEGER:
        return whole_numbers(written).alias(written.name)
    if column.kind is Kind.FLAG:
        flags = {"true": True, "false": False}
        return written.str.to_lowercase().replace_strict(flags, default=None, return_dtype=pl.Boolean)
    if column.kind is Kind.TIME:  # milliseconds since 1970 become ISO 8601
        return pl.Series([_iso(text) for text in written], dtype=wanted)
    return written


def _iso(text: str | None) -> str | None:
    is_epoch = text is not None and text.isascii() and text.isdecimal() and len(text) <= EPOCH_DIGITS
    return epoch_text(int(text)) if text and is_epoch else text
