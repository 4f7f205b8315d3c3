"""Read the files of a table into one typed frame that knows the file and line of each row; no line is lost."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from pozytywka_cli.dataset.reading import times, typed, values
from pozytywka_cli.dataset.reading.growing import Seen, whole_lines
from pozytywka_cli.dataset.reading.guard import as_polars_source, reading
from pozytywka_cli.dataset.reading.line_reader import EXAMPLES, Raw, read_lines
from pozytywka_cli.dataset.tables import Column, Kind, Table
from pozytywka_cli.records import Progress, Report, silent

FINDINGS = {"file": pl.UInt32, **values.FINDING}
ANY_TIME = Column("time", Kind.TIME)


@dataclass(frozen=True)
class Reading:
    """A table as read.

    frame: one row for each line that is an object: the table's columns, `file` (a position in `paths`) and `line` (from
        1), in the order of the files. A cell without a usable value is null.
    findings: what is wrong so far: file, line, rule, column (null: the line as a whole), value; of a column that the
        schema does not have, only on the first few lines.
    unknown: how many lines have each column that the schema does not have.
    present: the table's columns that at least one line has.
    counts: see `typed.counts`, if they were wanted.
    units: the unit of each time column that holds numbers since 1970.
    seen: of the files that were growing, what was read.
    """

    table: Table
    paths: tuple[Path, ...]
    lines: int
    frame: pl.DataFrame
    findings: pl.DataFrame
    unknown: Counter[str | None]
    present: frozenset[str]
    counts: Counter[tuple[str, str]]
    units: dict[str, str]
    seen: dict[Path, Seen] = field(default_factory=dict)


def read(table: Table, paths: tuple[Path, ...], *, counts: bool = False, report: Report = silent) -> Reading:
    """Read the files of a table; with `counts`, count how words are spelled and which values are left blank.

    Raises:
        StorageError: a file cannot be read or decompressed.
    """
    seen: dict[Path, Seen] = {}
    return replace(combine(table, paths, _read_files(table, paths, seen, report), counts=counts), seen=seen)


def combine(table: Table, paths: tuple[Path, ...], raws: Iterable[Raw], *, counts: bool = False) -> Reading:
    """Convert what was read of each file to the table's types, one file at a time, and join the files."""
    frames, findings, lines, present = [], [pl.DataFrame(schema=FINDINGS)], 0, frozenset[str]()
    unknown, counted = Counter[str | None](), Counter[tuple[str, str]]()
    for number, raw in enumerate(raws):
        frame, more = typed.typed(table, raw.columns)
        file = pl.lit(number, pl.UInt32).alias("file")
        frames.append(frame.select(*table.schema, file, "line", *typed.units(table)))
        findings.append(pl.concat([raw.findings, more]).with_columns(file).select(*FINDINGS))
        lines, present = lines + raw.lines, present | raw.present
        unknown.update(raw.unknown)
        counted.update(typed.counts(table, raw.columns, raw.findings) if counts else {})
    frame = pl.concat(frames) if frames else _empty(table)
    frame, rare, units = typed.without_rare_units(table, frame)
    found = pl.concat([*findings, rare.select(*FINDINGS)])
    return Reading(table, paths, lines, frame, found, unknown, present, counted, units)


def _read_files(table: Table, paths: tuple[Path, ...], seen: dict[Path, Seen], report: Report) -> Iterator[Raw]:
    """Yield what is read of each file; what is read of growing ones is noted in `seen`."""
    for number, path in enumerate(paths):
        report(Progress(f"read {table.name}", number, len(paths)))
        with reading(path):
            lines = whole_lines(path)
            if lines is not None:
                seen[path] = Seen.of(lines)
            source = path if lines is None else lines
            raw = read_parquet(table, path) if path.suffix == ".parquet" else read_lines(table, source)
        yield raw
    report(Progress(f"read {table.name}", len(paths), len(paths)))


def _empty(table: Table) -> pl.DataFrame:
    words = {column.name: pl.Enum(column.words) for column in table.columns if column.words}
    units = dict.fromkeys(typed.units(table), pl.UInt8)
    return pl.DataFrame(schema={**table.schema, **words, "file": pl.UInt32, "line": pl.UInt32, **units})


def read_parquet(table: Table, source: Path | bytes) -> Raw:
    """Read a Parquet file; row numbers (from 1) stand for line numbers, and types are the file's own."""
    stored = pl.read_parquet(source if isinstance(source, bytes) else as_polars_source(source), glob=False)
    return from_frame(table, stored, pl.int_range(1, len(stored) + 1, dtype=pl.UInt32, eager=True))


def from_frame(table: Table, stored: pl.DataFrame, lines: pl.Series) -> Raw:
    """Convert a frame, whose rows are the lines of these numbers, to the table's raw types.

    A value of another type becomes null, which is a finding.
    """
    columns, findings = [lines.alias("line")], [pl.DataFrame(schema=values.FINDING)]
    keys = table.by_key(stored.columns)
    given = {column.name: stored[key] for key, column in keys.items()}
    for column in table.columns:
        cells = given.get(column.name, pl.repeat(None, len(stored), eager=True)).alias(column.name)
        columns.append(values.cast(column, cells).alias(column.name))
        wrong = columns[-1].is_null() & cells.is_not_null()
        if wrong.any():
            missing = values.not_finite(column, cells)
            findings += [
                _findings(lines, cells, wrong & ~missing, "type"),
                _findings(lines, cells, missing, "optional"),
            ]
    unknown = Counter[str | None]()
    for name in sorted(set(stored.columns) - keys.keys()):
        if filled := int(stored[name].is_not_null().sum()):
            unknown[name] = filled
            findings.append(_findings(lines, stored[name], stored[name].is_not_null(), "extra", EXAMPLES))
    frame = values.converted(pl.DataFrame(columns), table)
    return Raw(frame, pl.concat(findings), unknown, frozenset(given), len(stored))


def _findings(lines: pl.Series, cells: pl.Series, mask: pl.Series, rule: str, most: int | None = None) -> pl.DataFrame:
    """Return a finding for each value under a mask, or for the first few."""
    rows = pl.DataFrame({"line": lines, "cells": cells}).filter(mask).head(len(lines) if most is None else most)
    written = pl.Series("value", _shown(rows["cells"]), dtype=pl.String)
    return rows.select("line", written, rule=pl.lit(rule), column=pl.lit(cells.name)).select(*values.FINDING)


def _shown(cells: pl.Series) -> list[str]:
    """Return values as text; times that Python cannot hold as the numbers that they are stored as."""
    if isinstance(cells.dtype, pl.Datetime | pl.Date) and (
        times.parse(values.cast(ANY_TIME, cells))["time"].null_count() > cells.null_count()
    ):
        cells = cells.to_physical()
    return [str(value)[:80] for value in cells.to_list()]
