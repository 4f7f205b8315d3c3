"""How long each artist was listened to, week by week."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.dataset.loading import Dataset

Floats = NDArray[np.float64]
Measure = Literal["total", "mean"]

WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class Series:
    """How long each artist was listened to in each full ISO week.

    `listened` is in seconds: of all listens together, or, with the `measure` "mean", of one on average. `squares`, in
    s², is the sum of each listen's square, or the square of the average. Both are (artists, weeks). `weeks` are Mondays
    without a gap; `artist_ids` are sorted.
    """

    artist_ids: list[str]
    weeks: list[date]
    listened: Floats
    squares: Floats
    measure: Measure = "total"

    def before(self, week: int) -> "Series":
        """The series as it was known when `weeks[week]` began."""
        return replace(self, weeks=self.weeks[:week], listened=self.listened[:, :week], squares=self.squares[:, :week])

    def of(self, rows: NDArray[np.intp]) -> "Series":
        """The series of the artists in `rows`."""
        ids = [self.artist_ids[row] for row in rows]
        return replace(self, artist_ids=ids, listened=self.listened[rows], squares=self.squares[rows])


def series(dataset: Dataset, measure: Measure = "total") -> Series:
    """The listening of every artist with a play, in all full weeks: see `weekly_listening` and `full_weeks`."""
    tracks = dataset.tracks.select(track_id="id", artist_id="id_artist").drop_nulls("artist_id")
    plays = dataset.plays.join(tracks, on="track_id")
    weeks = full_weeks(dataset.plays, dataset.cut)
    found = weekly_listening(plays, weeks, measure)
    ids = plays["artist_id"].unique().sort().to_list()
    listened, squares = (found[name].to_numpy().reshape(len(ids), len(weeks)) for name in ("listened", "squares"))
    return Series(ids, weeks, listened, squares, measure)


def weekly_listening(plays: pl.DataFrame, weeks: list[date], measure: Measure = "total") -> pl.DataFrame:
    """How long each artist was listened to in each of `weeks`, Mondays: all listens together, or one on average.

    `plays` has artist_id, started_at (UTC) and listened_ms. A play counts in the week, from Monday 00:00 UTC, in which
    it starts. Every artist with a play, in these weeks or not, has a row for each week, zero where nothing was played.

    Returns:
        artist_id, week, listened (s) and squares (s², see `Series`), sorted by artist_id and week.
    """
    # integers add up to the same total in any order, and squares of milliseconds could overflow 64 bits
    milliseconds = pl.col("listened_ms").cast(pl.Int128)
    sums = plays.group_by("artist_id", week=pl.col("started_at").dt.truncate("1w").dt.date()).agg(
        listened=milliseconds.sum().cast(pl.Float64) / 1e3,
        squares=(milliseconds * milliseconds).sum().cast(pl.Float64) / 1e6,
        average=milliseconds.sum().cast(pl.Float64) / 1e3 / pl.len(),
    )
    if measure == "mean":
        sums = sums.with_columns(listened="average", squares=pl.col("average") ** 2)
    artists = plays.select(pl.col("artist_id").unique().sort())
    every = artists.join(pl.DataFrame({"week": weeks}, schema={"week": pl.Date}), how="cross")
    found = every.join(sums.drop("average"), on=["artist_id", "week"], how="left", maintain_order="left")
    return found.with_columns(pl.col("listened", "squares").fill_null(0.0))


def full_weeks(plays: pl.DataFrame, cut: datetime | None = None) -> list[date]:
    """The Mondays of all weeks that the log covers whole: none that ends after `cut` (UTC), if it was cut off there.

    Else nothing says when a log was begun or cut off but its plays. So its first week counts as partial unless the
    first play lies on that week's Monday, and its last week unless the last play lies on that week's Sunday.
    """
    if plays.is_empty():
        return []
    first = cast(datetime, plays["started_at"].min()).date()
    last = cast(datetime, plays["started_at"].max()).date()
    begin = first + timedelta(days=-first.weekday() % 7)
    end = last - timedelta(days=(last.weekday() + 1) % 7)
    if cut is not None:
        end = min(end, cut.date() - timedelta(days=1))
    return [begin + WEEK * week for week in range(((end - begin).days + 1) // 7)]
