"""Read Parquet files: types are the file's own, and a value of another type than the table's is a finding."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from pozytywka_cli.dataset import values
from pozytywka_cli.dataset.line_reader import EXAMPLES, Raw, UnknownColumn
from pozytywka_cli.dataset.tables import Column, Kind, Table


def read_parquet(table: Table, path: Path) -> Raw:
    """Read a Parquet file; row numbers (from 1) stand for line numbers."""
    stored = pl.read_parquet(path, glob=False)
    return from_frame(table, stored, pl.int_range(1, len(stored) + 1, dtype=pl.UInt32, eager=True))


def from_frame(
    table: Table, stored: pl.DataFrame, lines: pl.Series, cast: Callable[[Column, pl.Series], pl.Series] | None = None
) -> Raw:
    """Convert a frame to the table's raw types.

    Args:
        table: the columns that are wanted
        stored: a row for each line
        lines: the line numbers of the rows
        cast: converts values of a column, to null where they are of another type
    """
    lines = lines.alias("line")
    columns, findings = [lines], [pl.DataFrame(schema=values.FINDING)]
    for column in table.columns:
        cells = stored.get_column(column.name, default=pl.repeat(None, len(stored), eager=True))
        converted = (cast or _cast)(column, cells)
        columns.append(converted.alias(column.name))
        wrong = _shown(lines, cells, converted.is_null() & cells.is_not_null())
        findings.append(wrong.select("line", rule=pl.lit("type"), column=pl.lit(column.name), value="value"))
    unknown = {
        name: UnknownColumn(
            int(filled.sum()), _shown(lines, stored[name], filled, EXAMPLES).select(0, "line", "value").rows()
        )
        for name in sorted(set(stored.columns) - table.schema.keys())
        if (filled := stored[name].is_not_null()).any()
    }
    return Raw(values.with_times(pl.DataFrame(columns), table), pl.concat(findings), unknown, len(stored))


def _shown(lines: pl.Series, cells: pl.Series, mask: pl.Series, most: int | None = None) -> pl.DataFrame:
    """Return line and text of the values under a mask."""
    rows = pl.DataFrame({"line": lines, "cells": cells}).filter(mask).head(len(lines) if most is None else most)
    written = pl.Series("value", [str(value)[:80] for value in rows["cells"].to_list()], dtype=pl.String)
    return rows.select("line", written)


def _cast(column: Column, cells: pl.Series) -> pl.Series:
    """Return the values as the column's raw type; null where they are of another type."""
    dtype, wanted = cells.dtype, values.RAW[column.kind]
    nothing = pl.repeat(None, len(cells), dtype=wanted, eager=True)
    if column.kind is Kind.TIME:
        return _time(cells, nothing)
    if column.kind is Kind.INTEGER and dtype.is_numeric():
        integers = cells.cast(pl.Int64, strict=False)
        return pl.select(pl.when(integers.cast(dtype, strict=False) == cells).then(integers)).to_series()
    if column.kind is Kind.NUMBER and dtype.is_numeric():
        return values.finite(cells)
    text = dtype in (pl.String, pl.Categorical, pl.Enum)
    if dtype == wanted or (wanted == pl.String and text):
        return cells.cast(wanted)
    if column.blank_is_null and (text or dtype.is_integer()):  # -1 and "" mean "no value" in any type, as in JSON lines
        written = cells.cast(pl.String)
        blank = pl.lit(-1, pl.Int64) if column.kind is Kind.INTEGER else written
        return pl.select(pl.when(written.is_in(["", "-1"])).then(blank)).to_series()
    return nothing


def _time(cells: pl.Series, nothing: pl.Series) -> pl.Series:
    if isinstance(cells.dtype, pl.Datetime):
        zoned = cells if cells.dtype.time_zone else cells.dt.replace_time_zone("UTC")
        return zoned.dt.convert_time_zone("UTC").dt.cast_time_unit("us").dt.strftime("%Y-%m-%dT%H:%M:%S%.6f")
    return cells.cast(pl.Int64) if cells.dtype.is_integer() else cells if cells.dtype == pl.String else nothing
