"""Rates and moving averages of past outcomes."""

import numpy as np

from pozytywka_cli.evaluation import Flags, Floats, Ints

HALF_LIFE, RECENT = 15.0, 8  # plays
NEVER = np.iinfo(np.int64).max  # a moment, in µs since 1970


def rate(events: Ints | Floats, of: Ints | Floats, weight: float, prior: float | Floats) -> Floats:
    """Return (events + weight · prior) ÷ (of + weight): the mean of a Beta posterior, which starts at its prior."""
    # so that without events it is the prior to the last bit
    return np.asarray(prior + (events - of * prior) / (of + weight))


def average(mean: Floats, count: Ints, pending: Flags, start: float) -> Floats:
    """Return weighted means of so many outcomes that begin at `start`; a `pending` play was not skipped: (rows,)."""
    decay = 0.5 ** (1 / HALF_LIFE)
    share = decay**count
    begun = share * start + (1 - share) * mean
    return np.asarray(np.where(pending, decay * begun, begun))
