"""The rules that follow events through a session, or compare them with all others: all of them are warnings."""

from collections.abc import Iterator

import polars as pl

from pozytywka_cli.dataset.checking.findings import report
from pozytywka_cli.dataset.duplicates import repeats
from pozytywka_cli.dataset.gaps import dense_part
from pozytywka_cli.dataset.order import in_order
from pozytywka_cli.dataset.plays import REACTIONS, SESSION
from pozytywka_cli.dataset.reading.guard import shown
from pozytywka_cli.dataset.reading.read import Reading
from pozytywka_cli.dataset.tables import SESSIONS

EVENT = list(SESSIONS.schema)


def of_order(sessions: Reading, tracks: pl.Series | None) -> Iterator[pl.DataFrame]:
    """Check the rules order, orphan and event_track; events without a key or time are left out.

    An unknown track breaks the rule `track` and not also `event_track`.
    """
    whole = pl.all_horizontal(pl.col("user_id", "session_id", "timestamp", "event_type").is_not_null())
    is_play = pl.col("event_type") == "PLAY"
    events = sessions.frame.filter(whole).with_columns(is_play=is_play, played=pl.when(is_play).then("track_id"))
    opens = pl.any_horizontal(pl.col(key).ne_missing(pl.col(key).shift()) for key in SESSION)
    events = _sorted(events, [*SESSION])
    yield report(events.filter(~opens & (pl.col("timestamp") < pl.col("timestamp").shift())), "order", "timestamp")
    events = _sorted(events, [*SESSION, "timestamp", "is_play", "played"])  # as plays are made
    rows = pl.int_range(pl.len())
    events = events.with_columns(
        play=pl.when("is_play").then(rows).forward_fill(), start=pl.when(opens).then(rows).forward_fill()
    )
    reactions = events.filter(pl.col("event_type").is_in(REACTIONS))
    orphan = pl.col("play").is_null() | (pl.col("play") < pl.col("start"))
    yield report(reactions.filter(orphan), "orphan", "event_type")
    followers = reactions.filter(~orphan)
    others = followers.filter(followers["track_id"] != events["track_id"].gather(followers["play"]))
    known = pl.lit(True) if tracks is None else pl.col("track_id").is_in(tracks.implode())
    yield report(others.filter(known), "event_track", "track_id")


def _sorted(events: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    return events if in_order(events, by) else events.sort(by, maintain_order=True)


def of_duplicates(sessions: Reading, good: pl.DataFrame) -> pl.DataFrame:
    """Check the rule duplicate: find the good events that are equal to an earlier one; values name its line."""
    pairs = repeats(good, EVENT)
    copies, originals = (good.select("file", "line")[pairs[name]] for name in ("row", "first"))
    names = pl.Series([shown(path.name) for path in sessions.paths], dtype=pl.String)
    value = pl.select(pl.format("same as {}:{}", names.gather(originals["file"]), originals["line"])).to_series()
    return copies.select("file", "line", rule=pl.lit("duplicate"), column=pl.lit(None, pl.String), value=value)


def of_gaps(good: pl.DataFrame) -> pl.DataFrame:
    """Check the rule time_gap: find the good events outside of the log's dense part."""
    part = dense_part(good["timestamp"], good["user_id"])
    return report(good.filter(~part.covers("timestamp")), "time_gap", "timestamp")
