"""Compare the forecasts with the true rates of a generated data set."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from msgspec import structs

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import reached
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.weekly import FAMILY
from pozytywka_cli.families.weekly.evaluate import evaluate
from pozytywka_cli.families.weekly.metrics import HEADLINE
from pozytywka_cli.families.weekly.series import series
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.splits import Split, split
from pozytywka_cli.records import Row


def ground_truth(dataset: Dataset, truth: Path, run: TrainingRun) -> list[Row]:
    """Return each variant's RMSE over the test weeks beside that of the true rates, the lowest possible.

    A rate is in plays. It is converted to seconds by the artist's mean listening per play before the test weeks, so
    "truth" is an estimate. Measured is total listening one week ahead, whatever the settings are.
    """
    settings = structs.replace(run.settings_as(WeeklySettings), measure="total", horizon=1)
    rows = evaluate(dataset, replace(run, settings=settings)).rows
    divided = split(series(dataset), settings.test_weeks)
    figures = {row.variant: row.value for row in rows if (row.protocol, row.metric) == (divided.protocols[1], HEADLINE)}
    return reached("weekly", HEADLINE, figures, FAMILY.baseline, _rmse_of_truth(dataset, truth, divided))


def _rmse_of_truth(dataset: Dataset, truth: Path, divided: Split) -> float:
    artists, weeks = divided.series.artist_ids, divided.series.weeks[divided.start :]
    owner = dataset.tracks.filter(pl.col("id_artist").is_in(artists)).select(track_id="id", artist_id="id_artist")
    past = dataset.plays.filter(pl.col("started_at").dt.date() < weeks[0]).join(owner, on="track_id")
    seconds = past.group_by("artist_id").agg(a_play=pl.col("listened_ms").mean() / 1000)
    rates = pl.read_parquet(truth / "weeks.parquet").filter(pl.col("week").is_in(weeks))
    expected = rates.join(seconds, on="artist_id").sort("artist_id", "week").select(pl.col("rate") * pl.col("a_play"))
    return float(np.sqrt(((expected.to_numpy().reshape(divided.truth.shape) - divided.truth) ** 2).mean()))
