"""Honest figures: intervals and paired differences by bootstrap over groups, calibration. Knows no models."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.records import Gate, Row

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

RESAMPLES = 1000
MOST_GROUPS = 2000  # more are drawn in bundles that are as independent: memory is bounded


def group_weights(groups: Ints, *, resamples: int = RESAMPLES, seed: int = 0) -> tuple[Ints, Floats]:
    """How often each group is drawn in each bootstrap resample.

    Returns:
        each row's group number from 0 (rows,) and the counts (resamples, groups).
    """
    codes = _numbered(groups)
    return codes, _draws(codes.max(initial=-1) + 1, resamples, seed)


def _numbered(groups: Ints) -> Ints:
    """Each row's group as a number from 0, or that of the bundle it is in: (rows,)."""
    return np.unique(groups, return_inverse=True)[1].astype(np.int64) % MOST_GROUPS


@lru_cache(maxsize=4)  # a table of figures asks for the same draws again and again
def _draws(groups: int, resamples: int, seed: int) -> Floats:
    counts = np.random.default_rng(seed).multinomial(groups, np.full(groups, 1 / groups), size=resamples)
    draws = counts.astype(np.float64)
    draws.setflags(write=False)
    return draws


def mean_interval(
    values: Floats, groups: Ints, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float, float]:
    """The mean of `values` with a 95 % percentile interval over resampled groups."""
    codes, draws = group_weights(groups, resamples=resamples, seed=seed)
    sums = np.bincount(codes, weights=values)
    counts = np.bincount(codes)
    means = (draws @ sums) / (draws @ counts)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(values.mean()), float(low), float(high)


def weighted_interval(
    metric: Callable[[Floats], float], groups: Ints, *, resamples: int = 200, seed: int = 0
) -> tuple[float, float, float]:
    """A metric that takes a weight per row (an AUC, a root of a mean), with its 95 % interval over resampled groups."""
    codes, draws = group_weights(groups, resamples=resamples, seed=seed)
    found = np.array([metric(draw[codes]) for draw in draws])
    low, high = np.nanquantile(found, [0.025, 0.975])
    return metric(np.ones(len(codes))), float(low), float(high)


def paired_difference(
    loss: Floats, baseline: Floats, groups: Ints, *, root: bool = False, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[float, float, float]:
    """Mean loss minus the baseline's mean loss on the same rows, with a 95 % interval over resampled groups.

    With `root`, the losses are squared errors and the difference is of their root means (RMSE).
    """
    codes, draws = group_weights(groups, resamples=resamples, seed=seed)
    counts = draws @ np.bincount(codes)
    ours, theirs = (draws @ np.bincount(codes, weights=values) / counts for values in (loss, baseline))
    here, there = loss.mean(), baseline.mean()
    if root:
        ours, theirs, here, there = np.sqrt(ours), np.sqrt(theirs), np.sqrt(here), np.sqrt(there)
    low, high = np.quantile(ours - theirs, [0.025, 0.975])
    return float(here - there), float(low), float(high)


def gate(
    metric: str,
    baseline_variant: str,
    values: Floats,
    baseline: Floats,
    groups: Ints,
    *,
    margin: float,
    root: bool = False,
    score: bool = False,
) -> Gate:
    """Test that a model is not worse than a baseline by more than a margin, on the same rows.

    Args:
        metric: the name of the mean of the values.
        baseline_variant: the name of the baseline.
        values, baseline: the losses of both on each row, (rows,).
        groups: the independent units that are resampled, (rows,).
        margin: in the unit of the metric.
        root: the losses are squared errors, and the metric is the root of their mean.
        score: the values are scores in 0..1, of which more is better.
    """
    figures = [float(np.sqrt(each.mean()) if root else each.mean()) for each in (values, baseline)]
    loss, other = (1 - values, 1 - baseline) if score else (values, baseline)
    difference, low, high = paired_difference(loss, other, groups, root=root)
    return Gate(metric, *figures, baseline_variant, difference, low, high, margin)


def sign_flip(difference: Floats, groups: Ints, *, resamples: int = 4999, seed: int = 0) -> float:
    """The p-value of a mean paired `difference` (rows,): how often chance gives one as far from zero.

    Under the null hypothesis every group's sum may as well have the other sign (Fisher's randomisation test, with the
    observed signs as one of the draws: Phipson & Smyth, 2010).
    """
    sums = np.bincount(_numbered(groups), weights=difference)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (resamples, len(sums)))
    as_far = np.abs(signs @ sums) >= np.abs(sums.sum()) * (1 - 1e-12)
    return float((1 + as_far.sum()) / (1 + resamples))


def log_loss(outcome: NDArray[np.bool_], probability: Floats) -> Floats:
    """Each row's negative log likelihood in nats; probabilities are kept 1e-7 away from 0 and 1."""
    inside = np.clip(probability, 1e-7, 1 - 1e-7)
    return -np.log(np.where(outcome, inside, 1 - inside))


def expected_calibration_error(
    outcome: NDArray[np.bool_], probability: Floats, groups: Ints, *, bins: int = 15, seed: int = 0
) -> tuple[float, float, float]:
    """Mean distance between forecast and observed rate over equal-width bins, weighted by rows (Guo et al., 2017).

    With its 95 % percentile interval over resampled groups. Resampling adds noise, and noise adds distance: where that
    lifts the whole interval above the figure, the interval begins at the figure.
    """
    codes, draws = group_weights(groups, seed=seed)
    cells = codes * bins + np.minimum((probability * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(cells, weights=probability - outcome, minlength=draws.shape[1] * bins).reshape(-1, bins)
    errors = np.abs(draws @ gaps).sum(1) / (draws @ np.bincount(codes))
    low, high = np.quantile(errors, [0.025, 0.975])
    value = float(np.abs(gaps.sum(0)).sum() / len(outcome))
    return value, min(value, float(low)), max(value, float(high))


def reached(family: str, metric: str, figures: dict[str, float], baseline: str, best: float) -> list[Row]:
    """Rows of a loss beside the best that anything could reach, and how much of the way there from the baseline."""
    rows = [
        Row(family, variant, "ground truth", metric, value) for variant, value in {**figures, "truth": best}.items()
    ]
    way = figures[baseline] - best
    shares = {variant: (figures[baseline] - value) / way for variant, value in figures.items()}
    return rows + [
        Row(family, variant, "ground truth", f"{metric}_share_of_best", share) for variant, share in shares.items()
    ]
