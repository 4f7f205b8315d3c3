"""Turn events into plays, one row for each PLAY, with narwhals expressions that run on several engines.

Only cumulative sums over an explicit order, maxima over a partition and the aggregates any, min, max and sum are used,
and times are integers (microseconds since 1970): what Polars and PySpark both have.
"""

from typing import Any

import narwhals as nw

SESSION = ("user_id", "session_id")
COLUMNS = (*SESSION, "track_id", "started_at", "advertisement_before", "skipped", "liked", "listened_ms")
MOMENTS = ("skipped_at", "liked_at")  # when `skipped` and `liked` came true: of the first such event, in µs
ORDER = ("timestamp", "is_play", "track_id")  # of a session's events; equal ones are alike in all that follows
REACTIONS = ("SKIP", "LIKE")


def plays(events: nw.LazyFrame[Any], tracks: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Return one row for each PLAY, sorted by user, session and start.

    Args:
        events: user_id, session_id, timestamp (µs), event_type, track_id; in any order, no two of them equal. Where an
            engine knows that they are in the order `ORDER`, it may add `number`, a running count of the PLAYs, and
            `current_track`, the track of the latest PLAY up to each event, which saves sorting.
        tracks: track_id, duration_ms; each track once.

    Returns:
        the columns `COLUMNS` and `MOMENTS`, times in µs, and `other_reactions`. Events of a session are ordered by
        time; at equal times a PLAY comes last, and PLAYs are ordered by track, so that the order of lines does not
        matter. A SKIP or LIKE counts for the latest PLAY up to it, and only if it names that track or none;
        `other_reactions` is how many name another. `listened_ms` is the track's duration, or when skipped the time to
        the first SKIP, at most the duration; null where the track's duration is unknown and nothing was skipped.
    """
    kind, at = nw.col("event_type"), nw.col("timestamp")
    is_other = kind.is_in(REACTIONS) & ~nw.col("track_id").is_null() & (nw.col("track_id") != nw.col("current_track"))
    rows = (
        _numbered(events.filter(kind != "BUY_PREMIUM").with_columns(is_play=(kind == "PLAY").cast(nw.Int32)))
        .with_columns(
            # an event belongs to the latest PLAY up to it, but an advertisement to the PLAY after it
            number=nw.col("number") + (kind == "ADVERTISEMENT").cast(nw.Int32),
            started=nw.when(nw.col("is_play") == 1).then(at),
            track=nw.when(nw.col("is_play") == 1).then(nw.col("track_id")),
            skipped_at=nw.when((kind == "SKIP") & ~is_other).then(at),
            liked_at=nw.when((kind == "LIKE") & ~is_other).then(at),
            ad=kind == "ADVERTISEMENT",
            is_other=is_other.cast(nw.Int32),
        )
        .group_by(*SESSION, "number")
        .agg(
            track_id=nw.col("track").max(),
            started_at=nw.col("started").min(),
            advertisement_before=nw.col("ad").any(),
            skipped_at=nw.col("skipped_at").min(),
            liked_at=nw.col("liked_at").min(),
            other_reactions=nw.col("is_other").sum().cast(nw.Int64),
        )
        .filter(~nw.col("started_at").is_null())
        .with_columns(
            skipped=~nw.col("skipped_at").is_null(),
            liked=~nw.col("liked_at").is_null(),
            elapsed=(nw.col("skipped_at") - nw.col("started_at")) // 1000,
        )
        .join(tracks, on="track_id", how="left")
    )
    duration, elapsed = nw.col("duration_ms"), nw.col("elapsed")
    cut_short = nw.col("skipped") & (duration.is_null() | (elapsed < duration))
    return (
        rows.with_columns(listened_ms=nw.when(cut_short).then(elapsed).otherwise(duration))
        .sort(*SESSION, "number")
        .select(*COLUMNS, *MOMENTS, "other_reactions")
    )


def _numbered(events: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Return the events with `number` and `current_track`, computed where they are missing."""
    if "number" in events.collect_schema().names():
        return events
    counted = events.with_columns(number=nw.col("is_play").cum_sum().over(*SESSION, order_by=ORDER))
    track = nw.when(nw.col("is_play") == 1).then(nw.col("track_id"))
    return counted.with_columns(played=track).with_columns(
        current_track=nw.col("played").max().over(*SESSION, "number")
    )
