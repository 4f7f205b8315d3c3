"""Differences between two arms with their standard errors, tests, intervals and confidence sequences.

Everything is computed from moments over units, and for many experiments at once.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc, ndtr, stdtr, stdtrit

from pozytywka_cli.experiments.moments import EARLIER_VALUE, EARLIER_WEIGHT, VALUE, WEIGHT, Floats, Moments


class Difference(NamedTuple):
    """Treatment minus control, (...): both values, the difference, its standard error, and degrees of freedom."""

    control: Floats
    treatment: Floats
    value: Floats
    error: Floats
    freedom: Floats

    def p_value(self) -> Floats:
        """Return the p-value of Welch's test that there is no difference, two-sided: (...)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            p_value: Floats = 2 * stdtr(self.freedom, -np.abs(self.value) / self.error)
        return p_value

    def interval(self, alpha: float) -> tuple[Floats, Floats]:
        """Return the bounds of the interval at 1 - alpha, for one look that was planned: (...) each."""
        reach = stdtrit(self.freedom, 1 - alpha / 2) * self.error
        return self.value - reach, self.value + reach

    def sequence(self, units: Floats, planned: float, alpha: float) -> tuple[Floats, Floats]:
        """Return the bounds of the confidence sequence at 1 - alpha, which may be looked at as often as one likes.

        For few units it is wider than the theorem's, as Student's t is wider than the normal distribution.
        """
        reach = stdtrit(self.freedom, ndtr(sequence_multiplier(units / planned, alpha))) * self.error
        return self.value - reach, self.value + reach


def difference(control: Moments, treatment: Moments, *, adjusted: bool = False) -> Difference:
    """Return the difference of the arms' ratios of mean value to mean weight.

    The error is by the delta method (Deng, Knoblich & Lu, 2018), which for weights of 1 is that of a mean; degrees of
    freedom are Welch's. With `adjusted`, CUPED (Deng, Xu, Kohavi & Walker, 2013): what the same ratio in the time
    before predicts is taken off, with the slope of both arms together.
    """
    slope, centre = _slope(control + treatment) if adjusted else (np.zeros(control.count.shape), np.zeros(()))
    with np.errstate(divide="ignore", invalid="ignore"):
        before, variance = _arm(control, slope, centre)
        after, other_variance = _arm(treatment, slope, centre)
        squared = variance + other_variance
        parts = variance**2 / (effective_units(control) - 1) + other_variance**2 / (effective_units(treatment) - 1)
        return Difference(before, after, after - before, np.sqrt(squared), squared**2 / parts)


def _arm(arm: Moments, slope: Floats, centre: Floats) -> tuple[Floats, Floats]:
    """Return the value of an arm, and its squared standard error."""
    earlier, by_earlier = _ratio(arm, EARLIER_VALUE, EARLIER_WEIGHT)
    value, gradient = _ratio(arm, VALUE, WEIGHT)
    is_flat = slope == 0  # then what was before need not even be defined
    value = np.where(is_flat, value, value - slope * (earlier - centre))
    gradient = np.where(is_flat[..., None], gradient, gradient - slope[..., None] * by_earlier)
    variance = _form(gradient, arm.covariance, gradient) / arm.count
    return value, variance * few_units(arm.count, effective_units(arm))


def few_units(count: Floats, effective: Floats) -> Floats:
    """Return by how much a variance with divisor count - 1 is too small where units count as fewer; else 1."""
    return effective / (effective - 1) * (count - 1) / count


def effective_units(arm: Moments) -> Floats:
    """Return as how many units of equal weight those of an arm count, (Σ w)² / Σ w²: Kish (1965)."""
    mean, variance = arm.mean[..., WEIGHT], arm.covariance[..., WEIGHT, WEIGHT]
    return arm.count / (1 + variance / mean**2 * (1 - 1 / arm.count))


def _slope(both: Moments) -> tuple[Floats, Floats]:
    """Return the slope of the ratio over the earlier one, and the earlier one's value; the slope is 0 without any."""
    with np.errstate(divide="ignore", invalid="ignore"):
        earlier, by_earlier = _ratio(both, EARLIER_VALUE, EARLIER_WEIGHT)
        _, gradient = _ratio(both, VALUE, WEIGHT)
        slope = _form(gradient, both.covariance, by_earlier) / _form(by_earlier, both.covariance, by_earlier)
    return np.where(np.isfinite(slope), slope, 0.0), earlier


def _ratio(moments: Moments, value: int, weight: int) -> tuple[Floats, Floats]:
    """Return the ratio of two columns' means, (...), and its gradient by the four means, (..., 4)."""
    top, bottom = moments.mean[..., value], moments.mean[..., weight]
    gradient = np.zeros(moments.mean.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        gradient[..., value], gradient[..., weight] = 1 / bottom, -top / bottom**2
        return top / bottom, gradient


def _form(left: Floats, matrix: Floats, right: Floats) -> Floats:
    result: Floats = np.einsum("...i,...ij,...j->...", left, matrix, right)
    return result


def sequence_multiplier(progress: Floats, alpha: float) -> Floats:
    """Return how many standard errors an asymptotic confidence sequence at 1 - alpha reaches to each side.

    Theorem 2.2 of Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, "Time-uniform central limit theory and asymptotic
    confidence sequences", Annals of Statistics 52 (2024), arXiv 2103.06476: √(2 (tρ² + 1) / (tρ²) · log(√(tρ² + 1) /
    α)), with ρ² = (-2 log α + log(-2 log α) + 1) / t*, which makes it narrowest near t*.

    Args:
        progress: units so far over the planned ones, t / t*, above 0: (...).
        alpha: the chance that the sequence ever misses the truth.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        intrinsic = progress * (-2 * math.log(alpha) + math.log(-2 * math.log(alpha)) + 1)
        grown = intrinsic + 1
        multiplier: Floats = np.sqrt(2 * grown / intrinsic * (np.log(grown) / 2 - math.log(alpha)))
    return multiplier


def sample_ratio(counts: Floats, expected: Floats) -> float:
    """Return the p-value of the chi-square test that units, (arms,), are divided as expected, (arms,), in any scale."""
    total = counts.sum()
    if total == 0 or len(counts) < 2:
        return 1.0
    expected = expected / expected.sum() * total
    return float(chdtrc(len(counts) - 1, ((counts - expected) ** 2 / expected).sum()))


def adjusted_p_values(p_values: Floats) -> Floats:
    """Return p-values, (tests,), after Benjamini & Hochberg (1995): reject those below q, and at most q are false.

    NaN is no test, and stays.
    """
    result = np.full(len(p_values), np.nan)
    tests = np.flatnonzero(~np.isnan(p_values))
    order = tests[np.argsort(-p_values[tests])]  # the largest first
    ranks = np.arange(len(order), 0, -1)
    result[order] = np.minimum(1.0, np.minimum.accumulate(p_values[order] * len(order) / ranks))
    return result
