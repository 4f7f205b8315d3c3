"""Weekly listening per artist, and the scaled inputs of a forecast: the same pure functions train and predict."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.dataset.service import Service

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

WEEK = timedelta(weeks=1)
PSEUDO_LISTENING = 2000.0  # s at the pooled ratio: a rarely played artist's own ratio rests on a few listens
CLIP = 20.0
RECENT = (4, 13)  # weeks over which the recent drift is averaged
EXTRAS = 2 + len(RECENT)


@dataclass(frozen=True)
class Series:
    """How long each artist was listened to in each full ISO week.

    `listened` is in seconds and `squares`, the sum of each listen's square, in s²; both are (artists, weeks). `weeks`
    are Mondays without a gap; `artist_ids` are sorted.
    """

    artist_ids: list[str]
    weeks: list[date]
    listened: Floats
    squares: Floats

    def before(self, week: int) -> "Series":
        """The series as it was known when `weeks[week]` began."""
        return replace(self, weeks=self.weeks[:week], listened=self.listened[:, :week], squares=self.squares[:, :week])

    def of(self, rows: NDArray[np.intp]) -> "Series":
        """The series of the artists in `rows`."""
        ids = [self.artist_ids[row] for row in rows]
        return replace(self, artist_ids=ids, listened=self.listened[rows], squares=self.squares[rows])


def series(service: Service) -> Series:
    """Total listening per artist with a play and ISO week (Monday 00:00 UTC), zero where there was none.

    A play counts in the week in which it starts. The weeks are the same for every artist, see `full_weeks`.
    """
    weeks = full_weeks(service.plays)
    tracks = service.tracks.select(track_id="id", artist_id="id_artist").drop_nulls("artist_id")
    plays = service.plays.join(tracks, on="track_id")
    ids = plays["artist_id"].unique().sort()
    sums = _sums(plays, pl.Series(weeks, dtype=pl.Date))
    row = sums["artist_id"].cast(pl.Enum(ids)).to_physical().to_numpy()
    column = sums["column"].to_numpy()
    listened, squares = np.zeros((2, len(ids), len(weeks)))
    listened[row, column] = sums["listened"].to_numpy() / 1e3
    squares[row, column] = sums["squares"].to_numpy() / 1e6
    return Series(ids.to_list(), weeks, listened, squares)


def _sums(plays: pl.DataFrame, weeks: pl.Series) -> pl.DataFrame:
    """artist_id, column (the week's number), listened (ms) and squares (ms²), where there was a play."""
    columns = pl.DataFrame({"week": weeks}).with_row_index("column")
    # integers add up to the same total in any order, and squares of milliseconds could overflow 64 bits
    milliseconds = pl.col("listened_ms").cast(pl.Int128)
    totals = {"listened": milliseconds.sum(), "squares": (milliseconds * milliseconds).sum()}
    return (
        plays.group_by("artist_id", week=pl.col("started_at").dt.truncate("1w").dt.date())
        .agg(**{name: total.cast(pl.Float64) for name, total in totals.items()})
        .join(columns, on="week")
    )


def full_weeks(plays: pl.DataFrame) -> list[date]:
    """The Mondays of all weeks that the log covers whole.

    Nothing says when a log was begun or cut off but its plays. So its first week counts as partial unless the first
    play lies on that week's Monday, and its last week unless the last play lies on that week's Sunday.
    """
    if plays.is_empty():
        return []
    first = cast(datetime, plays["started_at"].min()).date()
    last = cast(datetime, plays["started_at"].max()).date()
    begin = first + timedelta(days=-first.weekday() % 7)
    end = last - timedelta(days=(last.weekday() + 1) % 7)
    return [begin + WEEK * week for week in range(((end - begin).days + 1) // 7)]


def pooled_ratio(history: Series) -> float:
    """Σ listen² ÷ Σ listen over all artists, in seconds; 0 where nothing was listened to."""
    total = history.listened.sum()
    return float(history.squares.sum() / total) if total else 0.0


def spread_ratio(history: Series, ratio: float) -> Floats:
    """Each artist's Σ listen² ÷ Σ listen, shrunk to the pooled `ratio`: (artists,), in seconds.

    It is the variance ÷ the mean of a week if listens come as a Poisson process (a compound-Poisson sum).
    """
    squares, listened = history.squares.sum(axis=1), history.listened.sum(axis=1)
    return np.asarray((squares + PSEUDO_LISTENING * ratio) / (listened + PSEUDO_LISTENING))


@dataclass(frozen=True)
class Scale:
    """Each artist's level: the `mean` of all weeks so far and the `spread` of one week, both (artists,) in seconds.

    The spread is √(mean · Σ listen² ÷ Σ listen), the ratio shrunk to the pooled one; without any listening both are 0.
    """

    mean: Floats
    spread: Floats

    def scaled(self, listened: Floats) -> Floats:
        """(x − mean) ÷ spread, within ±20; `listened` is (artists, any number) in seconds."""
        units = (listened - self.mean[:, None]) / np.where(self.spread > 0, self.spread, 1)[:, None]
        return np.asarray(np.clip(units, -CLIP, CLIP))

    def seconds(self, scaled: Floats) -> Floats:
        """The way back, never negative: (artists, any number)."""
        return np.asarray(np.maximum(self.mean[:, None] + self.spread[:, None] * scaled, 0))


@dataclass(frozen=True)
class Inputs:
    """What the network reads, without units: the last weeks (artists, window), and the level and drift (artists, 4)."""

    window: Singles
    extras: Singles


def scale(history: Series, ratio: float) -> Scale:
    """The scale of a forecast of the week after `history`; `ratio` is the pooled one, in seconds."""
    mean = history.listened.mean(axis=1)
    return Scale(mean, np.sqrt(mean * spread_ratio(history, ratio)))


def inputs(history: Series, level: Scale, window: int) -> Inputs:
    """The inputs of a forecast of the week after `history`, which has at least `window` weeks."""
    floor = np.maximum(level.mean, 1)
    noise = np.where(level.spread > 0, level.spread, 1) / floor
    recent = np.stack([history.listened[:, -weeks:].mean(axis=1) for weeks in RECENT], axis=1)
    drift = level.scaled(recent) * np.sqrt(RECENT) / 2
    extras = np.column_stack([(np.log(floor) - 7) / 1.3, np.log(noise) + 0.5, drift])
    return Inputs(level.scaled(history.listened[:, -window:]).astype(np.float32), extras.astype(np.float32))
