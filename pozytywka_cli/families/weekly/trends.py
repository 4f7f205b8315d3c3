"""Is an artist listened to more, or less, than before? Only where chance would hardly look like it."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from pozytywka_cli.families.weekly.series import Floats, Series

LATELY = 4  # weeks that are held against the earlier ones
PRIOR = 13  # degrees of freedom at which an artist's own dispersion, still off by √(2 ÷ 13) or 40 %, counts for half
FALSE_DISCOVERIES = 0.1  # the share of the verdicts that may be wrong
VERDICTS = ("falling", "steady", "rising")


def verdicts(history: Series) -> NDArray[np.str_]:
    """Whether each artist is rising, falling or steady: (artists,).

    An artist moves where the last 4 weeks differ from what is `usual` by more than chance explains (`p_values`, then
    `discoveries`): over all artists, at most a tenth of what is said to move does not. One whose rate has always
    wandered, or grown, moves only by more than it used to. This tells of what was listened to, whatever a model makes
    of it. `history` is of the measure "total".
    """
    moves = discoveries(p_values(history), FALSE_DISCOVERIES)
    apart = np.nan_to_num(recent(history) - usual(history))
    return np.array(VERDICTS)[np.where(moves, np.sign(apart), 0).astype(np.int64) + 1]


def recent(history: Series) -> Floats:
    """The mean of the last 4 weeks, in seconds: (artists,)."""
    return np.asarray(history.listened[:, -LATELY:].mean(axis=1))


def usual(history: Series) -> Floats:
    """The mean of the weeks between an artist's first one and the last 4, in seconds: (artists,); NaN where none are.

    In the weeks before its first one an artist could not be heard. That one itself is left out, for it is first only
    because something was heard in it: with it, every rarely heard artist would seem to fall.
    """
    earlier = _earlier(history)
    sums, weeks = (history.listened[:, : earlier.shape[1]] * earlier).sum(axis=1), earlier.sum(axis=1)
    return np.asarray(np.divide(sums, weeks, out=np.full(len(sums), np.nan), where=weeks > 0))


def _earlier(history: Series) -> NDArray[np.bool_]:
    """Which of the weeks before the last 4 come after the artist's first one: (artists, weeks − 4)."""
    heard = np.logical_or.accumulate(history.listened > 0, axis=1)
    return np.hstack([np.zeros_like(heard[:, :1]), heard])[:, : max(len(history.weeks) - LATELY, 0)]


def discoveries(p: Floats, share: float) -> NDArray[np.bool_]:
    """Which p-values are too small for chance, so that at most this share of them is false: Benjamini & Hochberg, 1995.

    Those up to the largest that lies below its rank's part of `share`: (artists,).
    """
    ordered = np.sort(p)
    small = ordered[ordered <= share * np.arange(1, len(p) + 1) / max(len(p), 1)]
    return p <= max(small, default=-1)


def p_values(history: Series) -> Floats:
    """The two-sided p-value of each artist that nothing has changed: (artists,); 1 with fewer than 2 earlier weeks.

    The null hypothesis: listens come as a Poisson process of one rate in all weeks, their lengths alike throughout (a
    compound-Poisson sum, as in `features.spread_ratio`). Given how many there are, those of the last 4 of W weeks are
    then binomial with probability 4 ÷ W, whatever the rate is (Przyborowski & Wilenski, 1940). For listens of unequal
    lengths their effective number (Kish, 1965), (Σ listen)² ÷ Σ listen², stands in, which has the same relative
    variance as their sum; where weeks vary more than that it is divided by `dispersion`. It is never above the
    real number, and both tails contain what was observed: where little was listened to, the p-value errs upwards.
    """
    earlier, late = _earlier(history), history.listened[:, -LATELY:].sum(axis=1)
    counted = np.hstack([earlier, np.ones((len(late), LATELY), dtype=np.bool_)])[:, -len(history.weeks) :]
    total, squares = ((part * counted).sum(axis=1) for part in (history.listened, history.squares))
    listens = _ratio(total**2, squares) / dispersion(history)
    count, share = listens * _ratio(late, total), LATELY / (earlier.sum(axis=1) + LATELY)
    tails = _at_least(count, listens, share), _at_least(listens - count, listens, 1 - share)
    return np.where(earlier.sum(axis=1) > 1, np.minimum(1, 2 * np.minimum(*tails)), 1.0)


def dispersion(history: Series) -> Floats:
    """How much more the earlier weeks vary than single listens would, at least 1: (artists,).

    Pearson's statistic over its degrees of freedom (McCullagh & Nelder, 1989), of single weeks, which sittings of
    several listens move, or of runs of 4, which a wandering rate moves: the larger. Both are shrunk to that of all
    artists' single weeks: sittings are alike for all, but how a rate wanders is the artist's own.
    """
    weeks, runs = _pearson(history, 1), _pearson(history, LATELY)
    pooled = max(weeks[0].sum() / max(weeks[1].sum(), 1), 1)
    own = [(statistic + PRIOR * pooled) / (free + PRIOR) for statistic, free in (weeks, runs)]
    return np.asarray(np.maximum(1, np.maximum(*own)))


def _pearson(history: Series, weeks: int) -> tuple[Floats, Floats]:
    """Pearson's statistic of runs of so many of the earlier weeks, and its degrees of freedom: (artists,) each."""
    earlier = _earlier(history)
    shape = (len(earlier), earlier.shape[1] // weeks, weeks)
    cut = slice(earlier.shape[1] % weeks, earlier.shape[1])
    known = earlier[:, cut].reshape(shape).all(axis=2)
    parts = (history.listened, history.squares)
    listened, squares = (part[:, cut].reshape(shape).sum(axis=2) * known for part in parts)
    runs = known.sum(axis=1)
    mean, variance = (_ratio(part.sum(axis=1), runs) for part in (listened, squares))
    statistic = _ratio(((listened - mean[:, None]) ** 2 * known).sum(axis=1), variance)
    return statistic, np.where(variance > 0, runs - 1.0, 0.0)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """`part` ÷ `whole`, 0 where that is 0."""
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _at_least(count: Floats, trials: Floats, probability: Floats) -> Floats:
    """The upper tail of a binomial count, its observed value included, carried on between whole numbers."""
    some = count > 1e-9 * (1 + trials)
    found = betainc(np.where(some, count, 1), np.maximum(trials - count, 0) + 1, probability)
    return np.asarray(np.where(some, found, 1.0))
