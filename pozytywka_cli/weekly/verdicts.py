"""Is an artist listened to more, or less, than before? Only where chance would hardly look like it."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from pozytywka_cli.weekly.series import Floats, Series

RECENT = 4  # weeks that are held against all earlier ones
SHRINKAGE = 13  # weeks
FALSE_DISCOVERIES = 0.1  # the share of the verdicts that may be wrong
VERDICTS = ("falling", "steady", "rising")


def verdicts(history: Series, forecast: Floats) -> NDArray[np.str_]:
    """Whether each artist is rising, falling or steady: (artists,).

    An artist moves where the last 4 weeks differ from the earlier ones by more than chance explains (`p_values`), by
    Benjamini and Hochberg's procedure (1995): over all artists at most a tenth of what is said to move does not. The
    forecast must lie nearer to the last 4 weeks than to the earlier ones, or the artist is steady.

    Args:
        history: all weeks so far, of the measure "total".
        forecast: the mean of the next week in seconds, (artists,).
    """
    from scipy.stats import false_discovery_control

    if not history.artist_ids:
        return np.array([], dtype=np.str_)
    late, earlier = recent(history), usual(history)
    follows = np.abs(forecast - late) < np.abs(forecast - earlier)
    moves = follows & (false_discovery_control(p_values(history)) <= FALSE_DISCOVERIES)
    return np.array(VERDICTS)[np.where(moves, np.sign(late - earlier), 0).astype(np.int64) + 1]


def recent(history: Series) -> Floats:
    """The mean of the last 4 weeks, in seconds: (artists,)."""
    return np.asarray(history.listened[:, -RECENT:].mean(axis=1))


def usual(history: Series) -> Floats:
    """The mean of the weeks before the last 4, in seconds: (artists,); 0 where there are none."""
    earlier = history.listened[:, :-RECENT]
    return np.asarray(earlier.sum(axis=1) / max(earlier.shape[1], 1))


def p_values(history: Series) -> Floats:
    """The two-sided p-value of each artist that nothing has changed: (artists,).

    The null hypothesis: listens come as a Poisson process of one rate in all weeks, their lengths alike throughout (a
    compound-Poisson sum, as in `features.spread_ratio`). Given how many there are, those of the last 4 of W weeks are
    then binomial with probability 4 ÷ W, whatever the rate is (Przyborowski & Wilenski, 1940). For listens of unequal
    lengths their effective number (Kish, 1965), (Σ listen)² ÷ Σ listen², stands in, which has the same relative
    variance as their sum; where they come several in a sitting it is divided by `dispersion`. It is never above the
    real number, and both tails contain what was observed: where little was listened to, the p-value errs upwards.
    """
    total, squares = history.listened.sum(axis=1), history.squares.sum(axis=1)
    listens = np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0) / dispersion(history)
    part = history.listened[:, -RECENT:].sum(axis=1)
    late = listens * np.divide(part, total, out=np.zeros_like(total), where=total > 0)
    share = min(RECENT / len(history.weeks), 1)
    tails = _at_least(late, listens, share), _at_least(listens - late, listens, 1 - share)
    return np.asarray(np.minimum(1, 2 * np.minimum(*tails)))


def dispersion(history: Series) -> Floats:
    """How much more the earlier weeks vary than single listens would, at least 1: (artists,).

    Pearson's statistic over its degrees of freedom (McCullagh & Nelder, 1989), of each artist shrunk to that of all
    with the weight of 13 weeks.
    """
    earlier, squares = history.listened[:, :-RECENT], history.squares[:, :-RECENT].sum(axis=1)
    weeks = max(earlier.shape[1], 1)
    expected = np.maximum(squares / weeks, np.finfo(np.float64).tiny)  # the variance of a week of single listens
    statistic = ((earlier - usual(history)[:, None]) ** 2).sum(axis=1) / expected
    pooled = statistic[squares > 0].sum() / max((weeks - 1) * int((squares > 0).sum()), 1)
    return np.asarray(np.maximum(1, (statistic + SHRINKAGE * max(pooled, 1)) / (weeks - 1 + SHRINKAGE)))


def _at_least(count: Floats, trials: Floats, probability: float) -> Floats:
    """The upper tail of a binomial count, its observed value included, carried on between whole numbers."""
    some = count > 1e-9 * (1 + trials)
    found = betainc(np.where(some, count, 1), np.maximum(trials - count, 0) + 1, probability)
    return np.asarray(np.where(some, found, 1.0))
