"""A user's skip rate on the row's side of a threshold, averaged over all thresholds by how well they explain the past.

Many people skip below a danceability, or above a duration, of their own. Which one is uncertain, so every stump (a tree
with one split) answers with the weight of its posterior probability: Bayesian model averaging (Hoeting, Madigan,
Raftery & Volinsky, 1999), in closed form because the rate of each side has a Beta prior.
"""

from collections.abc import Mapping

import numpy as np
from scipy.special import gammaln, logit

from pozytywka_cli.evaluation import Flags, Floats, Ints
from pozytywka_cli.families.skip.features.attributes import BINS, Codes
from pozytywka_cli.families.skip.features.history import Past, rate

STRENGTH = 2.0  # plays of a side's prior, at the skip rate of the training plays
NO_SPLIT = 0.5  # prior probability that no threshold matters; all stumps share the rest alike
PREMIUM_MATTERS = 0.3  # prior probability that the rates before a purchase and after it have nothing in common
ROWS = 256  # at a time: so their arrays stay in a processor's cache


def stump_average(
    past: Past, codes: Mapping[str, tuple[Codes, Codes]], premium: tuple[Flags, Flags], prior: "Prior"
) -> Floats:
    """Return the log-odds of a skip by an average over stumps; those of the prior for a user without plays: (rows,).

    A stump splits one attribute between two of its bins. Plays whose attribute is unknown are a third side of its
    stumps: so all of them explain the same plays, and every row is on one side of each. In a second set of hypotheses
    each side has a rate of its own for plays with premium. `codes` are each attribute's bins, and `premium` is whether
    a purchase was proven at the start, of all plays, (log,), and of the rows, (rows,).
    """
    cells = {name: past.cells(2 * of_log + premium[0], 2 * (BINS + 1)) for name, (of_log, _) in codes.items()}
    each_stump = np.log((1 - NO_SPLIT) / len(codes) / (BINS - 1))
    average = np.empty(len(premium[1]))
    for start in range(0, len(average), ROWS):
        part = slice(start, start + ROWS)
        counts = {name: counted(part).reshape(-1, BINS + 1, 2, 2) for name, counted in cells.items()}
        everything = next(iter(counts.values())).sum(1, keepdims=True)
        answers = prior.answers([everything], everything, premium[1][part], np.log(NO_SPLIT))
        for name, (_, own) in codes.items():
            answers += prior.answers(*_split(counts[name], own[part]), premium[1][part], each_stump)
        score, rates = (np.concatenate(each, axis=1) for each in zip(*answers, strict=True))
        weights = np.exp(score - score.max(1, keepdims=True))
        # by cumsum, which adds in one order, however many rows there are
        above = (weights * (rates - prior.skip_rate)).cumsum(1)[:, -1] / weights.cumsum(1)[:, -1]
        average[part] = logit(prior.skip_rate + above)
    return average


def _split(counts: Ints, own: Codes) -> tuple[list[Ints], Ints]:
    """Return the plays on the three sides of one attribute's stumps, and on the side of each row's own bin.

    By premium and outcome, (rows, 23, 2, 2) or (rows, 1, 2, 2), from those by bin, (rows, 25, 2, 2).
    """
    up_to, unknown = counts[:, :BINS].cumsum(1), counts[:, BINS:]
    below, above = up_to[:, :-1], up_to[:, -1:] - up_to[:, :-1]
    bins, last_below = own[:, None, None, None], np.arange(BINS - 1)[:, None, None]
    return [below, above, unknown], np.where(bins == BINS, unknown, np.where(bins <= last_below, below, above))


class Prior:
    """The Beta distribution of each side's skip rate before any play: `strength` plays at `skip_rate`."""

    def __init__(self, skip_rate: float, strength: float, most: int) -> None:
        """Tabulate log Γ(x + n) − log Γ(x) for up to `most` plays."""
        self.skip_rate, self.strength = skip_rate, strength
        parameters = strength * skip_rate, strength * (1 - skip_rate), strength
        self._skips, self._others, self._plays = (gammaln(x + np.arange(most + 1)) - gammaln(x) for x in parameters)

    def answers(self, sides: list[Ints], own: Ints, now: Flags, log_prior: float) -> list[tuple[Floats, Floats]]:
        """Return each stump's score, the log of its prior times its evidence, and the rate of the row's own side.

        A pair without premium and one with it, (rows, stumps) each, from plays by premium and outcome on all sides and
        on the own one, (rows, stumps, 2, 2) each; `now` is the premium of the rows, (rows,).
        """
        # not by sum: adding two parts is several times as fast as reducing an axis of two
        pooled = [plays[:, :, :1] + plays[:, :, 1:] for plays in (*sides, own)]
        return [
            self._answer(pooled[:-1], pooled[-1][:, :, 0], log_prior + np.log(1 - PREMIUM_MATTERS)),
            self._answer(sides, own[np.arange(len(now)), :, now.astype(int)], log_prior + np.log(PREMIUM_MATTERS)),
        ]

    def _answer(self, sides: list[Ints], own: Ints, log_prior: float) -> tuple[Floats, Floats]:
        score = np.full(own.shape[:2], log_prior)
        for plays in sides:
            for state in range(plays.shape[2]):
                score += self._evidence(plays[:, :, state])
        return score, rate(own[..., 1], own[..., 0] + own[..., 1], self.strength, self.skip_rate)

    def _evidence(self, plays: Ints) -> Floats:
        """Return log B(a + s, b + n − s) − log B(a, b) of plays by outcome, (rows, stumps, 2): (rows, stumps)."""
        others, skips = plays[..., 0], plays[..., 1]
        return np.asarray(self._skips[skips] + self._others[others] - self._plays[skips + others])
