"""Statistics of evaluations: bootstrap intervals, paired differences and tests over groups, calibration."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.records import VALIDATION, Gate, Row

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Interval = tuple[float, float, float]  # a value, and the bounds of its 95 % interval

RESAMPLES = 1000
MOST_GROUPS = 2000  # with more, several groups are drawn together, which bounds the memory


def group_weights(groups: Ints, *, resamples: int = RESAMPLES, seed: int = 0) -> tuple[Ints, Floats]:
    """Draw bootstrap resamples of groups.

    Returns:
        the group of each row as a number from 0, (rows,), and how often each group is drawn, (resamples, groups).
    """
    codes = _numbered(groups)
    return codes, _draws(codes.max(initial=-1) + 1, resamples, seed)


def _numbered(groups: Ints) -> Ints:
    """Return the group of each row as a number from 0 to `MOST_GROUPS` - 1, which several groups may share: (rows,)."""
    return np.unique(groups, return_inverse=True)[1].astype(np.int64) % MOST_GROUPS


@lru_cache(maxsize=4)  # all metrics of a table use the same draws
def _draws(groups: int, resamples: int, seed: int) -> Floats:
    counts = np.random.default_rng(seed).multinomial(groups, np.full(groups, 1 / groups), size=resamples)
    draws = counts.astype(np.float64)
    draws.setflags(write=False)
    return draws


def mean_interval(values: Floats, groups: Ints, *, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Return the mean of `values` and its percentile interval over resampled groups."""
    codes, draws = group_weights(groups, resamples=resamples, seed=seed)
    return _interval(values.mean(), (draws @ np.bincount(codes, weights=values)) / (draws @ np.bincount(codes)))


def _interval(value: float, drawn: Floats) -> Interval:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(value), float(low), float(high)


def weighted_interval(
    metric: Callable[[Floats], float], groups: Ints, *, resamples: int = 200, seed: int = 0
) -> Interval:
    """Return a metric and its percentile interval over resampled groups; `metric` takes a weight for each row."""
    codes, draws = group_weights(groups, resamples=resamples, seed=seed)
    low, high = np.nanquantile([metric(draw[codes]) for draw in draws], [0.025, 0.975])
    return metric(np.ones(len(codes))), float(low), float(high)


def paired_difference(
    loss: Floats, baseline: Floats, groups: Ints, *, root: bool = False, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """Return the mean loss minus the baseline's on the same rows, with its percentile interval over resampled groups.

    With `root`, the losses are squared errors, and the difference is that of the roots of their means (RMSE).
    """
    codes, draws = group_weights(groups, resamples=resamples, seed=seed)
    counts = draws @ np.bincount(codes)
    drawn, drawn_baseline = (draws @ np.bincount(codes, weights=values) / counts for values in (loss, baseline))
    mean, mean_baseline = loss.mean(), baseline.mean()
    if root:
        drawn, drawn_baseline, mean, mean_baseline = map(np.sqrt, (drawn, drawn_baseline, mean, mean_baseline))
    return _interval(mean - mean_baseline, drawn - drawn_baseline)


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
    """Test on the same rows that a model is not worse than a baseline by more than a margin in the metric's unit.

    `metric` is the name of the mean of `values`, the losses of each row, (rows,); with `root`, of the root of the mean
    of squared errors. With `score`, the values are scores in 0..1 of which higher ones are better. `groups`, (rows,),
    are the independent units that are resampled.
    """
    mean, mean_baseline = (float(np.sqrt(one.mean()) if root else one.mean()) for one in (values, baseline))
    loss, other = (1 - values, 1 - baseline) if score else (values, baseline)
    difference, low, high = paired_difference(loss, other, groups, root=root)
    return Gate(metric, mean, mean_baseline, baseline_variant, difference, low, high, margin)


class Champion(NamedTuple):
    """The variant that serves of a default and its rivals.

    rows: the metric of each of them on the validation part
    notes: why it is a rival, if it is one
    """

    variant: str
    rows: list[Row]
    notes: list[str]


def champion(
    family: str,
    metric: str,
    values: Mapping[str, Floats],
    default: str,
    groups: Ints,
    *,
    root: bool = False,
    score: bool = False,
) -> Champion:
    """Choose the variant that serves by its values on the validation part, (rows,) for each variant.

    That is the default, unless a rival is shown to be better: the whole 95 % interval of the difference, over resampled
    groups, is below 0. Of several such rivals it is the one with the largest difference. For `metric`, `groups`, `root`
    and `score` see `gate`.
    """
    losses = {variant: 1 - value if score else value for variant, value in values.items()}
    differences = {one: paired_difference(losses[one], losses[default], groups, root=root) for one in losses}
    better = {one: difference for one, (difference, _, high) in differences.items() if high < 0}
    best = min(better, key=better.__getitem__, default=default)
    means = {one: float(np.sqrt(value.mean()) if root else value.mean()) for one, value in values.items()}
    rows = [Row(family, one, VALIDATION, metric, mean) for one, mean in means.items()]
    difference, low, high = (f"{abs(number):.4g}" for number in differences[best])
    note = f"{best} serves in place of {default}: on the validation part its {metric} is better by {difference} "
    return Champion(best, rows, [f"{note}(95 % interval {high} to {low})"] if better else [])


def sign_flip(difference: Floats, groups: Ints, *, resamples: int = 4999, seed: int = 0) -> float:
    """Return the two-sided p-value of the mean of a paired `difference` (rows,) by a sign-flip test over groups.

    Under the null hypothesis the sum of every group has either sign with the same probability (Fisher's randomisation
    test, with the observed signs as one of the draws: Phipson & Smyth, 2010).
    """
    sums = np.bincount(_numbered(groups), weights=difference)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (resamples, len(sums)))
    as_far = np.abs(signs @ sums) >= np.abs(sums.sum()) * (1 - 1e-12)
    return float((1 + as_far.sum()) / (1 + resamples))


