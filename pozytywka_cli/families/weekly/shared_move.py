"""By how much all artists move together, and how far single artists commonly move from that."""

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.families.weekly.levels import RECENT_WEEKS, dispersion, earlier_weeks, effective_listens, ratio
from pozytywka_cli.families.weekly.series import Floats, Series

ENOUGH = 2  # listens expected on either side: with fewer, an artist says little and not symmetrically
FEW = 5  # other artists, with which what is said of all artists counts for half
HUBER = 1.345  # standard deviations from which on an artist counts less: 95 % efficient if normal (Huber, 1964)
LARGEST = 10.0  # factor; beyond it, or its inverse, the log has a hole
STEPS = 50  # 8 were the most in simulations
WITHIN_ONE_DEVIATION = 0.6827  # share of a normal distribution


def shared_moves(history: Series) -> Floats:
    """Return by what factor all artists moved from an artist's earlier weeks to the last 4, for each one: (artists,).

    An artist with E earlier weeks is compared with all artists that have as many, over the same weeks (`_move`): in a
    log that grows, a new artist has grown less than an old one. Those with too little listening are left out. From each
    E to the next larger one, beginning with 1, the factor moves to that of these artists only as far as their number
    can be trusted (`trust`): the move of few artists may be their own.
    """
    weeks, spread = earlier_weeks(history).sum(axis=1), dispersion(history)
    listened, squares = (part[:, ::-1].cumsum(axis=1) for part in (history.listened, history.squares))
    moves, move = np.ones(len(weeks)), 1.0
    for number in np.unique(weeks[weeks > 1]):
        total = listened[:, RECENT_WEEKS + number - 1]
        listens = effective_listens(total, squares[:, RECENT_WEEKS + number - 1]) / spread
        known = (weeks >= number) & enough(listens, number)
        late = listens * ratio(listened[:, RECENT_WEEKS - 1], total)
        move += trust(listens[known]) * (_move(late[known], listens[known], number) - move)
        moves[weeks == number] = move
    return moves


def shared_move(history: Series) -> float:
    """Return the shared move to the last 4 weeks from those before, as many as any artist has; 1 without any."""
    weeks = earlier_weeks(history).sum(axis=1)
    return float(shared_moves(history)[np.argmax(weeks)]) if len(weeks) else 1.0


def enough(listens: Floats, weeks: Floats | int) -> NDArray[np.bool_]:
    """Return whether `ENOUGH` of the listens are expected both in the last 4 weeks and in `weeks` earlier ones.

    Given the number of listens in both parts, in which of them they fell is chance: an artist is not more likely to be
    chosen for a high or a low level in one of them.
    """
    return np.asarray(listens * np.minimum(RECENT_WEEKS, weeks) >= ENOUGH * (RECENT_WEEKS + weeks))


def trust(listens: Floats) -> float:
    """Return how far a mean over artists with so many listens each can be trusted, from 0 for one artist to 1.

    That is (n − 1) / (n − 1 + FEW), for the effective number n of artists (Kish, 1965) if each is weighted by √listens.
    """
    others = float(np.sqrt(listens).sum() ** 2 / max(listens.sum(), 1e-9)) - 1
    return max(others, 0.0) / (max(others, 0.0) + FEW)


def _move(late: Floats, listens: Floats, weeks: int) -> float:
    """Return the robust mean of recent ÷ usual over artists, 1 without any: `late` of their listens are recent.

    It solves Σ √listens · ψ(z) = 0 (Huber, 1964; for counts Cantoni & Ronchetti, 2001), with each artist's binomial
    z-score and ψ(z) = z, at most ±HUBER, by reweighting. Few artists that change much affect it hardly more than
    a median weighted by √usual, near which it lies where artists vary widely. Of rarely played ones, whose ratio is
    mostly 0, a median would be 0; this stays a ratio of sums.
    """
    weights, move, before = np.ones_like(late), 1.0, 0.0
    for _ in range(STEPS if len(late) else 0):
        late_mean, earlier_mean = float(weights @ late) / RECENT_WEEKS, float(weights @ (listens - late)) / weeks
        before, move = move, max(late_mean, earlier_mean / LARGEST) / max(earlier_mean, late_mean / LARGEST)
        if abs(move - before) < 1e-6 * move:
            break
        share = share_of_recent(move, weeks)
        score = (late - listens * share) / np.sqrt(listens * share * (1 - share))
        weights = np.minimum(1, HUBER / np.maximum(np.abs(score), HUBER))
    return move


def share_of_recent(move: Floats | float, weeks: Floats | int) -> Floats:
    """Return which share of listens falls into the last 4 weeks, after `weeks` earlier ones, if nothing else moves."""
    return np.asarray(RECENT_WEEKS * move / (weeks + RECENT_WEEKS * move))


def common_variance(squared: Floats, expected: Floats, binomial: Floats, listens: Floats) -> float:
    """Return the variance between artists of the logarithm of recent ÷ usual beyond chance, shrunk to 0 by `trust`.

    squared: each artist's squared difference of its recent listens from the share that the shared move gives it
    expected: its expectation by chance alone
    binomial: the variance of the count, were it binomial
    listens: the effective number of listens, by whose square root artists are weighted

    Where log odds vary by σ² between artists, a binomial count varies by σ² times its squared variance more (Williams,
    1982). The variance returned is that with which 68 % of artists lie within one standard deviation of the shared
    move, so that a tenth that changed much has little effect, and 0 if chance suffices for that.
    """
    if not len(listens):
        return 0.0
    excess, weights = ratio(squared - expected, binomial**2), np.sqrt(listens)
    order = np.argsort(excess)
    middle = (np.cumsum(weights[order]) - weights[order] / 2) / weights.sum()
    return max(0.0, float(np.interp(WITHIN_ONE_DEVIATION, middle, excess[order]))) * trust(listens)
