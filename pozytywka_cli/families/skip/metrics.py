"""Metrics of predicted skip probabilities, and differences between variants."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import logit

from pozytywka_cli.evaluation import (
    Flags,
    Floats,
    Ints,
    expected_calibration_error,
    log_loss,
    mean_interval,
    paired_difference,
    sign_flip,
    weighted_interval,
)
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
        "log_loss": mean_interval(log_loss(skipped, probability), users),
        "accuracy": mean_interval(np.asarray((probability >= 0.5) == skipped, np.float64), users),
        "brier_score": mean_interval((probability - skipped) ** 2, users),
        "expected_calibration_error": expected_calibration_error(skipped, probability, users),
    }
    if 0 < skipped.sum() < len(skipped):
        ranked = Ranked.of(skipped, predictions)
        correct = (probability > predictions.threshold) == skipped
        metrics["roc_auc"] = weighted_interval(ranked.auc, users)
        metrics["balanced_accuracy"] = weighted_interval(lambda weights: _balanced(correct, skipped, weights), users)
    return [Row("skip", variant, protocol, metric, *value) for metric, value in metrics.items()]


def compare(protocol: str, plays: pl.DataFrame, predictions: dict[str, Predictions], default: str) -> list[Row]:
    """Compute the mean log loss of every variant minus that of the default variant, on the same plays.

    With a 95 % interval over resampled users, and the p-value of a sign flip over users.
    """
    skipped, users = plays["skipped"].to_numpy(), plays["user_id"].to_numpy()
    losses = {variant: log_loss(skipped, made.probability) for variant, made in predictions.items()}
    base = losses.pop(default)
    return [
        Row(
            "skip",
            variant,
            protocol,
            "log_loss_difference",
            *paired_difference(loss, base, users),
            p_value=sign_flip(loss - base, users),
        )
        for variant, loss in losses.items()
    ]


def _balanced(correct: Flags, skipped: Flags, weights: Floats) -> float:
    """Return the mean of the accuracies for skipped and for other plays; NaN if a resample lacks one kind."""
    if not (weights[skipped].any() and weights[~skipped].any()):
        return float("nan")
    return float(np.mean([np.average(correct[kind], weights=weights[kind]) for kind in (skipped, ~skipped)]))


@dataclass(frozen=True)
class Ranked:
    """Plays with the rank of their log-odds minus those of the threshold.

    A fold's threshold is the skip rate of all other folds, so it is low where the fold has many skips: ranked by their
    bare probabilities, constants would look worse than guessing.
    """

    skipped: Flags
    rank: Ints

    @classmethod
    def of(cls, skipped: Flags, predictions: Predictions) -> "Ranked":
        """Rank once for all resamples."""
        score = logit(predictions.probability) - logit(predictions.threshold)
        return cls(skipped, np.unique(score, return_inverse=True)[1])

    def auc(self, weights: Floats) -> float:
        """Return the weighted area under the ROC curve (Mann & Whitney, 1947; ties count half), or NaN."""
        skips, others = (np.bincount(self.rank, weights=weights * kind) for kind in (self.skipped, ~self.skipped))
        below = np.cumsum(others) - others / 2
        pairs = skips.sum() * others.sum()
        return float((skips * below).sum() / pairs) if pairs else float("nan")
