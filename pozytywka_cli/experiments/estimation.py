"""Differences between two arms with their standard errors, tests, intervals and confidence sequences.

Everything is computed from moments over units, and for many experiments at once.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc, ndtr, stdtr, stdtrit

from pozytywka_cli.experiments.moments import EARLIER_VALUE, EARLIER_WEIGHT, VALUE, WEIGHT, Floats, Moments

SHARED = 1.25  # variances of units grow as weight^1.25, see `effective_units`


class Difference(NamedTuple):
    """Treatment minus control, (...): both values, the difference, its standard error, and degrees of freedom.

    log_error, log_freedom: of the logarithm of treatment over control
    """

    control: Floats
    treatment: Floats
    value: Floats
    error: Floats
    freedom: Floats
    log_error: Floats
    log_freedom: Floats

    def p_value(self) -> Floats:
        """Return the p-value of Welch's test that there is no difference, two-sided: (...)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            p_value: Floats = 2 * stdtr(self.freedom, -np.abs(self.value) / self.error)
        return p_value

    def interval(self, alpha: float) -> tuple[Floats, Floats]:
        """Return the bounds of the interval at 1 - alpha, for one look that was planned: (...) each."""
        reach = stdtrit(self.freedom, 1 - alpha / 2) * self.error
        return self.value - reach, self.value + reach

    def relative_interval(self, alpha: float) -> tuple[Floats, Floats]:
        """Return the bounds of the interval of the difference over the control's value: (...) each.

        By the delta method on the logarithm of the ratio, so that no bound is below -1; NaN unless both values are
        above 0.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where((self.control > 0) & (self.treatment > 0), self.treatment / self.control, np.nan)
            factor = np.exp(stdtrit(self.log_freedom, 1 - alpha / 2) * self.log_error)
        return ratio / factor - 1, ratio * factor - 1

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
    before predicts is taken off, with the slope of both arms together. Without an effect that slope does not depend on
    who is in which arm, so that it takes no degrees of freedom.
    """
    slope, centre = _slope(control + treatment) if adjusted else (np.zeros(control.count.shape), np.zeros(()))
    with np.errstate(divide="ignore", invalid="ignore"):
        before, variance = _arm(control, slope, centre)
        after, other_variance = _arm(treatment, slope, centre)
        units = effective_units(control), effective_units(treatment)
        errors = _welch((variance, other_variance), units)
        log_errors = _welch((variance / before**2, other_variance / after**2), units)
        return Difference(before, after, after - before, *errors, *log_errors)


def _welch(variances: tuple[Floats, Floats], units: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Return the standard error of a difference of two arms, and its degrees of freedom (Welch, 1947)."""
    squared = variances[0] + variances[1]
    parts = variances[0] ** 2 / (units[0] - 1) + variances[1] ** 2 / (units[1] - 1)
    return np.sqrt(squared), squared**2 / parts


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
    """Return as how many units of equal weight those of an arm count: (Σ v)² / Σ v² for variances v of their sums.

    Those grow as w where plays are independent, and as w² where those of a unit share all; w^1.25 is what
    `evaluation.jackknife` takes, too. Of log-normal weights w there are n / q^(1.25²), with q = n Σ w² / (Σ w)². These
    are 1 + (n / q - 1) / q^(1.25² - 1), nearly the same, but always more than 1. With v = w there would be n / q (Kish,
    1965), and too many differences would be found among a few dozen units.
    """
    mean, variance = arm.mean[..., WEIGHT], arm.covariance[..., WEIGHT, WEIGHT]
    spread = 1 + variance / mean**2 * (1 - 1 / arm.count)
    return 1 + (arm.count / spread - 1) / spread ** (SHARED**2 - 1)


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
