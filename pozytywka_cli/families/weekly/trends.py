"""Which artists are rising or falling: only where a change is more than chance explains."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc
from scipy.stats import false_discovery_control

from pozytywka_cli.families.weekly.series import Floats, Series

RECENT_WEEKS = 4  # compared with the earlier ones
UNMOVED = 10  # artists that have not moved, among which the shared move is a median: few artists cannot show one
PRIOR = 13  # degrees of freedom with which an artist's own dispersion (±√(2/13), or 40 %) counts for half
# Weight of what runs of 4 weeks vary beyond single weeks: a rate that wanders for longer varies less around the mean of
# its own past than it will. In simulations of 52 weeks, 2 % of AR(1) rates have a trend with 1, and .6 % with 1.5.
LASTING = 1.5
FALSE_DISCOVERY_RATE = 0.1  # the share of rising and falling artists that may be wrong
TRENDS = ("falling", "steady", "rising")


def trends(history: Series) -> NDArray[np.str_]:
    """Return whether each artist is rising, falling or steady, by a `history` of the measure "total": (artists,).

    An artist is rising or falling if the last 4 weeks, without the `shared_move`, differ from what is `usual` by more
    than chance explains (`p_values`), with a false discovery rate of 10 % over all artists (Benjamini & Hochberg,
    1995).
    """
    changed = false_discovery_control(p_values(history)) <= FALSE_DISCOVERY_RATE
    difference = np.nan_to_num(recent(history) / shared_move(history) - usual(history))
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


def shared_move(history: Series) -> float:
    """Return by which factor listening has changed in the last 4 weeks for artists in general.

    It is the median of `recent` / `usual` over the artists, weighted by the root of `usual`, which is inverse to the
    standard error of their ratio; among ten more artists of a usual weight that have not moved, so that a few artists
    alone cannot pass for all. 1 where no artist has a usual level, or most were silent in the last 4 weeks.
    """
    late, before = recent(history), np.nan_to_num(usual(history))
    known = before > 0
    if not known.any():
        return 1.0
    weights = np.sqrt(before[known])
    moves, weights = np.append(late[known] / before[known], 1.0), np.append(weights, UNMOVED * weights.mean())
    order = np.argsort(moves, kind="stable")
    reached = np.cumsum(weights[order])
    return float(moves[order][np.searchsorted(reached, reached[-1] / 2)]) or 1.0


def _earlier(history: Series) -> NDArray[np.bool_]:
    """Return which of the weeks before the last 4 come after the artist's first one: (artists, weeks − 4)."""
    played = np.logical_or.accumulate(history.listened > 0, axis=1)
    return np.hstack([np.zeros_like(played[:, :1]), played])[:, : max(len(history.weeks) - RECENT_WEEKS, 0)]


def p_values(history: Series) -> Floats:
    """Return the two-sided p-value of each artist that nothing has changed: (artists,); 1 with under 2 earlier weeks.

    The null hypothesis is a Poisson process of listens with one rate in the E earlier weeks, G times that rate in the
    last 4, where G is the `shared_move`, and lengths alike throughout (a compound-Poisson sum, as in
    `features.spread_ratio`). Given their number, the listens of the last 4 weeks are then binomial with probability
    4 G / (E + 4 G), whatever the rate is (Przyborowski & Wilenski, 1940). For listens of unequal lengths their number
    is replaced by its effective number (Kish, 1965), (Σ listen)² / Σ listen², which has the same relative variance as
    their sum; where weeks vary more than that it is divided by `dispersion`. It is never above the real number, and
    both tails contain what was observed: with little listening the p-value is too large.
    """
    earlier, late = _earlier(history), history.listened[:, -RECENT_WEEKS:].sum(axis=1)
    counted = np.hstack([earlier, np.ones((len(late), RECENT_WEEKS), dtype=np.bool_)])[:, -len(history.weeks) :]
    total, squares = ((part * counted).sum(axis=1) for part in (history.listened, history.squares))
    listens = _ratio(total**2, squares) / dispersion(history)
    expected = RECENT_WEEKS * shared_move(history)  # weeks of the earlier rate
    count, share = listens * _ratio(late, total), expected / (earlier.sum(axis=1) + expected)
    tails = _upper_tail(count, listens, share), _upper_tail(listens - count, listens, 1 - share)
    return np.where(earlier.sum(axis=1) > 1, np.minimum(1, 2 * np.minimum(*tails)), 1.0)


def dispersion(history: Series) -> Floats:
    """Return how much more the earlier weeks vary than single listens would, at least 1: (artists,).

    Pearson's statistic over its degrees of freedom (McCullagh & Nelder, 1989), of single weeks, which sittings of
    several listens affect, or of runs of 4 weeks, which a varying rate affects: the larger one. Both are shrunk to that
    of all artists' single weeks: sittings are alike for all, but how a rate varies is the artist's own. What runs vary
    beyond single listens counts 1.5 times, as rates may wander for longer than a run.
    """
    weeks, runs = _pearson(history, 1), _pearson(history, RECENT_WEEKS)
    pooled = max(weeks[0].sum() / max(weeks[1].sum(), 1), 1)
    single, lasting = ((statistic + PRIOR * pooled) / (degrees + PRIOR) for statistic, degrees in (weeks, runs))
    return np.asarray(np.maximum(1, np.maximum(single, 1 + LASTING * (lasting - 1))))


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
