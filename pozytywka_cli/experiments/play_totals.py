"""What units did, counted from plays: skips, seconds listened to and full plays."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pozytywka_cli.dataset.attribution import artists_of_tracks
from pozytywka_cli.experiments.definition import Unit
from pozytywka_cli.experiments.moments import COLUMNS, Floats

if TYPE_CHECKING:
    from pozytywka_cli.dataset.loading import Dataset

PAST_DAYS = 28  # before the exposure, that CUPED takes its covariate from
VALUES = {
    "skip_rate": pl.col("skipped").sum().cast(pl.Float64),
    "listened_seconds": pl.col("listened_ms").sum() / 1000,
    "full_plays": (~pl.col("skipped")).sum().cast(pl.Float64),
}
PLAYS = pl.len().cast(pl.Float64).alias("plays")


def unit_plays(dataset: "Dataset", unit: Unit) -> pl.DataFrame:
    """Return unit (a text), started_at, skipped and listened_ms of all plays; of artists, of those that have one."""
    plays = dataset.plays
    if unit == "artist":
        plays = plays.join(artists_of_tracks(dataset.tracks), on="track_id")
    name = pl.col("artist_id" if unit == "artist" else "user_id").cast(pl.String)
    return plays.select(name.alias("unit"), "started_at", "skipped", "listened_ms").sort("unit", "started_at")


def window(plays: pl.DataFrame, days: int) -> tuple[datetime, datetime]:
    """Return the begin and the end of the last days of the plays."""
    last = plays["started_at"].max()
    assert isinstance(last, datetime)
    end = last + timedelta(microseconds=1)
    return end - timedelta(days=days), end


def totals(plays: pl.DataFrame, metric: str, start: datetime, times: Sequence[datetime]) -> Floats:
    """Return what each unit did from `start` until each time, and in the days before: (times, units, 4).

    Units are those with a play between start and the last time, in order. The columns are value, weight (plays; 1 of a
    metric that is a mean), and both before, NaN without a play there. A unit whose first play comes later than a time
    is NaN there.
    """
    units = plays.filter(pl.col("started_at").is_between(start, times[-1], closed="left"))["unit"].unique().sort()
    result = np.full((len(times), len(units), COLUMNS), np.nan)
    since = start - timedelta(days=PAST_DAYS)
    past = _of(plays.filter(pl.col("started_at").is_between(since, start, closed="left")), metric, units)
    for place, time in enumerate(times):
        part = plays.filter(pl.col("started_at").is_between(start, time, closed="left"))
        result[place] = np.hstack([_of(part, metric, units), past])
    return result


def _of(plays: pl.DataFrame, metric: str, units: pl.Series) -> Floats:
    """Return value and weight of each unit, NaN without a play: (units, 2)."""
    weight = PLAYS if metric == "skip_rate" else pl.lit(1.0).alias("plays")
    found = plays.group_by("unit").agg(VALUES[metric].alias("value"), weight)
    rows = pl.DataFrame({"unit": units}).join(found, on="unit", how="left", maintain_order="left")
    return rows.select("value", "plays").to_numpy().astype(np.float64)
