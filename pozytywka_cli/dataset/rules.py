"""The rules for typed columns; each returns findings (file, line, rule, column, value)."""

from collections.abc import Collection, Iterator

import polars as pl

from pozytywka_cli.dataset import times, units
from pozytywka_cli.dataset.absent import absent_columns
from pozytywka_cli.dataset.plays import SESSION
from pozytywka_cli.dataset.read import FINDINGS, Reading
from pozytywka_cli.dataset.tables import Column, Kind, Table

REACTIONS = ("SKIP", "LIKE")
DATE = r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"
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
        parts += _of_order(reading, keys.get("tracks"))
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


def _of_order(sessions: Reading, tracks: pl.Series | None) -> Iterator[pl.DataFrame]:
    """Check the rules about sessions (order, orphan, event_track); events without a key or time are left out.

    An unknown track breaks the rule `track` and not also `event_track`.
    """
    whole = pl.all_horizontal(pl.col("user_id", "session_id", "timestamp", "event_type").is_not_null())
    events = sessions.frame.filter(whole).with_columns(is_play=pl.col("event_type") == "PLAY")
    opens = pl.any_horizontal(pl.col(key).ne_missing(pl.col(key).shift()) for key in SESSION)
    events = _sorted(events, [*SESSION])
    yield _report(events.filter(~opens & (pl.col("timestamp") < pl.col("timestamp").shift())), "order", "timestamp")
    events = _sorted(events, [*SESSION, "timestamp", "is_play"])  # of PLAYs at one time either may be the current one
    rows = pl.int_range(pl.len())
    events = events.with_columns(
        play=pl.when("is_play").then(rows).forward_fill(), start=pl.when(opens).then(rows).forward_fill()
    )
    reactions = events.filter(pl.col("event_type").is_in(REACTIONS))
    orphan = pl.col("play").is_null() | (pl.col("play") < pl.col("start"))
    yield _report(reactions.filter(orphan), "orphan", "event_type")
    followers = reactions.filter(~orphan)
    others = followers.filter(followers["track_id"] != events["track_id"].gather(followers["play"]))
    known = pl.lit(True) if tracks is None else pl.col("track_id").is_in(tracks.implode())
    yield _report(others.filter(known), "event_track", "track_id")


def in_order(frame: pl.DataFrame, by: list[str]) -> bool:
    """Return whether the rows are sorted by these columns; a null compares equal to its neighbours.

    Logs often are in order, and checking costs a tenth of sorting.
    """
    earlier = pl.lit(False)
    for name in reversed(by):
        column = pl.col(name)
        earlier = (column < column.shift()) | ((column == column.shift()) & earlier)
    return not frame.select(earlier.fill_null(False).any()).item()


def _sorted(events: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    return events if in_order(events, by) else events.sort(by, maintain_order=True)


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
    return _report(reading.frame.filter(broken), rule, column, unit)


def _report(rows: pl.DataFrame, rule: str, column: str, unit: str | None = None) -> pl.DataFrame:
    if rows.is_empty():
        return pl.DataFrame(schema=FINDINGS)
    written = pl.col(column).cast(pl.String) if not isinstance(rows.schema[column], pl.List) else pl.lit("null")
    value = written.fill_null("null").str.head(80) + (f" (looks like {unit})" if unit else "")
    return rows.select("file", "line", rule=pl.lit(rule), column=pl.lit(column), value=value)


def needs(table: Table) -> Iterator[tuple[str, str]]:
    """Yield the rules of a table that need another one: (the other table, text that names rule and column)."""
    for column in table.columns:
        if column.references:
            yield column.references, f"{column.reference_rule} of {table.name}.{column.name}"
    if table.name == "tracks":
        yield "track_storage", "storage of tracks.id"
