"""How many units an experiment needs, and which effects it finds."""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import nctdtr, stdtrit

from pozytywka_cli.errors import UsageError
from pozytywka_cli.experiments.estimation import difference, effective_units, few_units
from pozytywka_cli.experiments.moments import Moments

MOST_UNITS = 10**12


class Spread(NamedTuple):
    """A metric as it is without an experiment.

    value: of all units
    deviation: the standard deviation of one unit around it
    weight: as how many units of equal weight one counts, at most 1
    is_adjusted: whether it is what CUPED leaves
    """

    value: float
    deviation: float
    weight: float = 1.0
    is_adjusted: bool = False


def spread(moments: Moments, *, adjusted: bool = False) -> Spread:
    """Return the spread of a metric over units; with `adjusted`, of what CUPED leaves of it."""
    both = difference(moments, moments, adjusted=adjusted)  # of two arms like these units
    effective = effective_units(moments)
    variance = both.error**2 / 2 * moments.count / few_units(moments.count, effective)
    return Spread(float(both.control), float(np.sqrt(variance)), float(effective / moments.count), adjusted)


def power(effect: float, spread: Spread, units: float, alpha: float) -> float:
    """Return the chance that a two-sided test finds an effect, by the noncentral t distribution.

    Args:
        effect: treatment minus control.
        spread: of the metric.
        units: of two arms of equal weight together, at least 4.
        alpha: the level of the test.
    """
    error, freedom = _error(spread, units)
    if error == 0:
        return 1.0 if effect else alpha
    noncentrality = abs(effect) / error
    if noncentrality > 35:  # certain, and beyond what SciPy computes
        return 1.0
    limit = stdtrit(freedom, 1 - alpha / 2)
    far_tail = nctdtr(freedom, noncentrality, -limit)  # NaN where it is too small to be computed
    return float(1 - nctdtr(freedom, noncentrality, limit) + np.nan_to_num(far_tail))


def _error(spread: Spread, units: float) -> tuple[float, float]:
    """Return the standard error of a difference between two halves of the units, and its degrees of freedom."""
    arm = units / 2
    effective = max(spread.weight * arm, 1.5)  # fewer have no spread at all
    variance = spread.deviation**2 / arm * float(few_units(np.array(arm), np.array(effective)))
    variance *= 1 + 1 / units  # the mean of ½ (1/n + 1/m) ÷ (2/units), as the sizes n and m of the arms are drawn
    # the slope of CUPED is that of both arms, and takes off a part of the effect where the arms' pasts differ
    found = 1 - 1 / (units - 1) if spread.is_adjusted else 1.0
    return math.sqrt(2 * variance) / found, 2 * (effective - 1)


def detectable(spread: Spread, units: float, alpha: float, wanted: float) -> float:
    """Return the smallest effect that is found with the wanted power."""
    low, high = 0.0, _error(spread, units)[0] * 35
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle, spread, units, alpha) >= wanted else (middle, high)
    return high


def needed_units(effect: float, spread: Spread, alpha: float, wanted: float) -> int:
    """Return how many units of both arms together find an effect with the wanted power.

    Raises:
        UsageError: the effect is 0, or so small that no service has as many.
    """
    if effect == 0:
        raise UsageError("an effect of 0 cannot be found", "Choose the smallest effect that would matter.")
    low, high = 4, 8
    while power(effect, spread, high, alpha) < wanted:
        low, high = high, 2 * high
        if high > MOST_UNITS:
            raise UsageError(f"an effect of {effect:g} needs more than {MOST_UNITS:,} units", "Choose a larger one.")
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if power(effect, spread, middle, alpha) >= wanted else (middle + 1, high)
    return low
