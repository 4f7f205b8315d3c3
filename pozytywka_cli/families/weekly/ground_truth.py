"""How near the weekly forecasts come to the truth of a generated log."""

from pathlib import Path

import numpy as np
import polars as pl
from msgspec import structs

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import reached
from pozytywka_cli.families.weekly import BASELINE
from pozytywka_cli.families.weekly.evaluate import evaluate
from pozytywka_cli.families.weekly.metrics import Split, split
from pozytywka_cli.families.weekly.series import series
from pozytywka_cli.records import Report, Row
from pozytywka_cli.settings import WeeklySettings


def planted(
    dataset: Dataset, truth: Path, settings: WeeklySettings, *, seed: int, device: str, report: Report
) -> list[Row]:
    """Each variant's RMSE over the test weeks, beside that of the planted rates, the best there is.

    A rate is in plays; it is turned into seconds by the artist's mean listening a play before the test weeks, so that
    what is called the truth is its best estimate. It is all listening, one week ahead, whatever the settings say.
    """
    settings = structs.replace(settings, measure="total", horizon=1)
    rows = evaluate(dataset, settings, seed=seed, device=device, report=report).rows
    divided = split(series(dataset), settings.test_weeks)
    best = _rmse_of_truth(dataset, truth, divided)
    figures = {row.variant: row.value for row in rows if (row.protocol, row.metric) == (divided.protocols[1], "RMSE")}
    return reached("weekly", "RMSE", figures, BASELINE, best)


def _rmse_of_truth(dataset: Dataset, truth: Path, divided: Split) -> float:
    owner = dataset.tracks.select(track_id="id", artist_id="id_artist")
    tested = divided.series.weeks[divided.start :]
    past = dataset.plays.filter(pl.col("started_at").dt.date() < tested[0]).join(owner, on="track_id", how="left")
    seconds = past.group_by("artist_id").agg(a_play=pl.col("listened_ms").mean() / 1000)
    rates = pl.read_parquet(truth / "weeks.parquet").filter(pl.col("week").is_in(tested))
    expected = rates.join(seconds, on="artist_id", how="left").with_columns(value=pl.col("rate") * pl.col("a_play"))
    wide = expected.sort("week").group_by("artist_id", maintain_order=True).agg("value")
    ordered = pl.DataFrame({"artist_id": divided.series.artist_ids}).join(
        wide, on="artist_id", how="left", maintain_order="left"
    )
    return float(np.sqrt(((np.array(ordered["value"].to_list()) - divided.truth) ** 2).mean()))
