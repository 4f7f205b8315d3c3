"""Convert values, from text or typed columns, to the raw types of a table's columns."""

import hashlib
import re

import polars as pl

from pozytywka_cli.dataset import times
from pozytywka_cli.dataset.tables import DAY_MS, DTYPES, Column, Kind, Table

RAW: dict[Kind, pl.DataType] = {**DTYPES, Kind.TIME: pl.String()}
FINDING = {"line": pl.UInt32, "rule": pl.String, "column": pl.String, "value": pl.String}
UNREADABLE, UNIT = "{} as written", "unit of {}"

FLAGS = {"true": True, "false": False, "1": True, "0": False}
NOT_FINITE = ("nan", "inf", "-inf", "+inf", "infinity", "-infinity", "+infinity")
WHOLE = r"^[+-]?[0-9]+(?:\.0*)?$"
KEY_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
TEXT_KEYS = 2**62  # the first integer that stands for a text; the last is 2**63 - 1


def converted(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Convert columns that were read as text to their raw types, and times to UTC.

    Beside each time stand a column with the text of what could not be read, else null, and one with its unit, see
    `times.parse`.
    """
    for column in table.columns:
        cells = frame[column.name]
        if column.kind is Kind.TIME:
            parsed = times.parse(cells)
            unreadable = pl.select(pl.when(parsed["time"].is_null()).then(cells.to_physical())).to_series()
            frame = frame.with_columns(
                parsed["time"].alias(column.name),
                unreadable.cast(pl.String).alias(UNREADABLE.format(column.name)),
                parsed["unit"].alias(UNIT.format(column.name)),
            )
        elif cells.dtype == pl.String != RAW[column.kind]:
            frame = frame.with_columns(from_text(column, cells).alias(column.name))
    return frame


def cast(column: Column, cells: pl.Series) -> pl.Series:
    """Return the values of a typed column as the column's raw type; null where they are of another type.

    Times may stay what they are, if `times.parse` can read them.
    """
    dtype, kind = cells.dtype, column.kind
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return from_text(column, cells.cast(pl.String))
    if kind is Kind.TIME:
        return _time(cells)
    if kind in (Kind.INTEGER, Kind.KEY) and (dtype.is_numeric() or (dtype == pl.Boolean and column.is_binary)):
        return _integer(column, cells)
    if kind is Kind.NUMBER and dtype.is_numeric():
        return finite(cells)
    if kind is Kind.FLAG and dtype.is_numeric():
        return cells.cast(pl.Float64).replace_strict({1: True, 0: False}, default=None, return_dtype=pl.Boolean)
    if kind is Kind.DATE and dtype in (pl.Date, pl.Datetime):
        return _date(cells)
    if (
        isinstance(dtype, pl.List | pl.Array)
        and kind is Kind.TEXTS
        and dtype.inner
        in (
            pl.String,
            pl.Categorical,
            pl.Enum,
            pl.Null,
        )
    ):
        return cells.cast(RAW[kind])
    if dtype == RAW[kind]:
        return cells
    if column.blank_is_null and dtype.is_integer():  # -1 means "no value" in any type, as in JSON
        return pl.select(pl.when(cells == -1).then(pl.lit("-1"))).to_series()
    return pl.repeat(None, len(cells), dtype=RAW[kind], eager=True)


def from_text(column: Column, text: pl.Series) -> pl.Series:
    """Return text as the column's raw type; null where it cannot be read."""
    kind = column.kind
    if kind is Kind.KEY:
        return keys(text, blank=-1 if column.blank_is_null else None)
    if kind is Kind.INTEGER:
        written = text.replace("", "-1") if column.blank_is_null else text
        if column.is_binary:
            written = written.str.to_lowercase().replace({"true": "1", "false": "0"})
        whole = pl.when(written.str.contains(WHOLE)).then(written.str.replace(r"\.0*$", ""))
        return pl.select(whole.cast(pl.Int64, strict=False)).to_series()
    if kind is Kind.NUMBER:
        return finite(text)
    if kind is Kind.FLAG:
        return text.str.to_lowercase().replace_strict(FLAGS, default=None, return_dtype=pl.Boolean)
    return _texts(text) if kind is Kind.TEXTS else text


def finite(written: pl.Series) -> pl.Series:
    """Return numbers as floats; null where they are not finite or no numbers."""
    floats = written.cast(pl.Float64, strict=False)
    return pl.select(pl.when(floats.is_finite()).then(floats)).to_series()


def not_finite(column: Column, cells: pl.Series) -> pl.Series:
    """Return where a number is NaN or infinite and may be missing."""
    if column.kind in (Kind.INTEGER, Kind.NUMBER) and not column.required:
        if cells.dtype.is_float():
            return ~cells.is_finite()
        if cells.dtype == pl.String:
            return cells.str.to_lowercase().is_in(NOT_FINITE)
    return pl.repeat(False, len(cells), eager=True)


def key(text: str) -> int:
    """Return the integer that a text names, or for other text a number in [2^62, 2^63) that follows from the text."""
    if KEY_INTEGER.fullmatch(text) and -(2**63) <= int(text) < 2**63:
        return int(text)
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return TEXT_KEYS + int.from_bytes(digest) // 4


def keys(text: pl.Series, blank: int | None) -> pl.Series:
    """Return the `key` of each text; empty text becomes `blank`."""
    distinct = text.drop_nulls().unique()
    numbers = [key(one) if one else blank for one in distinct.to_list()]
    return text.replace_strict(distinct, pl.Series(numbers, dtype=pl.Int64), default=None, return_dtype=pl.Int64)


def split(text: str) -> list[str] | None:
    """Return the parts of a text between commas; None for what seems to be a list in another notation."""
    if text.lstrip().startswith("["):
        return None
    return [part for piece in text.split(",") if (part := piece.strip())]


def _texts(text: pl.Series) -> pl.Series:
    distinct = text.drop_nulls().unique()
    lists = pl.Series([split(one) for one in distinct.to_list()], dtype=pl.List(pl.String))
    rows = pl.DataFrame({"text": distinct, "lists": lists})
    return text.to_frame("text").join(rows, on="text", how="left", maintain_order="left")["lists"]


def _integer(column: Column, cells: pl.Series) -> pl.Series:
    integers = cells.cast(pl.Int64, strict=False)
    whole = pl.select(pl.when(integers.cast(cells.dtype, strict=False) == cells).then(integers)).to_series()
    if column.kind is not Kind.KEY or not cells.dtype.is_integer() or whole.null_count() == cells.null_count():
        return whole
    return keys(cells.cast(pl.String), blank=None)  # integers past int64 are keys like any text


def _time(cells: pl.Series) -> pl.Series:
    dtype = cells.dtype
    if isinstance(dtype, pl.Datetime):
        return cells.to_physical().cast(pl.Datetime(dtype.time_unit))
    if dtype == pl.Date:
        return (cells.to_physical().cast(pl.Int64) * DAY_MS).cast(pl.Datetime("ms"))
    if dtype.is_float():  # whole numbers exactly, others as Python and JSON write them
        whole = cells.cast(pl.Int64, strict=False)
        exact = pl.when(whole.cast(dtype) == cells).then(whole.cast(pl.String))
        return pl.select(pl.coalesce(exact, cells.cast(pl.String))).to_series()
    if dtype.is_integer() and dtype not in (pl.UInt64, pl.Int128, pl.UInt128):
        return cells.cast(pl.Int64)
    if dtype.is_numeric():
        return cells.cast(pl.String)
    return pl.repeat(None, len(cells), dtype=pl.String, eager=True)


def _date(cells: pl.Series) -> pl.Series:
    moments = times.parse(_time(cells))["time"]
    return moments.dt.strftime("%Y-%m-%d")
