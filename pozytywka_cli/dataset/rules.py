"""The rules for typed columns; each returns findings (file, line, rule, column, value)."""

from collections.abc import Iterator

import polars as pl

from pozytywka_cli.dataset.plays import SESSION
from pozytywka_cli.dataset.read import FINDINGS, Reading
from pozytywka_cli.dataset.tables import Column, Kind, Table

REACTIONS = ("SKIP", "LIKE")
DATE = r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"
EARLIEST = pl.datetime(2000, 1, 1, time_zone="UTC", time_unit="us")


def of_columns(reading: Reading, now: pl.Expr) -> Iterator[pl.DataFrame]:
    """Check the rules about one cell (required, optional, range, time) and about one column (key)."""
    for column in reading.table.columns:
        cell = pl.col(column.name)
        if not column.sometimes_needed:
            rule = "required" if column.required else "optional"
            yield _unexplained(reading, find(reading, cell.is_null(), rule, column.name), column.name)
        if (outside := _outside(column)) is not None:
            yield find(reading, outside, "range", column.name)
        if column.kind is Kind.DATE:
            yield find(reading, ~cell.str.contains(DATE), "time", column.name)
        if column.kind is Kind.TIME:
            yield find(reading, (cell < EARLIEST) | (cell > now), "time", column.name)
    if reading.table.key:
        key = pl.col(reading.table.key)
        yield find(reading, key.is_not_null() & ~key.is_first_distinct(), "key", reading.table.key)


def _outside(column: Column) -> pl.Expr | None:
    cell = pl.col(column.name)
    bounds = ((column.low, cell.lt), (column.high, cell.gt), (column.above, cell.le))
    broken = [beyond(bound) for bound, beyond in bounds if bound is not None]
    return pl.any_horizontal(broken) if broken else None


def _unexplained(reading: Reading, nulls: pl.DataFrame, column: str) -> pl.DataFrame:
    """Leave out the cells that are null because reading them failed: they have a finding already."""
    known = reading.findings.filter(pl.col("column") == column).select("file", "line")
    return nulls if known.is_empty() or nulls.is_empty() else nulls.join(known, on=["file", "line"], how="anti")


def of_references(reading: Reading, keys: dict[str, pl.Series]) -> Iterator[pl.DataFrame]:
    """Find cells that name a row which its table, as read, does not have; missing tables are left out."""
    for column in reading.table.columns:
        if column.references in keys:
            known = pl.col(column.name).is_in(keys[column.references].implode())
            yield find(reading, ~known, column.reference_rule, column.name)


def of_storage(tracks: Reading, stored: pl.Series) -> pl.DataFrame:
    """Find tracks that no line of `track_storage` names."""
    return find(tracks, ~pl.col("id").is_in(stored.implode()), "storage", "id")


def of_track_needed(sessions: Reading) -> Iterator[pl.DataFrame]:
    """Find events without a track: a PLAY needs one, a SKIP or LIKE should name one."""
    nothing, event = pl.col("track_id").is_null(), pl.col("event_type")
    for rule, events in (("required", ("PLAY",)), ("optional", REACTIONS)):
        needy = find(sessions, nothing & event.is_in(events), rule, "track_id")
        yield _unexplained(sessions, needy, "track_id")


def of_order(sessions: Reading, tracks: pl.Series | None) -> Iterator[pl.DataFrame]:
    """Check the rules about sessions (order, orphan, event_track); events without a key or time are left out.

    An unknown track breaks the rule `track` and not also `event_track`.
    """
    whole = pl.all_horizontal(pl.col("user_id", "session_id", "timestamp", "event_type").is_not_null())
    events = sessions.frame.filter(whole).with_columns(is_play=pl.col("event_type") == "PLAY")
    same = ~_first_of_session()
    events = _sorted(events, [*SESSION])
    yield _report(events.filter(same & (pl.col("timestamp") < pl.col("timestamp").shift())), "order", "timestamp")
    events = _sorted(events, [*SESSION, "timestamp", "is_play"])  # of PLAYs at one time either may be the current one
    rows = pl.int_range(pl.len())
    events = events.with_columns(
        play=pl.when("is_play").then(rows).forward_fill(), start=pl.when(~same).then(rows).forward_fill()
    )
    reactions = events.filter(pl.col("event_type").is_in(REACTIONS))
    orphan = pl.col("play").is_null() | (pl.col("play") < pl.col("start"))
    yield _report(reactions.filter(orphan), "orphan", "event_type")
    followers = reactions.filter(~orphan)
    playing = events["track_id"].gather(followers["play"])
    others = followers.filter(followers["track_id"] != playing)
    known = pl.lit(True) if tracks is None else pl.col("track_id").is_in(tracks.implode())
    yield _report(others.filter(known), "event_track", "track_id")


def _first_of_session() -> pl.Expr:
    return pl.any_horizontal(pl.col(key).ne_missing(pl.col(key).shift()) for key in SESSION)


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
    key = reading.table.key
    rows = reading.frame.filter(pl.all_horizontal(pl.col(by).is_not_null()))
    if key:
        rows = rows.filter(pl.col(key).is_null() | pl.col(key).is_first_distinct())
    return rows.filter(pl.struct(by).is_duplicated() & ~pl.struct(by).is_first_distinct())


def find(reading: Reading, broken: pl.Expr, rule: str, column: str) -> pl.DataFrame:
    """Return a finding for each row where `broken` is true."""
    return _report(reading.frame.filter(broken), rule, column)


def _report(rows: pl.DataFrame, rule: str, column: str) -> pl.DataFrame:
    if rows.is_empty():
        return pl.DataFrame(schema=FINDINGS)
    written = pl.col(column).cast(pl.String) if not isinstance(rows.schema[column], pl.List) else pl.lit("null")
    return rows.select(
        "file",
        "line",
        pl.lit(rule).alias("rule"),
        pl.lit(column).alias("column"),
        written.fill_null("null").str.head(80).alias("value"),
    )


def needs(table: Table) -> Iterator[tuple[str, str]]:
    """Yield the rules of a table that need another one: (the other table, text that names rule and column)."""
    for column in table.columns:
        if column.references:
            yield column.references, f"{column.reference_rule} of {table.name}.{column.name}"
    if table.name == "tracks":
        yield "track_storage", "storage of tracks.id"
