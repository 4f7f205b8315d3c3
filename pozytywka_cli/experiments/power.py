"""How many units an experiment needs, and which effects it finds."""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import nctdtr, ndtri, stdtrit

from pozytywka_cli.errors import UsageError
from pozytywka_cli.experiments.estimation import difference
from pozytywka_cli.experiments.moments import Moments

MOST_UNITS = 10**12


class Spread(NamedTuple):
    """A metric as it is without an experiment: its value, and the standard deviation of one unit around it."""

    value: float
    deviation: float


def spread(moments: Moments, *, adjusted: bool = False) -> Spread:
    """Return the spread of a metric over units; with `adjusted`, of what CUPED leaves of it."""
    both = difference(moments, moments, adjusted=adjusted)  # of two arms like these units
    return Spread(float(both.control), float(both.error * np.sqrt(moments.count / 2)))


def power(effect: float, deviation: float, units: float, alpha: float, share: float = 0.5) -> float:
    """Return the chance that a two-sided test finds an effect.

    Args:
        effect: treatment minus control.
        deviation: the standard deviation of a unit.
        units: of both arms together, at least 4.
        alpha: the level of the test.
        share: the treatment's share of the units.
    """
    error = deviation * math.sqrt(1 / units / share + 1 / units / (1 - share))
    if error == 0:
        return 1.0 if effect else alpha
    freedom, noncentrality = units - 2, abs(effect) / error
    if noncentrality > 35:  # certain, and beyond what SciPy computes
        return 1.0
    limit = stdtrit(freedom, 1 - alpha / 2)
    far_tail = nctdtr(freedom, noncentrality, -limit)  # NaN where it is too small to be computed
    return float(1 - nctdtr(freedom, noncentrality, limit) + np.nan_to_num(far_tail))


def detectable(deviation: float, units: float, alpha: float, wanted: float, share: float = 0.5) -> float:
    """Return the smallest effect that is found with the wanted power."""
    error = deviation * math.sqrt(1 / units / share + 1 / units / (1 - share))
    low, high = 0.0, error * 35
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle, deviation, units, alpha, share) >= wanted else (middle, high)
    return high


def needed_units(effect: float, deviation: float, alpha: float, wanted: float, share: float = 0.5) -> int:
    """Return how many units of both arms together find an effect with the wanted power.

    Raises:
        UsageError: the effect is 0, or so small that no service has as many.
    """
    if effect == 0:
        raise UsageError("an effect of 0 cannot be found", "Choose the smallest effect that would matter.")
    z = float(ndtri(1 - alpha / 2) + ndtri(wanted))
    low, high = 4, max(4, math.ceil(2 * (z * deviation / effect) ** 2 * (1 / share + 1 / (1 - share)))) + 20
    if high > MOST_UNITS:
        raise UsageError(f"an effect of {effect:g} needs more than {MOST_UNITS:,} units", "Choose a larger one.")
    while low < high:
        middle = (low + high) // 2
        enough = power(effect, deviation, middle, alpha, share) >= wanted
        low, high = (low, middle) if enough else (middle + 1, high)
    return low
