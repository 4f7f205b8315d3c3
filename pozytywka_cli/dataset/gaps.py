"""Find the dense part of a log: clocks that were reset leave a few events years before or after it."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import polars as pl

EMPTY_WEEKS = 8  # without any event, at least: a gap
STRAY_SHARE = 0.01  # of all events: fewer than that beyond a gap are stray
MIN_USERS = 3  # of the dense part, beside which the events of a single user beyond a gap are stray, too
WEEK = timedelta(weeks=1)
MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


class Part(NamedTuple):
    """A part of a log, from `start` (UTC) on and before `end`."""

    start: datetime
    end: datetime

    def covers(self, column: str) -> pl.Expr:
        """Return whether the times in a column lie in this part."""
        start, end = (pl.lit(moment, pl.Datetime("us", "UTC")) for moment in self)
        return pl.col(column).is_between(start, end, closed="left")


ALL = Part(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))


class _Segment(NamedTuple):
    """Weeks without a long gap between them."""

    first: int  # weeks since MONDAY
    last: int
    events: int
    users: int


def dense_part(times: pl.Series, users: pl.Series) -> Part:
    """Return the part of a log without stray events at its beginning or end.

    `times` (UTC, µs) and `users` are those of the log's events. The log is cut at every gap of at least 8 empty weeks
    (Monday to Sunday). The dense part is the segment with the most events, of those with at least 3 users if there are
    any. The segments before it are stray, from the first on, as long as each has the events of one user only, where the
    dense part has at least 3, or the others so far hold less than 1 % of all events together; likewise the segments
    after it, from the last on. On a side without stray events the part has no bound.
    """
    segments = _segments(times, users)
    if len(segments) < 2:
        return ALL
    dense = max(segments, key=lambda segment: (segment.users >= MIN_USERS, segment.events))
    position, total = segments.index(dense), sum(segment.events for segment in segments)
    before, after = (_strays(part, dense, total) for part in (segments[:position], segments[:position:-1]))
    return Part(
        MONDAY + segments[before].first * WEEK if before else ALL.start,
        MONDAY + (segments[-1 - after].last + 1) * WEEK if after else ALL.end,
    )


def _segments(times: pl.Series, users: pl.Series) -> list[_Segment]:
    """Return the segments of a log, in order."""
    week = ((times - MONDAY).to_physical() // int(WEEK.total_seconds() * 1e6)).alias("week")
    weeks = week.unique().sort().to_frame()
    starts = weeks["week"].diff().fill_null(0) > EMPTY_WEEKS
    if not starts.any():
        return []
    numbered = weeks.with_columns(segment=starts.cum_sum())
    events = pl.DataFrame({"week": week, "user": users}).join(numbered, on="week")
    of_weeks = pl.col("week")
    facts = events.group_by("segment").agg(of_weeks.min(), of_weeks.max().alias("last"), pl.len(), pl.n_unique("user"))
    return [_Segment(*row[1:]) for row in facts.sort("segment").iter_rows()]


def _strays(segments: list[_Segment], dense: _Segment, total: int) -> int:
    """Return how many of the segments on one side of the dense part, the farthest first, are stray."""
    events = 0
    for number, segment in enumerate(segments):
        if segment.users == 1 and dense.users >= MIN_USERS:
            continue
        events += segment.events
        if events >= STRAY_SHARE * total:
            return number
    return len(segments)
