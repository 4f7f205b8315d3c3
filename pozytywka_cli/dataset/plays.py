"""Turn events into plays, one row for each PLAY, with narwhals expressions that run on several engines.

Only cumulative sums over an explicit order and the aggregates any, min and max are used, and times are integers
(microseconds since 1970): what Polars and PySpark both have.
"""

from typing import Any

import narwhals as nw

SESSION = ("user_id", "session_id")
COLUMNS = (*SESSION, "track_id", "started_at", "advertisement_before", "skipped", "liked", "listened_ms")
MOMENTS = ("skipped_at", "liked_at")  # when `skipped` and `liked` came true: of the first such event, in µs
ORDER = ("timestamp", "is_play", "track_id")  # of a session's events; equal ones are alike in all that follows


def plays(events: nw.LazyFrame[Any], tracks: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Return one row for each PLAY, sorted by user, session and start.

    Args:
        events: user_id, session_id, timestamp (µs), event_type, track_id; in any order. Where an engine knows that they
            are in the order `ORDER`, it may add `number`, a running count of the PLAYs, which saves sorting.
        tracks: track_id, duration_ms; each track once.

    Returns:
        the columns `COLUMNS` and `MOMENTS`, times in µs. Events of a session are ordered by time; at equal times a PLAY
        comes last, and PLAYs are ordered by track, so that the order of lines does not matter. `listened_ms` is the
        track's duration, or when skipped the time to the first SKIP, at most the duration; null where the track's
        duration is unknown and nothing was skipped.
    """
    kind = nw.col("event_type")
    flagged = events.filter(kind != "BUY_PREMIUM").with_columns(
        is_play=(kind == "PLAY").cast(nw.Int32), is_ad=(kind == "ADVERTISEMENT").cast(nw.Int32)
    )
    if "number" not in flagged.collect_schema().names():
        flagged = flagged.with_columns(number=nw.col("is_play").cum_sum().over(*SESSION, order_by=ORDER))
    played, at = nw.col("is_play") == 1, nw.col("timestamp")
    rows = (
        flagged.with_columns(
            # an event belongs to the latest PLAY up to it, but an advertisement to the PLAY after it
            number=nw.col("number") + nw.col("is_ad"),
            started=nw.when(played).then(at),
            track=nw.when(played).then(nw.col("track_id")),
            skipped_at=nw.when(kind == "SKIP").then(at),
            liked_at=nw.when(kind == "LIKE").then(at),
            ad=nw.col("is_ad") == 1,
        )
        .group_by(*SESSION, "number")
        .agg(
            track_id=nw.col("track").max(),
            started_at=nw.col("started").min(),
            advertisement_before=nw.col("ad").any(),
            skipped_at=nw.col("skipped_at").min(),
            liked_at=nw.col("liked_at").min(),
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
        .select(*COLUMNS, *MOMENTS)
    )
