"""The rules for typed columns; each returns findings (file, line, rule, column, value)."""

from collections.abc import Collection, Iterator

import polars as pl

from pozytywka_cli.dataset.checking import session_rules, units
from pozytywka_cli.dataset.checking.absent import absent_columns
from pozytywka_cli.dataset.checking.findings import report, without_errors
from pozytywka_cli.dataset.plays import REACTIONS
from pozytywka_cli.dataset.reading import times
from pozytywka_cli.dataset.reading.read import FINDINGS, Reading
from pozytywka_cli.dataset.tables import Column, Kind, Table

TIME = r"[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)? ?(Z|[+-][0-9]{2}:?[0-9]{2})?"  # which may follow a date
DATE = rf"^[0-9]{{4}}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])({TIME})?)?)?$"
EARLIEST = pl.lit(times.EARLIEST)


def of_table(name: str, readings: dict[str, Reading], now: pl.Expr, *, warnings: bool) -> pl.DataFrame:
    """Check a table against all rules, those that need a missing table left out; return the findings of reading, too.

    Without `warnings`, the rules that follow sessions through time and `storage` are left out.
    """
    reading = readings[name]
    keys = {other: read.frame[key] for other, read in readings.items() if (key := read.table.key)}
    absent = [column.name for column in absent_columns(reading)]
    parts = [reading.findings, *of_columns(reading, now, absent), *_of_references(reading, keys)]
    if name == "sessions":
        parts += _of_track_needed(reading)
    if name == "sessions" and warnings:
        good = without_errors(reading.frame, pl.concat([part.select(*FINDINGS) for part in parts]))
        parts += session_rules.of_order(reading, keys.get("tracks"))
        parts += [session_rules.of_duplicates(reading, good), session_rules.of_gaps(good)]
    if name == "tracks" and warnings and "track_storage" in readings:
        parts.append(_find(reading, ~pl.col("id").is_in(keys["track_storage"].implode()), "storage", "id"))
    return pl.concat([part.select(*FINDINGS) for part in parts])


def of_columns(reading: Reading, now: pl.Expr, absent: Collection[str] = ()) -> Iterator[pl.DataFrame]:
    """Check the rules about one cell (required, optional, range, unusual, time) and about one column (column, key).

    Columns that are `absent` from all lines break `column`, if they are needed, and neither `required` nor `optional`.
    """
    for column in reading.table.columns:
        cell = pl.col(column.name)
        if column.name in absent:
            if column.level_if_absent == "error":
                yield _find(reading, pl.lit(True), "column", column.name)
        elif not column.sometimes_needed:
            yield _absent(reading, cell.is_null(), "required" if column.required else "optional", column.name)
        if column.has_range:
            yield from _of_numbers(reading, column)
        if column.kind is Kind.DATE:
            yield _find(reading, ~cell.str.contains(DATE), "time", column.name)
        if column.kind is Kind.TIME:
            yield _find(reading, (cell < EARLIEST) | (cell > now), "time", column.name)
    if reading.table.key:
        key = pl.col(reading.table.key)
        yield _find(reading, key.is_not_null() & ~key.is_first_distinct(), "key", reading.table.key)


def _of_numbers(reading: Reading, column: Column) -> Iterator[pl.DataFrame]:
    """Find numbers out of range, and others that are unusual; their text says which unit they seem to have."""
    out_of_range, cell = units.beyond(column), pl.col(column.name)
    whole, bad = units.of_column(column, reading.frame)
    yield _find(reading, out_of_range, "range", column.name, unit=bad)
    doubtful = pl.lit(False) if column.usual is None else cell > column.usual
    if whole and column.typical:
        doubtful |= ~cell.is_between(*column.typical)
    yield _find(reading, doubtful & ~out_of_range, "unusual", column.name, unit=whole)


def _of_references(reading: Reading, keys: dict[str, pl.Series]) -> Iterator[pl.DataFrame]:
    """Find cells that name a row which its table, as read, does not have."""
    for column in reading.table.columns:
        if column.references in keys:
            known = pl.col(column.name).is_in(keys[column.references].implode())
            yield _find(reading, ~known, column.reference_rule, column.name)


def _of_track_needed(sessions: Reading) -> Iterator[pl.DataFrame]:
    """Find events without a track: a PLAY needs one, a SKIP or LIKE should name one."""
    if "track_id" not in sessions.present:
        return  # which breaks the rule `column`, where a line needs one
    for rule, events in (("required", ("PLAY",)), ("optional", REACTIONS)):
        yield _absent(sessions, pl.col("track_id").is_null() & pl.col("event_type").is_in(events), rule, "track_id")


def duplicates(reading: Reading, by: list[str]) -> pl.DataFrame:
    """Return the lines that share all of `by` with an earlier line, without those that repeat its key."""
    rows = reading.frame.filter(pl.all_horizontal(pl.col(by).is_not_null()))
    if key := reading.table.key:
        rows = rows.filter(pl.col(key).is_null() | pl.col(key).is_first_distinct())
    return rows.filter(pl.struct(by).is_duplicated() & ~pl.struct(by).is_first_distinct())


def _absent(reading: Reading, missing: pl.Expr, rule: str, column: str) -> pl.DataFrame:
    """Find missing values, but those that are null because reading them failed: they have a finding already."""
    nulls = _find(reading, missing, rule, column)
    known = reading.findings.filter(pl.col("column") == column).select("file", "line")
    return nulls if known.is_empty() or nulls.is_empty() else nulls.join(known, on=["file", "line"], how="anti")


def _find(reading: Reading, broken: pl.Expr, rule: str, column: str, *, unit: str | None = None) -> pl.DataFrame:
    """Return a finding for each row where `broken` is true; `unit` is the unit that the values seem to have."""
    return report(reading.frame.filter(broken), rule, column, unit)


def needs(table: Table) -> Iterator[tuple[str, str]]:
    """Yield the rules of a table that need another one: (the other table, text that names rule and column)."""
    for column in table.columns:
        if column.references:
            yield column.references, f"{column.reference_rule} of {table.name}.{column.name}"
    if table.name == "tracks":
        yield "track_storage", "storage of tracks.id"
