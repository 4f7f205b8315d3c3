"""Weekly listening of each artist, and which weeks of a log are complete."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.dataset.attribution import artists_of_tracks, require_artists
from pozytywka_cli.dataset.loading import Dataset

Floats = NDArray[np.float64]
Measure = Literal["total", "mean"]

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
SHORTEST_TOLERANCE = timedelta(hours=1)  # an hour is 0.6 % of a week: less than any forecast errs
TYPICAL_DAYS = 0.98  # share of a log's days; the others may have holes


@dataclass(frozen=True)
class Series:
    """How long each artist was listened to in each full ISO week."""

    artist_ids: list[str]  # sorted
    weeks: list[date]  # Mondays without a gap
    listened: Floats  # s, (artists, weeks): the sum of all listens, or the mean listen for the `measure` "mean"
    squares: Floats  # s², (artists, weeks): the sum of the squared listens, or the square of the mean listen
    measure: Measure = "total"

    def before(self, week: int) -> "Series":
        """Return the series as it was known at the beginning of `weeks[week]`."""
        return replace(self, weeks=self.weeks[:week], listened=self.listened[:, :week], squares=self.squares[:, :week])

    def of(self, rows: NDArray[np.intp]) -> "Series":
        """Return the series of the artists in `rows`."""
        ids = [self.artist_ids[row] for row in rows]
        return replace(self, artist_ids=ids, listened=self.listened[rows], squares=self.squares[rows])


def series(dataset: Dataset, measure: Measure = "total") -> Series:
    """Return the listening of every artist with a play, in all full weeks: see `weekly_listening` and `full_weeks`.

    Plays of tracks without an artist are left out, but make weeks full; if there are no others, a RefusedError.
    """
    tracks = artists_of_tracks(dataset.tracks)
    numbered = tracks.cast({"artist_id": pl.Enum(tracks["artist_id"].unique().sort())})  # grouped faster than strings
    plays = dataset.plays.select("track_id", "started_at", "listened_ms").join(numbered, on="track_id")
    require_artists(len(plays), len(dataset.plays))
    weeks = full_weeks(dataset.plays, dataset.cut)
    totals = weekly_listening(plays, weeks, measure)
    ids = plays["artist_id"].unique().sort().cast(pl.String).to_list()
    listened, squares = (totals[name].to_numpy().reshape(len(ids), len(weeks)) for name in ("listened", "squares"))
    return Series(ids, weeks, listened, squares, measure)


def weekly_listening(plays: pl.DataFrame, weeks: list[date], measure: Measure = "total") -> pl.DataFrame:
    """Return how long each artist was listened to in each of `weeks` (Mondays): the sum of all listens, or the mean.

    A play counts in the week, from Monday 00:00 UTC, in which it starts. Every artist with a play, in these weeks or
    not, has a row for each week, with zeros where nothing was played. `plays` has artist_id, started_at (UTC) and
    listened_ms; returned are artist_id, week, listened and squares (see `Series`), sorted by artist_id and week.
    """
    # integers add up to the same total in any order, and squares of milliseconds could overflow 64 bits
    milliseconds = pl.col("listened_ms").cast(pl.Int128)
    listened = milliseconds.sum().cast(pl.Float64) / 1e3
    squares = (milliseconds * milliseconds).sum().cast(pl.Float64) / 1e6
    if measure == "mean":
        listened = listened / pl.len()
        squares = listened**2
    monday = pl.col("started_at").dt.truncate("1w").dt.date()
    by_week = plays.lazy().group_by("artist_id", week=monday).agg(listened=listened, squares=squares)
    sums = by_week.collect(engine="streaming")  # half the time of the default engine
    artists = sums.select(pl.col("artist_id").unique().sort())
    grid = artists.join(pl.DataFrame({"week": weeks}, schema={"week": pl.Date}), how="cross")
    totals = grid.join(sums, on=["artist_id", "week"], how="left", maintain_order="left")
    return totals.with_columns(pl.col("listened", "squares").fill_null(0.0))


def full_weeks(plays: pl.DataFrame, cut: datetime | None = None) -> list[date]:
    """Return the Mondays of all weeks that the log covers completely.

    The log does not record where it begins and ends. The week of the first play counts if that play lies on its Monday,
    and the silence before it is no longer than the log is silent after midnight on all but 2 % of its days (or an
    hour). In the same way, the week of the last play counts if that lies on its Sunday and the silence up to Monday
    00:00 is no longer than the log's silences before midnight. With `cut` (UTC), the moment up to which the log is
    stated to be complete, a week that ends by then counts and a later one does not.
    """
    if plays.is_empty():
        return []
    starts = plays["started_at"]
    first, last = cast(datetime, starts.min()), cast(datetime, starts.max())
    silences = _silences(starts)
    begin, end = (moment.date() - timedelta(days=moment.weekday()) for moment in (first, last + DAY))
    if first.weekday() or silences["morning"][0] > _tolerance(silences["morning"][1:]):
        begin += WEEK
    complete = silences["evening"][-1] <= _tolerance(silences["evening"][:-1]) if cut is None else cut.date() >= end
    if last.weekday() == 6 and not complete:
        end -= WEEK
    return [begin + WEEK * week for week in range((end - begin) // WEEK)]


def _silences(starts: pl.Series) -> pl.DataFrame:
    """Return how long each day with plays is silent before its first (`morning`) and after its last (`evening`) one."""
    day, moment = pl.col("started_at").dt.truncate("1d"), pl.col("started_at")
    days = starts.to_frame("started_at").group_by(day=day).agg(first=moment.min(), last=moment.max()).sort("day")
    return days.select(morning=pl.col("first") - pl.col("day"), evening=pl.col("day") + DAY - pl.col("last"))


def _tolerance(silences: pl.Series) -> timedelta:
    """Return the silence that all but 2 % of the other days of a log do not exceed, or an hour if that is longer."""
    longest = cast(timedelta | None, silences.quantile(TYPICAL_DAYS, "higher"))
    return max(longest or timedelta(0), SHORTEST_TOLERANCE)
