"""The plays of a log by days of 24 hours, counted back from its end, so that no day is cut short."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import Flags, Floats, Ints

DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class DailyPlays:
    """Plays in the order of their starts; the day after the last one, which is to be planned, has the number `days`.

    plays: user_id, session_id, track_id, started_at
    track: rows of the tracks; start, end: the numbers of the days in which plays start and end, from 0 on
    full: whether a play went to the track's end; listened: s
    finish: when the last day ends
    """

    plays: pl.DataFrame
    track: Ints
    start: Ints
    end: Ints
    full: Flags
    listened: Floats
    tracks: int
    days: int
    finish: datetime

    def begin(self, day: int) -> datetime:
        """Return when a day begins (UTC)."""
        return self.finish - (self.days - day) * DAY

    def rows(self, days: range) -> slice:
        """Return the rows of the plays that start in some days."""
        return slice(*np.searchsorted(self.start, [days.start, days.stop]))

    def counts(self, day: int) -> Floats:
        """Return the number of plays of each track that start in a day: (tracks,)."""
        rows = self.rows(range(day, day + 1))
        return np.bincount(self.track[rows], minlength=self.tracks).astype(np.float64)


def daily_plays(dataset: Dataset, track_ids: pl.Series) -> DailyPlays:
    """Return the plays of these tracks by day; those before the first full day, and of other tracks, are left out.

    A play ends when it has been listened to for `listened_ms`.

    Raises:
        RefusedError: the plays span less than a day.
    """
    known = pl.DataFrame({"track_id": track_ids}).with_row_index("track")
    durations = dataset.tracks.select("duration_ms", track_id="id")
    plays = dataset.plays.join(known, on="track_id").join(durations, on="track_id")
    plays = plays.with_columns(ended_at=pl.col("started_at") + pl.duration(milliseconds="listened_ms"))
    if plays.is_empty():
        raise RefusedError("there are no plays of known tracks", "Check the data: `pozytywka validate`.")
    first, finish = plays.select(pl.col("started_at").min(), pl.col("ended_at").max() + INSTANT).row(0)
    days = (finish - first) // DAY
    if not days:
        raise RefusedError("the plays span less than a day: nothing tells a track's plays a day", "Use a longer log.")
    number = {
        name: days - 1 - (pl.lit(finish) - pl.col(column) - INSTANT).dt.total_microseconds() // (DAY // INSTANT)
        for name, column in (("start", "started_at"), ("end", "ended_at"))
    }
    plays = plays.with_columns(**number).filter(pl.col("start") >= 0)
    plays = plays.sort("started_at", "user_id", "session_id", "track_id")
    return DailyPlays(
        plays=plays.select("user_id", "session_id", "track_id", "started_at"),
        track=plays["track"].cast(pl.Int64).to_numpy(),
        start=plays["start"].to_numpy(),
        end=plays["end"].to_numpy(),
        full=(plays["listened_ms"] >= plays["duration_ms"]).to_numpy(),
        listened=plays["listened_ms"].to_numpy() / 1000,
        tracks=len(track_ids),
        days=days,
        finish=finish,
    )
