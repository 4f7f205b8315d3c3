"""Which artists are rising or falling: only where a change is more than chance explains."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc
from scipy.stats import false_discovery_control

from pozytywka_cli.families.weekly.series import Floats, Series

RECENT_WEEKS = 4  # compared with the earlier ones
PRIOR = 13  # degrees of freedom with which an artist's own dispersion (±√(2/13), or 40 %) counts for half
FALSE_DISCOVERY_RATE = 0.1  # the share of rising and falling artists that may be wrong
TRENDS = ("falling", "steady", "rising")


def trends(history: Series) -> NDArray[np.str_]:
    """Return whether each artist is rising, falling or steady, by a `history` of the measure "total": (artists,).

    An artist is rising or falling if the last 4 weeks differ from what is `usual` by more than chance explains
    (`p_values`), with a false discovery rate of 10 % over all artists (Benjamini & Hochberg, 1995).
    """
    changed = false_discovery_control(p_values(history)) <= FALSE_DISCOVERY_RATE
    difference = np.nan_to_num(recent(history) - usual(history))
    return np.array(TRENDS)[np.where(changed, np.sign(difference), 0).astype(np.int64) + 1]


def recent(history: Series) -> Floats:
    """Return the mean of the last 4 weeks, in seconds: (artists,)."""
    return np.asarray(history.listened[:, -RECENT_WEEKS:].mean(axis=1))


def usual(history: Series) -> Floats:
    """Return the mean of the weeks between an artist's first week and the last 4, in seconds; NaN without any.

    The first week itself is left out, as it is first because something was played in it: with it, every rarely played
    artist would seem to fall.
    """
    earlier = _earlier(history)
    sums, weeks = (history.listened[:, : earlier.shape[1]] * earlier).sum(axis=1), earlier.sum(axis=1)
    return np.asarray(np.divide(sums, weeks, out=np.full(len(sums), np.nan), where=weeks > 0))


def _earlier(history: Series) -> NDArray[np.bool_]:
    """Return which of the weeks before the last 4 come after the artist's first one: (artists, weeks − 4)."""
    played = np.logical_or.accumulate(history.listened > 0, axis=1)
    return np.hstack([np.zeros_like(played[:, :1]), played])[:, : max(len(history.weeks) - RECENT_WEEKS, 0)]


def p_values(history: Series) -> Floats:
    """Return the two-sided p-value of each artist that nothing has changed: (artists,); 1 with under 2 earlier weeks.

    The null hypothesis is a Poisson process of listens with one rate in all weeks and lengths alike throughout (a
    compound-Poisson sum, as in `features.spread_ratio`). Given their number, the listens of the last 4 of W weeks are
    then binomial with probability 4 / W, whatever the rate is (Przyborowski & Wilenski, 1940). For listens of unequal
    lengths their number is replaced by its effective number (Kish, 1965), (Σ listen)² / Σ listen², which has the same
    relative variance as their sum; where weeks vary more than that it is divided by `dispersion`. It is never above
    the real number, and both tails contain what was observed: with little listening the p-value is too large.
    """
    earlier, late = _earlier(history), history.listened[:, -RECENT_WEEKS:].sum(axis=1)
    counted = np.hstack([earlier, np.ones((len(late), RECENT_WEEKS), dtype=np.bool_)])[:, -len(history.weeks) :]
    total, squares = ((part * counted).sum(axis=1) for part in (history.listened, history.squares))
    listens = _ratio(total**2, squares) / dispersion(history)
    count, share = listens * _ratio(late, total), RECENT_WEEKS / (earlier.sum(axis=1) + RECENT_WEEKS)
    tails = _upper_tail(count, listens, share), _upper_tail(listens - count, listens, 1 - share)
    return np.where(earlier.sum(axis=1) > 1, np.minimum(1, 2 * np.minimum(*tails)), 1.0)


def dispersion(history: Series) -> Floats:
    """Return how much more the earlier weeks vary than single listens would, at least 1: (artists,).

    Pearson's statistic over its degrees of freedom (McCullagh & Nelder, 1989), of single weeks, which sittings of
    several listens affect, or of runs of 4 weeks, which a varying rate affects: the larger one. Both are shrunk to that
    of all artists' single weeks: sittings are alike for all, but how a rate varies is the artist's own.
    """
    weeks, runs = _pearson(history, 1), _pearson(history, RECENT_WEEKS)
    pooled = max(weeks[0].sum() / max(weeks[1].sum(), 1), 1)
    own = [(statistic + PRIOR * pooled) / (degrees + PRIOR) for statistic, degrees in (weeks, runs)]
    return np.asarray(np.maximum(1, np.maximum(*own)))


def _pearson(history: Series, weeks: int) -> tuple[Floats, Floats]:
    """Return Pearson's statistic of runs of earlier weeks and its degrees of freedom: (artists,) each."""
    earlier = _earlier(history)
    shape = (len(earlier), earlier.shape[1] // weeks, weeks)
    used = slice(earlier.shape[1] % weeks, earlier.shape[1])
    complete = earlier[:, used].reshape(shape).all(axis=2)
    parts = (history.listened, history.squares)
    listened, squares = (part[:, used].reshape(shape).sum(axis=2) * complete for part in parts)
    runs = complete.sum(axis=1)
    mean, variance = (_ratio(part.sum(axis=1), runs) for part in (listened, squares))
    statistic = _ratio(((listened - mean[:, None]) ** 2 * complete).sum(axis=1), variance)
    return statistic, np.where(variance > 0, runs - 1.0, 0.0)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, 0 where `whole` is 0."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _upper_tail(count: Floats, trials: Floats, probability: Floats) -> Floats:
    """Return the upper tail of a binomial count, including the observed one, continuous between whole numbers."""
    positive = count > 1e-9 * (1 + trials)
    tail = betainc(np.where(positive, count, 1), np.maximum(trials - count, 0) + 1, probability)
    return np.asarray(np.where(positive, tail, 1.0))
