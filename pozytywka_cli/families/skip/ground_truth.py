"""Compare the skip models with the known truth of a generated data set."""

from pathlib import Path

import polars as pl

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import log_loss, reached
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.skip import FAMILY
from pozytywka_cli.families.skip.evaluate import fit_all
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.fitting import TrainingData
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.families.skip.splits import time_split
from pozytywka_cli.records import Row

PLAY = ("user_id", "session_id", "track_id", "started_at")


def ground_truth(dataset: Dataset, truth: Path, run: TrainingRun) -> list[Row]:
    """Return each variant's log loss on the last fifth of the time, beside that of the true probabilities."""
    log = PlayLog.of(dataset)
    data = TrainingData(log, time_split(log.plays), run.settings_as(SkipSettings))
    test = log.plays.filter(data.split.test)
    skipped = test["skipped"].to_numpy()
    fitted, _ = fit_all(data, run, FAMILY.variants)
    losses = {
        variant: float(log_loss(skipped, data.predictions(one.model).probability).mean())
        for variant, one in fitted.items()
    }
    true = pl.read_parquet(truth / "skips.parquet").unique(PLAY, keep="first", maintain_order=True)
    probability = test.join(true, on=PLAY, how="left", maintain_order="left")["probability"].to_numpy()
    return reached("skip", "log_loss", losses, FAMILY.baseline, float(log_loss(skipped, probability).mean()))