def differences(
    family: str, protocol: str, metric: str, values: Mapping[str, Floats], default: str, groups: Ints
) -> list[Row]:
    """Return, for every variant but the default, the mean of its values minus the default's on the same rows.

    With 95 % intervals and sign-flip p-values over the groups; `values` are (rows,) by variant.
    """
    base, name = values[default], f"{metric}_difference"
    return [
        Row(family, variant, protocol, name, *paired_difference(one, base, groups), sign_flip(one - base, groups))
        for variant, one in values.items()
        if variant != default
    ]


def log_loss(outcome: Flags, probability: Floats) -> Floats:
    """Return the negative log likelihood of each row in nats; probabilities are clipped to 1e-7 … 1 - 1e-7."""
    clipped = np.clip(probability, 1e-7, 1 - 1e-7)
    return -np.log(np.where(outcome, clipped, 1 - clipped))


def expected_calibration_error(
    outcome: Flags, probability: Floats, groups: Ints, *, bins: int = 15, seed: int = 0
) -> Interval:
    """Return the expected calibration error (Guo et al., 2017) and its percentile interval over resampled groups.

    It is the mean distance between forecast and observed rate over equal-width bins, weighted by rows. The noise of
    resampling adds to it; where the whole interval lies above the value for that reason, it starts at the value.
    """
    codes, draws = group_weights(groups, seed=seed)
    cells = codes * bins + np.minimum((probability * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(cells, weights=probability - outcome, minlength=draws.shape[1] * bins).reshape(-1, bins)
    errors = np.abs(draws @ gaps).sum(1) / (draws @ np.bincount(codes))
    value, low, high = _interval(np.abs(gaps.sum(0)).sum() / len(outcome), errors)
    return value, min(value, low), max(value, high)


def reached(family: str, metric: str, losses: dict[str, float], baseline: str, best: float) -> list[Row]:
    """Return rows of a loss by variant beside the best possible one, and each variant's share of the possible gain.

    The possible gain is the baseline's loss minus the best possible loss.
    """
    shares = {variant: (losses[baseline] - value) / (losses[baseline] - best) for variant, value in losses.items()}
    rows = [(metric, losses | {"truth": best}), (f"{metric}_share_of_best", shares)]
    return [Row(family, one, "ground truth", name, value) for name, values in rows for one, value in values.items()]
