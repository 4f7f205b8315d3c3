"""Metrics of predicted skip probabilities, and differences between variants."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import logit

from pozytywka_cli import evaluation
from pozytywka_cli.evaluation import LOSS, SHARE, Flags, Floats, Interval, Ints
from pozytywka_cli.families.skip import calibration
from pozytywka_cli.records import Row


@dataclass(frozen=True)
class Predictions:
    """A variant's probability that each play is skipped, (plays,), and the threshold above which it predicts a skip.

    Each play has the threshold of its own fold's model.
    """

    probability: Floats
    threshold: Floats


def measure(variant: str, protocol: str, plays: pl.DataFrame, predictions: Predictions) -> list[Row]:
    """Compute every metric of the predictions for `plays`, with 95 % intervals over users.

    Accuracy is that of predictions at a probability of .5, balanced accuracy that of predictions at the threshold. The
    calibration error has no interval, for chance alone puts it above 0; its value for perfect probabilities is beside
    it. Metrics that are not defined for these plays are left out.
    """
    skipped, users = plays["skipped"].to_numpy(), plays["user_id"].to_numpy()
    probability, threshold = predictions.probability, predictions.threshold
    right = np.asarray((probability >= 0.5) == skipped, np.float64)
    metrics: dict[str, Interval] = {
        "log_loss": evaluation.mean_interval(evaluation.log_loss(skipped, probability), users, limits=LOSS),
        "accuracy": evaluation.mean_interval(right, users, limits=SHARE),
        "brier_score": evaluation.mean_interval((probability - skipped) ** 2, users, limits=SHARE),
        "calibration_bias": calibration.bias(skipped, probability, users),
        "expected_calibration_error": Interval(calibration.expected_calibration_error(skipped, probability)),
        "expected_calibration_error_if_calibrated": Interval(calibration.error_if_calibrated(probability)),
    }
    if 0 < skipped.sum() < len(skipped):
        metrics["roc_auc"] = roc_auc(skipped, predictions, users)
        metrics["balanced_accuracy"] = _balanced_accuracy(skipped, probability > threshold, users)
        if (slope := calibration.slope(skipped, probability, threshold, users)) is not None:
            metrics["calibration_slope"] = slope
    return [Row("skip", variant, protocol, metric, *value) for metric, value in metrics.items()]


def compare(protocol: str, plays: pl.DataFrame, predictions: dict[str, Predictions], default: str) -> list[Row]:
    """Compute every variant's mean log loss minus the default's, with intervals and p-values over the same users."""
    skipped, users = plays["skipped"].to_numpy(), plays["user_id"].to_numpy()
    losses = {variant: evaluation.log_loss(skipped, made.probability) for variant, made in predictions.items()}
    return evaluation.differences("skip", protocol, "log_loss", losses, default, users)


def _balanced_accuracy(skipped: Flags, predicted: Flags, users: Ints) -> Interval:
    """Return the mean of the accuracies for skipped and for other plays, with its interval over users."""
    columns = [one.astype(np.float64) for one in (predicted & skipped, skipped, ~predicted & ~skipped, ~skipped)]
    return evaluation.interval(
        lambda sums: (sums[..., 0] / sums[..., 1] + sums[..., 2] / sums[..., 3]) / 2, columns, users, SHARE
    )


def roc_auc(skipped: Flags, predictions: Predictions, users: Ints) -> Interval:
    """Return the area under the ROC curve (Mann & Whitney, 1947), with its interval over users.

    Ties count half. Plays are ranked by their log-odds minus those of the threshold: a fold's threshold is the skip
    rate of all other folds, so it is low where the fold has many skips, and ranked by their bare probabilities
    constants would look worse than guessing.

    The pairs of skipped and other plays that are in order without a user are all of those, minus those of the user's
    skipped plays, minus those of the user's other plays, plus those within the user, which were taken away twice.
    """
    score = logit(predictions.probability) - logit(predictions.threshold)
    rank, codes = np.unique(score, return_inverse=True)[1], evaluation.numbered(users)
    skips, others = (np.bincount(codes, weights=kind).astype(np.float64) for kind in (skipped, ~skipped))
    of_skips = np.bincount(codes, weights=skipped * _below(rank, ~skipped))
    of_others = np.bincount(codes, weights=~skipped * (skips.sum() - _below(rank, skipped)))
    own = np.unique(codes * (rank.max() + 1) + rank, return_inverse=True)[1]
    earlier = np.cumsum(others) - others  # those of the users before a user
    within = np.bincount(codes, weights=skipped * (_below(own, ~skipped) - earlier[codes]))
    with np.errstate(divide="ignore", invalid="ignore"):  # a user may have all plays of a kind
        without = of_skips.sum() - of_skips - of_others + within
        without /= (skips.sum() - skips) * (others.sum() - others)
    area = of_skips.sum() / (skips.sum() * others.sum())
    return evaluation.jackknife(area, without, skips + others, SHARE)


def _below(rank: Ints, counted: Flags) -> Floats:
    """Return for each row the number of counted rows of lower rank, where those of the same rank count half."""
    counts = np.bincount(rank, weights=counted)
    return (np.cumsum(counts) - counts / 2)[rank]
