"""Statistics of evaluations: intervals, paired differences and tests over groups of rows that belong together."""

import math
from collections.abc import Callable, Mapping
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.records import LEAST_P_VALUE, SIGNIFICANT, VALIDATION, Gate, Row

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Limits = tuple[float, float]

ANYTHING: Limits = (-math.inf, math.inf)  # between which a metric can lie
LOSS: Limits = (0.0, math.inf)
SHARE: Limits = (0.0, 1.0)
MOST_ENUMERATED = 12  # groups, 2,048 combinations of signs; a test over more draws them
MOST_GROUPS = 2000  # with more, several groups get one sign together, which bounds the memory of a test


class Interval(NamedTuple):
    """A value and the bounds of its 95 % interval, which may be unknown: one group tells nothing of others."""

    value: float
    low: float | None = None
    high: float | None = None

    def below(self, limit: float) -> bool:
        """Return whether the whole interval is known to lie below a limit."""
        return self.high is not None and self.high < limit


def numbered(groups: Ints) -> Ints:
    """Return the group of each row as a number from 0: (rows,)."""
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def jackknife(value: float, without: Floats, rows: Floats, limits: Limits = ANYTHING) -> Interval:
    """Return a value with its 95 % interval, from the values without each group, (groups,), of so many rows, (groups,).

    The standard error is that of the delete-one jackknife, with deviations from the value itself: CV3 of MacKinnon,
    Nielsen & Webb (2023). The reference is Student's t with the effective number of groups minus 1 degrees of freedom:
    groups - 1 where all are of one size (Cameron, Gelbach & Miller, 2008), fewer where some hold most of the rows. It
    is (Σ v)² / Σ v² for variances v of the groups' sums (Satterthwaite, 1946). Those grow as rows where rows are
    independent, as rows² where they share all; rows^1.25 is what covers in `python -m benchmarks intervals`.

    The interval is cut to the limits. It is unknown for one group, and where a value without a group is not defined.
    """
    from scipy.special import stdtrit  # a service uses nothing of this module but its types

    groups = len(rows)
    if groups < 2 or not np.isfinite(without).all():
        return Interval(float(value))
    error = np.sqrt((groups - 1) / groups * ((value - without) ** 2).sum())
    variance = rows**1.25
    freedom = max(1.0, variance.sum() ** 2 / (variance**2).sum() - 1)
    reach, (least, most) = stdtrit(freedom, 0.975) * error, limits
    return Interval(float(value), float(max(value - reach, least)), float(min(value + reach, most)))


def interval(
    statistic: Callable[[Floats], Floats], columns: list[Floats], groups: Ints, limits: Limits = ANYTHING
) -> Interval:
    """Return a statistic of sums of columns, each (rows,), with its interval over groups.

    `statistic` takes the sums of the columns, and last the number of rows: (..., columns + 1) to (...).
    """
    codes = numbered(groups)
    sums = np.column_stack([*(np.bincount(codes, weights=column) for column in columns), np.bincount(codes)])
    total = sums.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):  # a group may hold all rows that count
        return jackknife(float(statistic(total)), statistic(total - sums), sums[:, -1], limits)


def mean_interval(values: Floats, groups: Ints, *, root: bool = False, limits: Limits = ANYTHING) -> Interval:
    """Return the mean of `values` (rows,), with `root` the root of it, with its interval over groups."""
    return interval(lambda sums: _means(sums, root=root)[..., 0], [values], groups, limits)


def paired_difference(loss: Floats, baseline: Floats, groups: Ints, *, root: bool = False) -> Interval:
    """Return the mean loss minus the baseline's on the same rows, with its interval over groups.

    With `root`, the losses are squared errors, and the difference is that of the roots of their means (RMSE).
    """

    def difference(sums: Floats) -> Floats:
        means = _means(sums, root=root)
        return means[..., 0] - means[..., 1]

    return interval(difference, [loss, baseline], groups)


