"""Metrics of predicted skip probabilities, and differences between variants."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl
from scipy.special import logit

from pozytywka_cli import evaluation
from pozytywka_cli.evaluation import Flags, Floats
from pozytywka_cli.records import Row


@dataclass(frozen=True)
class Predictions:
    """A variant's probability that each play is skipped, (plays,), and the threshold above which it predicts a skip.

    Each play has the threshold of its own fold's model.
    """

    probability: Floats
    threshold: Floats


def measure(variant: str, protocol: str, plays: pl.DataFrame, predictions: Predictions) -> list[Row]:
    """Compute every metric of the predictions for `plays`, with 95 % intervals over resampled users.

    Accuracy is that of predictions at a probability of .5, balanced accuracy that of predictions at the threshold.
    """
    skipped, users = plays["skipped"].to_numpy(), plays["user_id"].to_numpy()
    probability = predictions.probability
    metrics: dict[str, tuple[float, ...]] = {
        "log_loss": evaluation.mean_interval(evaluation.log_loss(skipped, probability), users),
        "accuracy": evaluation.mean_interval(np.asarray((probability >= 0.5) == skipped, np.float64), users),
        "brier_score": evaluation.mean_interval((probability - skipped) ** 2, users),
        "expected_calibration_error": evaluation.expected_calibration_error(skipped, probability, users),
    }
    if 0 < skipped.sum() < len(skipped):
        correct = (probability > predictions.threshold) == skipped
        metrics["roc_auc"] = evaluation.weighted_interval(weighted_auc(skipped, predictions), users)
        metrics["balanced_accuracy"] = evaluation.weighted_interval(partial(_balanced, correct, skipped), users)
    return [Row("skip", variant, protocol, metric, *value) for metric, value in metrics.items()]


def compare(protocol: str, plays: pl.DataFrame, predictions: dict[str, Predictions], default: str) -> list[Row]:
    """Compute every variant's mean log loss minus the default's, with intervals and p-values over the same users."""
    skipped, users = plays["skipped"].to_numpy(), plays["user_id"].to_numpy()
    losses = {variant: evaluation.log_loss(skipped, made.probability) for variant, made in predictions.items()}
    return evaluation.differences("skip", protocol, "log_loss", losses, default, users)


def _balanced(correct: Flags, skipped: Flags, weights: Floats) -> float:
    """Return the mean of the accuracies for skipped and for other plays; NaN if a resample lacks one kind."""
    if not (weights[skipped].any() and weights[~skipped].any()):
        return float("nan")
    return float(np.mean([np.average(correct[kind], weights=weights[kind]) for kind in (skipped, ~skipped)]))


def weighted_auc(skipped: Flags, predictions: Predictions) -> Callable[[Floats], float]:
    """Return a function from weights, (plays,), to the area under the ROC curve (Mann & Whitney, 1947), or NaN.

    Ties count half. Plays are ranked, once for all resamples, by their log-odds minus those of the threshold: a fold's
    threshold is the skip rate of all other folds, so it is low where the fold has many skips, and ranked by their bare
    probabilities constants would look worse than guessing.
    """
    score = logit(predictions.probability) - logit(predictions.threshold)
    rank = np.unique(score, return_inverse=True)[1]

    def auc(weights: Floats) -> float:
        skips, others = (np.bincount(rank, weights=weights * kind) for kind in (skipped, ~skipped))
        below = np.cumsum(others) - others / 2
        pairs = skips.sum() * others.sum()
        return float((skips * below).sum() / pairs) if pairs else float("nan")

    return auc
