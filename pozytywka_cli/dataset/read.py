"""Read the files of a table into one typed frame that knows the file and line of each row; no line is lost."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pozytywka_cli.dataset import values
from pozytywka_cli.dataset.guard import as_polars_source, reading
from pozytywka_cli.dataset.line_reader import EXAMPLES, Raw, read_lines
from pozytywka_cli.dataset.tables import Column, Kind, Table
from pozytywka_cli.records import Progress, Report, silent

FINDINGS = {"file": pl.UInt32, **values.FINDING}


@dataclass(frozen=True)
class Reading:
    """A table as read.

    frame: one row for each line that is an object: the table's columns, `file` (a position in `paths`) and `line` (from
        1), in the order of the files. A cell without a usable value is null.
    findings: what is wrong so far: file, line, rule, column (null: the line as a whole), value; of a column that the
        schema does not have, only on the first few lines.
    unknown: how many lines have each column that the schema does not have.
    counts: see `values.counts`, if they were wanted.
    """

    table: Table
    paths: tuple[Path, ...]
    lines: int
    frame: pl.DataFrame
    findings: pl.DataFrame
    unknown: Counter[str | None]
    counts: Counter[tuple[str, str]]


def read(table: Table, paths: tuple[Path, ...], *, counts: bool = False, report: Report = silent) -> Reading:
    """Read the files of a table; with `counts`, count how words are spelled and which values are left blank.

    Raises:
        StorageError: a file cannot be read or decompressed.
    """
    parts = []
    for number, path in enumerate(paths):
        report(Progress(f"read {table.name}", number, len(paths)))
        with reading(path):
            raw = read_parquet(table, path) if path.suffix == ".parquet" else read_lines(table, path)
        parts.append(typed(table, path, raw, number, counts=counts))
    report(Progress(f"read {table.name}", len(paths), len(paths)))
    unknown, counted = Counter[str | None](), Counter[tuple[str, str]]()
    for part in parts:
        unknown.update(part.unknown)
        counted.update(part.counts)
    words = {column.name: pl.Enum(column.words) for column in table.columns if column.words}
    schema: dict[str, Any] = {**table.schema, **words, "file": pl.UInt32, "line": pl.UInt32}
    frame = pl.concat([part.frame for part in parts]) if parts else pl.DataFrame(schema=schema)
    findings = pl.concat([pl.DataFrame(schema=FINDINGS), *(part.findings for part in parts)])
    return Reading(table, paths, sum(part.lines for part in parts), frame, findings, unknown, counted)


def typed(table: Table, path: Path, raw: Raw, number: int = 0, *, counts: bool = False) -> Reading:
    """Convert what was read of one file, the table's file of this number, to the table's types."""
    frame, more = values.typed(table, raw.columns)
    file = pl.lit(number, pl.UInt32).alias("file")
    findings = pl.concat([raw.findings, more]).with_columns(file).select(*FINDINGS)
    counted = values.counts(table, raw.columns, raw.findings) if counts else Counter[tuple[str, str]]()
    return Reading(table, (path,), raw.lines, frame.select(*table.schema, file, "line"), findings, raw.unknown, counted)


def read_parquet(table: Table, source: Path | bytes) -> Raw:
    """Read a Parquet file; row numbers (from 1) stand for line numbers, and types are the file's own."""
    stored = pl.read_parquet(source if isinstance(source, bytes) else as_polars_source(source), glob=False)
    return from_frame(table, stored, pl.int_range(1, len(stored) + 1, dtype=pl.UInt32, eager=True), _cast)


def from_frame(
    table: Table, stored: pl.DataFrame, lines: pl.Series, cast: Callable[[Column, pl.Series], pl.Series]
) -> Raw:
    """Convert a frame, whose rows are the lines of these numbers, to the table's raw types.

    `cast` converts the values of a column, to null where they are of another type, which is a finding.
    """
    columns, findings = [lines.alias("line")], [pl.DataFrame(schema=values.FINDING)]
    for column in table.columns:
        cells = stored.get_column(column.name, default=pl.repeat(None, len(stored), eager=True)).alias(column.name)
        columns.append(cast(column, cells).alias(column.name))
        findings.append(_findings(lines, cells, columns[-1].is_null() & cells.is_not_null(), "type"))
    unknown = Counter[str | None]()
    for name in sorted(set(stored.columns) - table.schema.keys()):
        if filled := int(stored[name].is_not_null().sum()):
            unknown[name] = filled
            findings.append(_findings(lines, stored[name], stored[name].is_not_null(), "extra", EXAMPLES))
    return Raw(values.with_times(pl.DataFrame(columns), table), pl.concat(findings), unknown, len(stored))


def _findings(lines: pl.Series, cells: pl.Series, mask: pl.Series, rule: str, most: int | None = None) -> pl.DataFrame:
    """Return a finding for each value under a mask, or for the first few."""
    rows = pl.DataFrame({"line": lines, "cells": cells}).filter(mask).head(len(lines) if most is None else most)
    written = pl.Series("value", [str(value)[:80] for value in rows["cells"].to_list()], dtype=pl.String)
    return rows.select("line", written, rule=pl.lit(rule), column=pl.lit(cells.name)).select(*values.FINDING)


def _cast(column: Column, cells: pl.Series) -> pl.Series:
    """Return the values as the column's raw type; null where they are of another type."""
    dtype, wanted = cells.dtype, values.RAW[column.kind]
    text = dtype in (pl.String, pl.Categorical, pl.Enum)
    if column.kind is Kind.TIME:
        if isinstance(dtype, pl.Datetime):
            zoned = cells if dtype.time_zone else cells.dt.replace_time_zone("UTC")
            return zoned.dt.convert_time_zone("UTC").dt.cast_time_unit("us").dt.strftime("%Y-%m-%dT%H:%M:%S%.6f")
        if dtype.is_integer() or dtype == pl.String:
            return cells.cast(pl.Int64) if dtype.is_integer() else cells
    elif column.kind is Kind.INTEGER and dtype.is_numeric():
        integers = cells.cast(pl.Int64, strict=False)
        return pl.select(pl.when(integers.cast(dtype, strict=False) == cells).then(integers)).to_series()
    elif column.kind is Kind.NUMBER and dtype.is_numeric():
        return values.finite(cells)
    elif dtype == wanted or (wanted == pl.String and text):
        return cells.cast(wanted)
    elif column.blank_is_null and (text or dtype.is_integer()):  # -1 and "" mean "no value" in any type, as in JSON
        written = cells.cast(pl.String)
        blank = pl.lit(-1, pl.Int64) if column.kind is Kind.INTEGER else written
        return pl.select(pl.when(written.is_in(["", "-1"])).then(blank)).to_series()
    return pl.repeat(None, len(cells), dtype=wanted, eager=True)