def _means(sums: Floats, *, root: bool) -> Floats:
    """Return means, or their roots, of sums of columns and of rows: (..., columns + 1) to (..., columns)."""
    means = sums[..., :-1] / sums[..., -1:]
    # sums of squares minus those of a group may be a rounding error below 0
    return np.sqrt(np.maximum(means, 0)) if root else means


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
    are the independent units. With one group nothing can be shown, so the model passes.
    """
    mean, mean_baseline = (float(np.sqrt(one.mean()) if root else one.mean()) for one in (values, baseline))
    loss, other = (1 - values, 1 - baseline) if score else (values, baseline)
    difference = paired_difference(loss, other, groups, root=root)
    return Gate(metric, mean, mean_baseline, baseline_variant, *difference, margin)


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

    That is the default, unless a rival is shown to be better: the whole 95 % interval of the difference, over groups,
    is below 0. Of several such rivals it is the one with the largest difference. For `metric`, `groups`, `root` and
    `score` see `gate`.
    """
    losses = {variant: 1 - value if score else value for variant, value in values.items()}
    differences = {one: paired_difference(losses[one], losses[default], groups, root=root) for one in losses}
    better = {one: found.value for one, found in differences.items() if found.below(0)}
    best = min(better, key=better.__getitem__, default=default)
    means = {one: float(np.sqrt(value.mean()) if root else value.mean()) for one, value in values.items()}
    rows = [Row(family, one, VALIDATION, metric, mean) for one, mean in means.items()]
    if not better:
        return Champion(default, rows, [])
    gain, high, low = (f"{abs(number):.4g}" for number in differences[best] if number is not None)
    note = f"{best} serves in place of {default}: on the validation part its {metric} is better by {gain} "
    return Champion(best, rows, [f"{note}(95 % interval {low} to {high})"])


def sign_flip(difference: Floats, groups: Ints, *, resamples: int = 4999, seed: int = 0) -> float:
    """Return the two-sided p-value of the mean of a paired `difference` (rows,) by a sign-flip test over groups.

    Under the null hypothesis the sum of every group has either sign with the same probability (Fisher's randomisation
    test). Of at most `MOST_ENUMERATED` groups all combinations of signs are counted, and no p-value is below
    2^(1 - groups); of more, `resamples` are drawn, and the observed one with them (Phipson & Smyth, 2010).
    """
    sums = np.bincount(numbered(groups) % MOST_GROUPS, weights=difference).astype(np.float64)
    if len(sums) <= MOST_ENUMERATED:
        signs = np.array(list(product([1.0, -1.0], repeat=len(sums) - 1)))  # the other half mirrors these
        return float(_as_far(sums[0] + signs @ sums[1:], sums).mean())
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (resamples, len(sums)))
    return float((1 + _as_far(signs @ sums, sums).sum()) / (1 + resamples))


def _as_far(flipped: Floats, sums: Floats) -> Flags:
    """Return which totals are as far from zero as that of `sums`, where rounding does not decide."""
    return np.asarray(np.abs(flipped) >= np.abs(sums.sum()) - 1e-12 * np.abs(sums).sum())


def tested(difference: Row, groups: Ints) -> list[Row]:
    """Return the row of a difference that was tested by a sign flip, and the least p-value where none is significant.

    All of the groups have one sign in 2 of 2^groups combinations, so that with 5 groups or fewer no difference can be
    told from chance. Then a row of its own holds 2^(1 - groups).
    """
    least = 2.0 ** (1 - len(np.unique(groups)))
    if least < SIGNIFICANT:
        return [difference]
    floor = Row(difference.family, difference.variant, difference.protocol, difference.metric + LEAST_P_VALUE, least)
    return [difference, floor]


def differences(
    family: str, protocol: str, metric: str, values: Mapping[str, Floats], default: str, groups: Ints
) -> list[Row]:
    """Return, for every variant but the default, the mean of its values minus the default's on the same rows.

    With 95 % intervals and sign-flip p-values over the groups, as `tested` rows; `values` are (rows,) by variant.
    """
    base, name = values[default], f"{metric}_difference"
    rows = [
        Row(family, variant, protocol, name, *paired_difference(one, base, groups), sign_flip(one - base, groups))
        for variant, one in values.items()
        if variant != default
    ]
    return [row for difference in rows for row in tested(difference, groups)]


def log_loss(outcome: Flags, probability: Floats) -> Floats:
    """Return the negative log likelihood of each row in nats; probabilities are clipped to 1e-7 … 1 - 1e-7."""
    clipped = np.clip(probability, 1e-7, 1 - 1e-7)
    return -np.log(np.where(outcome, clipped, 1 - clipped))


def reached(family: str, metric: str, losses: dict[str, float], baseline: str, best: float) -> list[Row]:
    """Return rows of a loss by variant beside the best possible one, and each variant's share of the possible gain.

    The possible gain is the baseline's loss minus the best possible loss.
    """
    shares = {variant: (losses[baseline] - value) / (losses[baseline] - best) for variant, value in losses.items()}
    rows = [(metric, losses | {"truth": best}), (f"{metric}_share_of_best", shares)]
    return [Row(family, one, "ground truth", name, value) for name, values in rows for one, value in values.items()]
