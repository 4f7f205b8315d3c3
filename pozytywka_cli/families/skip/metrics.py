"""How good the probabilities of skips are, and what one model gains over another."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import logit

from pozytywka_cli.evaluation import (
    expected_calibration_error,
    log_loss,
    mean_interval,
    paired_difference,
    sign_flip,
    weighted_interval,
)
from pozytywka_cli.families.skip.features.history import Flags, Floats, Ints
from pozytywka_cli.records import Row


@dataclass(frozen=True)
class Answers:
    """What a variant says of each play, (plays,): the probability of a skip, and above which threshold it tells one.

    Where several models answer, each fitted on different plays, each has its own threshold.
    """

    probability: Floats
    threshold: Floats


def figures(variant: str, protocol: str, plays: pl.DataFrame, answers: Answers) -> list[Row]:
    """Every metric of the answers about `plays`, with 95 % intervals over resampled users.

    Accuracy is of decisions at .5, which are right most often; balanced accuracy of decisions at the threshold.
    """
    skipped, users = plays["skipped"].to_numpy(), plays["user_id"].to_numpy()
    probability = answers.probability
    found: dict[str, tuple[float, ...]] = {
        "log loss": mean_interval(log_loss(skipped, probability), users),
        "accuracy": mean_interval(right(skipped, probability), users),
        "Brier": mean_interval((probability - skipped) ** 2, users),
        "ECE": expected_calibration_error(skipped, probability, users),
    }
    if 0 < skipped.sum() < len(skipped):
        ranked = Ranked.of(skipped, answers)
        told = (probability > answers.threshold) == skipped
        found["AUC"] = weighted_interval(ranked.auc, users)
        found["balanced accuracy"] = weighted_interval(lambda weights: _balanced(told, skipped, weights), users)
    return [Row("skip", variant, protocol, metric, *value) for metric, value in found.items()]


def gains(protocol: str, plays: pl.DataFrame, answers: dict[str, Answers], baselines: tuple[str, ...]) -> list[Row]:
    """What every other variant gains over the baseline with the lowest log loss, on the same plays, user by user.

    The difference of log loss (below zero: better) and of accuracy (above zero: better), each with its 95 % interval
    over resampled users, and the p-value of a sign flip over users.
    """
    skipped, users = plays["skipped"].to_numpy(), plays["user_id"].to_numpy()
    metrics = {"log loss": log_loss, "accuracy": right}
    best = min(baselines, key=lambda name: log_loss(skipped, answers[name].probability).mean())
    rows = []
    for variant in (name for name in answers if name not in baselines):
        for metric, score in metrics.items():
            ours, theirs = (score(skipped, answers[name].probability) for name in (variant, best))
            name = f"{metric} - {best}"
            rows.append(Row("skip", variant, protocol, name, *paired_difference(ours, theirs, users)))
            rows.append(Row("skip", variant, protocol, f"p of {name}", sign_flip(ours - theirs, users)))
    return rows


def right(skipped: Flags, probability: Floats) -> Floats:
    """1 where a play went the likelier way, else 0."""
    return np.asarray((probability >= 0.5) == skipped, np.float64)


def _balanced(told: Flags, skipped: Flags, weights: Floats) -> float:
    """The mean of the shares of skipped and of other plays that were told right; NaN if a resample lacks one kind."""
    if not (weights[skipped].any() and weights[~skipped].any()):
        return float("nan")
    return float(np.mean([np.average(told[kind], weights=weights[kind]) for kind in (skipped, ~skipped)]))


@dataclass(frozen=True)
class Ranked:
    """Plays with the place, from the lowest, of their log-odds above those of the threshold.

    A fold's own threshold, the rate of all other folds, is the lower the more skips there are in it: ranked by bare
    probabilities, constants would look worse than guessing.
    """

    skipped: Flags
    place: Ints

    @classmethod
    def of(cls, skipped: Flags, answers: Answers) -> "Ranked":
        """Rank once, so that a thousand resamples need not."""
        score = logit(answers.probability) - logit(answers.threshold)
        return cls(skipped, np.unique(score, return_inverse=True)[1])

    def auc(self, weights: Floats) -> float:
        """The weighted area under the ROC curve (Mann & Whitney, 1947; ties count half); NaN without both kinds."""
        skips, others = (np.bincount(self.place, weights=weights * kind) for kind in (self.skipped, ~self.skipped))
        below = np.cumsum(others) - others / 2
        pairs = skips.sum() * others.sum()
        return float((skips * below).sum() / pairs) if pairs else float("nan")
