"""How near the skip models come to the truth of a generated log."""

from dataclasses import replace
from pathlib import Path

import polars as pl

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import log_loss, reached
from pozytywka_cli.families.skip import BASELINE
from pozytywka_cli.families.skip.evaluate import learned
from pozytywka_cli.families.skip.features.history import canonical
from pozytywka_cli.families.skip.splits import time_split
from pozytywka_cli.families.skip.training_data import TrainingData
from pozytywka_cli.records import Report, Row
from pozytywka_cli.settings import SkipSettings

PLAY = ("user_id", "session_id", "track_id", "started_at")


def planted(
    dataset: Dataset, truth: Path, settings: SkipSettings, *, seed: int, device: str, report: Report
) -> list[Row]:
    """Each variant's log loss on the last fifth of the time, beside that of the planted probabilities, the best one."""
    plays = canonical(dataset.plays)
    training_data = TrainingData(replace(dataset, plays=plays), time_split(plays), settings)
    test = plays.filter(training_data.split.test)
    skipped = test["skipped"].to_numpy()
    found = learned(training_data, seed=seed, device=device, report=report)
    told = {variant: training_data.answers(one.model).probability for variant, one in found.items()}
    figures = {variant: float(log_loss(skipped, probability).mean()) for variant, probability in told.items()}
    known = pl.read_parquet(truth / "skips.parquet").unique(PLAY, keep="first", maintain_order=True)
    probability = test.join(known, on=PLAY, how="left", maintain_order="left")["probability"].to_numpy()
    return reached("skip", "log loss", figures, BASELINE, float(log_loss(skipped, probability).mean()))
