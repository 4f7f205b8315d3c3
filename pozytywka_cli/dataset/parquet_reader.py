"""Parquet files to raw columns: the types are the file's own, and a value of another type is a finding."""

from pathlib import Path

import polars as pl

from pozytywka_cli.dataset import values
from pozytywka_cli.dataset.tables import Column, Kind, Table


def read_parquet(table: Table, path: Path) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """The raw columns of a Parquet file with row numbers as lines (from 1), findings, and how many rows it has."""
    stored = pl.read_parquet(path, glob=False)
    return *raw(table, stored), len(stored)


def raw(table: Table, stored: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A frame's columns as the table's raw types with row numbers as lines (from 1), and findings."""
    lines = pl.int_range(1, len(stored) + 1, dtype=pl.UInt32, eager=True).alias("line")
    columns, findings = [lines], []
    for column in table.columns:
        given = stored.get_column(column.name, default=pl.repeat(None, len(stored), eager=True))
        cast = _cast(column, given)
        columns.append(cast.alias(column.name))
        findings.append(_findings(lines, given, cast.is_null() & given.is_not_null(), column.name, "type"))
    unknown = sorted(set(stored.columns) - table.schema.keys())
    findings += [_findings(lines, stored[name], stored[name].is_not_null(), name, "extra") for name in unknown]
    return values.with_times(pl.DataFrame(columns), table), pl.concat(findings)


def _findings(lines: pl.Series, given: pl.Series, wrong: pl.Series, column: str, rule: str) -> pl.DataFrame:
    rows = pl.DataFrame({"line": lines, "given": given}).filter(wrong)
    written = pl.Series("value", [str(value)[:80] for value in rows["given"].to_list()], dtype=pl.String)
    return rows.select("line", pl.lit(rule).alias("rule"), pl.lit(column).alias("column"), written)


def _cast(column: Column, given: pl.Series) -> pl.Series:
    """The values as the column's raw type; null where they are of another type."""
    dtype, wanted = given.dtype, values.RAW[column.kind]
    nothing = pl.repeat(None, len(given), dtype=wanted, eager=True)
    if column.kind is Kind.TIME:
        return _time(given, nothing)
    if column.kind is Kind.INTEGER and dtype.is_numeric():
        cast = given.cast(pl.Int64, strict=False)
        return pl.select(pl.when(cast.cast(dtype, strict=False) == given).then(cast)).to_series()
    if column.kind is Kind.NUMBER and dtype.is_numeric():
        cast = given.cast(pl.Float64, strict=False)
        return pl.select(pl.when(cast.is_finite()).then(cast)).to_series()
    text = dtype in (pl.String, pl.Categorical, pl.Enum)
    if dtype == wanted or (wanted == pl.String and text):
        return given.cast(wanted)
    if column.blank_is_null and (text or dtype.is_integer()):  # -1 and "" mean "no value" in any type, as in JSON lines
        written = given.cast(pl.String)
        blank = pl.lit(-1, pl.Int64) if column.kind is Kind.INTEGER else written
        return pl.select(pl.when(written.is_in(["", "-1"])).then(blank)).to_series()
    return nothing


def _time(given: pl.Series, nothing: pl.Series) -> pl.Series:
    if isinstance(given.dtype, pl.Datetime):
        zoned = given if given.dtype.time_zone else given.dt.replace_time_zone("UTC")
        return zoned.dt.convert_time_zone("UTC").dt.cast_time_unit("us").dt.strftime("%Y-%m-%dT%H:%M:%S%.6f")
    return given.cast(pl.Int64) if given.dtype.is_integer() else given if given.dtype == pl.String else nothing
