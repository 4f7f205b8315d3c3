"""How much each artist is listened to, in the last 4 weeks and before, and how much that varies."""

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.families.weekly.series import Floats, Series

RECENT_WEEKS = 4  # compared with the earlier ones
PRIOR = 13  # degrees of freedom with which an artist's own dispersion (±√(2/13), or 40 %) counts for half
PRIOR_OF_RUNS = 6  # the same against what is common to all artists: 24 runs of 4 weeks, in two years, say more


def recent(history: Series) -> Floats:
    """Return the mean of the last 4 weeks, in seconds: (artists,)."""
    return np.asarray(history.listened[:, -RECENT_WEEKS:].mean(axis=1))


def usual(history: Series) -> Floats:
    """Return the mean of the weeks between an artist's first week and the last 4, in seconds; NaN without any.

    The first week itself is left out, as it is first because something was played in it: with it, every rarely played
    artist would seem to fall.
    """
    earlier = earlier_weeks(history)
    sums, weeks = (history.listened[:, : earlier.shape[1]] * earlier).sum(axis=1), earlier.sum(axis=1)
    return np.asarray(np.divide(sums, weeks, out=np.full(len(sums), np.nan), where=weeks > 0))


def earlier_weeks(history: Series) -> NDArray[np.bool_]:
    """Return which of the weeks before the last 4 come after the artist's first one: (artists, weeks − 4)."""
    played = np.logical_or.accumulate(history.listened > 0, axis=1)
    return np.hstack([np.zeros_like(played[:, :1]), played])[:, : max(len(history.weeks) - RECENT_WEEKS, 0)]


def effective_listens(listened: Floats, squares: Floats) -> Floats:
    """Return the effective number of listens (Kish, 1965), (Σ listen)² / Σ listen²: never above the real number.

    It has the same relative variance as the sum of as many listens of one length.
    """
    return ratio(listened**2, squares)


def dispersion(history: Series, common: Floats | float = 0.0) -> Floats:
    """Return how much more the earlier weeks vary than single listens would, at least 1: (artists,).

    Pearson's statistic over its degrees of freedom (McCullagh & Nelder, 1989), of single weeks, which sittings of
    several listens affect, or of runs of 4 weeks, which a varying rate affects: the larger one. Both are shrunk to that
    of all artists' single weeks: sittings are alike for all, but how a rate varies is the artist's own. Where artists'
    rates commonly vary, `common` (artists,) is added to that of runs: wholly without complete runs, and less the more
    an artist has, which show how its own rate varies.
    """
    weeks, runs = _pearson(history, 1), _pearson(history, RECENT_WEEKS)
    pooled = max(weeks[0].sum() / max(weeks[1].sum(), 1), 1)
    of_weeks, of_runs = ((statistic + PRIOR * pooled) / (degrees + PRIOR) for statistic, degrees in (weeks, runs))
    unknown = PRIOR_OF_RUNS / (runs[1] + PRIOR_OF_RUNS)
    return np.asarray(np.maximum(1, np.maximum(of_weeks, of_runs + common * unknown)))


def _pearson(history: Series, weeks: int) -> tuple[Floats, Floats]:
    """Return Pearson's statistic of runs of earlier weeks and its degrees of freedom: (artists,) each."""
    earlier = earlier_weeks(history)
    shape = (len(earlier), earlier.shape[1] // weeks, weeks)
    used = slice(earlier.shape[1] % weeks, earlier.shape[1])
    complete = earlier[:, used].reshape(shape).all(axis=2)
    parts = (history.listened, history.squares)
    listened, squares = (part[:, used].reshape(shape).sum(axis=2) * complete for part in parts)
    runs = complete.sum(axis=1)
    mean, variance = (ratio(part.sum(axis=1), runs) for part in (listened, squares))
    statistic = ratio(((listened - mean[:, None]) ** 2 * complete).sum(axis=1), variance)
    return statistic, np.where(variance > 0, runs - 1.0, 0.0)


def ratio(part: Floats, whole: Floats | NDArray[np.int64]) -> Floats:
    """Return part / whole, 0 where `whole` is 0."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)
