"""Replay models of skips: the plays of the last days, each as it started."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import LOSS, SHARE, Flags, Floats, log_loss
from pozytywka_cli.experiments.play_totals import window
from pozytywka_cli.experiments.replay.comparison import Measure, Measured, mean
from pozytywka_cli.families import registry
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.refit import MOST_PLAYS, Refitted, some_users


def measure(dataset: Dataset, runs: Mapping[str, TrainingRun], days: int) -> Measured:
    """Predict every play of the last days by models that were fitted to what was known before these days.

    Errors as in `Family.train`.
    """
    family, (since, _) = registry.get("skip"), window(dataset.plays, days)
    known = dataset.until(since)
    plays = dataset.plays.filter(pl.col("started_at") >= since)
    requests = plays.select("user_id", "track_id", "session_id", at="started_at")
    answers = {}
    for model, run in runs.items():
        predictor = Refitted(family, run, some_users(known, MOST_PLAYS))(dataset)
        answers[model] = predictor.predict(requests)
    skipped = plays["skipped"].to_numpy()
    probabilities = {model: one["probability"].cast(pl.Float64).to_numpy() for model, one in answers.items()}
    predicted = {model: ~one["played_to_end"].to_numpy() for model, one in answers.items()}
    measures = [
        Measure("log_loss", {model: [log_loss(skipped, one)] for model, one in probabilities.items()}, mean, LOSS),
        Measure("brier_score", {model: [(one - skipped) ** 2] for model, one in probabilities.items()}, mean, SHARE),
    ]
    if 0 < skipped.sum() < len(skipped):
        columns = {model: _rights(skipped, one) for model, one in predicted.items()}
        measures.append(Measure("balanced_accuracy", columns, _balanced_accuracy, SHARE))
    notes = [f"Models were fitted to {MOST_PLAYS:,} plays of some users at most."] * (len(known.plays) > MOST_PLAYS)
    return Measured(since, plays["user_id"].to_numpy(), measures, notes)


def _rights(skipped: Flags, predicted: Flags) -> list[Floats]:
    """Return which skips are predicted, which plays are skips, and the same of other plays."""
    return [one.astype(np.float64) for one in (predicted & skipped, skipped, ~predicted & ~skipped, ~skipped)]


def _balanced_accuracy(sums: Floats) -> Floats:
    """Return the mean of the accuracies for skipped and for other plays."""
    return np.asarray((sums[..., 0] / sums[..., 1] + sums[..., 2] / sums[..., 3]) / 2)
