"""Which plays a model learns from, is stopped on and is tested on; and how good its probabilities are."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pozytywka_cli.dataset.split import time_cut
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import expected_calibration_error, log_loss, mean_interval, weighted_interval
from pozytywka_cli.records import Row
from pozytywka_cli.skip.history import Flags, Floats

TEST_TIME = 0.2  # of the log's time span
VALIDATION_TIME = 0.12  # of the rest's
MIN_PLAYS, MIN_USERS = 100, 2
LONGER = "Give it a longer log."
MORE = "Give it a log with plays of both kinds."


@dataclass(frozen=True)
class Split:
    """Three flags for each play: weights are fitted on the first, the best epoch is found on the second."""

    protocol: str
    fitting: Flags
    validation: Flags
    test: Flags

    @property
    def training(self) -> Flags:
        """All that anything may be fitted on."""
        return self.fitting | self.validation


def enough(plays: pl.DataFrame) -> pl.DataFrame:
    """The same plays.

    Raises:
        RefusedError: fewer than 100 plays or 2 users, or all plays went the same way.
    """
    users = plays["user_id"].n_unique()
    if len(plays) < MIN_PLAYS or users < MIN_USERS:
        problem = (
            f"only {len(plays)} plays by {users} users; skip needs at least {MIN_PLAYS} plays by {MIN_USERS} users"
        )
        raise RefusedError(problem, LONGER)
    if plays["skipped"].n_unique() < 2:
        kind = "every one" if plays["skipped"][0] else "none"
        raise RefusedError(f"of {len(plays)} plays {kind} was skipped: there is nothing to tell apart", MORE)
    return plays


def time_split(plays: pl.DataFrame) -> Split:
    """Test on the last fifth of the time; stop on the last 12 % of the time before it.

    Raises:
        RefusedError: too few plays, all at one moment, or only one kind of them before the last fifth.
    """
    started = enough(plays)["started_at"]
    test = (started > time_cut(plays, 1 - TEST_TIME)).to_numpy()
    rest = plays.filter(~test)
    if not test.any():
        problem = f"all {len(plays)} plays start at one moment; skip is measured on later plays than it learns from"
        raise RefusedError(problem, LONGER)
    if rest["skipped"].n_unique() < 2:
        problem = f"of the {len(rest)} plays before the log's last fifth {rest['skipped'].sum()} were skipped"
        raise RefusedError(f"{problem}: there is nothing to tell apart", MORE)
    validation = (started > time_cut(rest, 1 - VALIDATION_TIME)).to_numpy() & ~test
    return Split("time", ~test & ~validation, validation, test)


def everything(plays: pl.DataFrame) -> Split:
    """Fit on all plays, with nothing left to stop or to test on."""
    nothing = np.zeros(len(plays), np.bool_)
    return Split("none", ~nothing, nothing, nothing)


def figures(variant: str, protocol: str, plays: pl.DataFrame, probability: Floats) -> list[Row]:
    """Every metric of the probabilities (plays,) of a skip, with intervals over resampled users but for the ECE."""
    skipped, users = plays["skipped"].to_numpy(), plays["user_id"].to_numpy()
    right = (probability >= 0.5) == skipped
    found: dict[str, tuple[float, ...]] = {
        "log loss": mean_interval(log_loss(skipped, probability), users),
        "accuracy": mean_interval(right.astype(np.float64), users),
        "Brier": mean_interval((probability - skipped) ** 2, users),
        "ECE": (expected_calibration_error(skipped, probability),),
    }
    if 0 < skipped.sum() < len(skipped):
        ranked = Ranked.of(skipped, probability)
        found["AUC"] = weighted_interval(ranked.auc, users)
        found["balanced accuracy"] = weighted_interval(lambda weights: _balanced(right, skipped, weights), users)
    return [Row("skip", variant, protocol, metric, *value) for metric, value in found.items()]


def _balanced(right: Flags, skipped: Flags, weights: Floats) -> float:
    """The mean of the shares of skipped and of other plays that were told right; NaN if a resample lacks one kind."""
    if not (weights[skipped].any() and weights[~skipped].any()):
        return float("nan")
    return float(np.mean([np.average(right[kind], weights=weights[kind]) for kind in (skipped, ~skipped)]))


@dataclass(frozen=True)
class Ranked:
    """Rows with the place of their probability among all different ones, from the lowest."""

    skipped: Flags
    place: np.ndarray[tuple[int], np.dtype[np.int64]]

    @classmethod
    def of(cls, skipped: Flags, probability: Floats) -> "Ranked":
        """Rank once, so that a thousand resamples need not."""
        return cls(skipped, np.unique(probability, return_inverse=True)[1])

    def auc(self, weights: Floats) -> float:
        """The weighted area under the ROC curve (Mann & Whitney, 1947; ties count half); NaN without both kinds."""
        skips, others = (np.bincount(self.place, weights=weights * kind) for kind in (self.skipped, ~self.skipped))
        below = np.cumsum(others) - others / 2
        pairs = skips.sum() * others.sum()
        return float((skips * below).sum() / pairs) if pairs else float("nan")
