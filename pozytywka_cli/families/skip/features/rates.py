"""Rates and moving averages of past outcomes."""

from typing import Any, cast

import numpy as np

from pozytywka_cli.evaluation import Flags, Floats, Ints

# of rows, or of a single one: python is faster with numbers than numpy with arrays of one
Whole = Ints | int
Real = Floats | float
Flag = Flags | bool

HALF_LIFE, RECENT = 15.0, 8  # plays
NEVER = np.iinfo(np.int64).max  # a moment, in µs since 1970


def rate(events: Whole | Real, of: Whole | Real, weight: float, prior: Real) -> Floats:
    """Return (events + weight · prior) ÷ (of + weight): the mean of a Beta posterior, which starts at its prior."""
    posterior: Any = prior + (events - of * prior) / (of + weight)
    return cast(Floats, posterior)  # written so that without events it is the prior to the last bit


def average(mean: Real, count: Whole, pending: Flag, start: float) -> Floats:
    """Return weighted means of so many outcomes that begin at `start`; a `pending` play was not skipped: (rows,)."""
    decay = 0.5 ** (1 / HALF_LIFE)
    share = np.power(decay, count)  # not decay**count, which of a single number may have other last bits
    begun = share * start + (1 - share) * mean
    return cast(Floats, np.where(pending, decay * begun, begun))
