"""Which artists are rising or falling: only where a change is more than chance and the shared move explain."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc
from scipy.stats import false_discovery_control

from pozytywka_cli.families.weekly.levels import (
    RECENT_WEEKS,
    dispersion,
    earlier_weeks,
    effective_listens,
    ratio,
    recent,
    usual,
)
from pozytywka_cli.families.weekly.series import Floats, Series
from pozytywka_cli.families.weekly.shared_move import common_variance, enough, share_of_recent, shared_moves

FALSE_DISCOVERY_RATE = 0.1  # the share of rising and falling artists that may be wrong
TRENDS = ("falling", "steady", "rising")


def trends(history: Series) -> NDArray[np.str_]:
    """Return whether each artist is rising, falling or steady, by a `history` of the measure "total": (artists,).

    An artist is rising or falling if the last 4 weeks, divided by the move that all artists share (`shared_moves`),
    differ from what is `usual` by more than chance and the common differences between artists explain (`p_values`),
    with a false discovery rate of 10 % over all artists (Benjamini & Hochberg, 1995).
    """
    moves = shared_moves(history)
    changed = false_discovery_control(p_values(history, moves)) <= FALSE_DISCOVERY_RATE
    difference = np.nan_to_num(recent(history) - moves * usual(history))
    return np.array(TRENDS)[np.where(changed, np.sign(difference), 0).astype(np.int64) + 1]


def p_values(history: Series, moves: Floats) -> Floats:
    """Return each artist's two-sided p-value that it moved like the others: (artists,); 1 with under 2 earlier weeks.

    The null hypothesis is a Poisson process of listens whose rate is G times as high in the last 4 weeks as in the E
    earlier ones, and whose lengths are alike throughout (a compound-Poisson sum, as in `features.spread_ratio`); G is
    what `moves` (artists,) holds. Given their number, the listens of the last 4 weeks are then binomial with
    probability 4 G / (E + 4 G), whatever the rate is (Przyborowski & Wilenski, 1940). For listens of unequal lengths
    their number is replaced by its effective number (`effective_listens`), which has the same relative variance as
    their sum; where weeks vary more than that it is divided by `dispersion`. Where artists commonly move apart, by the
    last 4 weeks of all (`common_variance`), the dispersion grows with the binomial variance of the count (Williams,
    1982), the more the fewer weeks there are of the artist itself. The effective number is never above the real one,
    and both tails contain what was observed: with little listening the p-value is too large.
    """
    earlier, late = earlier_weeks(history), history.listened[:, -RECENT_WEEKS:].sum(axis=1)
    counted = np.hstack([earlier, np.ones((len(late), RECENT_WEEKS), dtype=np.bool_)])[:, -len(history.weeks) :]
    total, squares = ((part * counted).sum(axis=1) for part in (history.listened, history.squares))
    listens, weeks = effective_listens(total, squares), earlier.sum(axis=1)
    count, share, spread = listens * ratio(late, total), share_of_recent(moves, weeks), dispersion(history)
    binomial, known = listens * share * (1 - share), (weeks > 1) & enough(listens / spread, weeks)
    squared = (count - listens * share) ** 2
    variance = common_variance(squared[known], (binomial * spread)[known], binomial[known], (listens / spread)[known])
    spread = dispersion(history, variance * binomial)
    count, listens = count / spread, listens / spread
    tails = _upper_tail(count, listens, share), _upper_tail(listens - count, listens, 1 - share)
    return np.where(weeks > 1, np.minimum(1, 2 * np.minimum(*tails)), 1.0)


def _upper_tail(count: Floats, trials: Floats, probability: Floats) -> Floats:
    """Return the upper tail of a binomial count, including the observed one, continuous between whole numbers."""
    positive = count > 1e-9 * (1 + trials)
    tail = betainc(np.where(positive, count, 1), np.maximum(trials - count, 0) + 1, probability)
    return np.asarray(np.where(positive, tail, 1.0))
