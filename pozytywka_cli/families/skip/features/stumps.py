"""A user's skip rate on the row's side of a threshold, averaged over all thresholds by how well they explain the past.

Many people skip below a danceability, or above a duration, of their own. Which one is uncertain, so every stump (a tree
with one split) answers with the weight of its posterior probability: Bayesian model averaging (Hoeting, Madigan,
Raftery & Volinsky, 1999), in closed form because the rate of each side has a Beta prior.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pozytywka_cli.evaluation import Flags, Floats, Ints
from pozytywka_cli.families.skip.features.attributes import BINS, Codes
from pozytywka_cli.families.skip.features.logistic import logit
from pozytywka_cli.families.skip.features.rates import rate

if TYPE_CHECKING:
    from pozytywka_cli.families.skip.features.history import Past

STRENGTH = 2.0  # plays of a side's prior, at the skip rate of the training plays
NO_SPLIT = 0.5  # prior probability that no threshold matters; all stumps share the rest alike
PREMIUM_MATTERS = 0.3  # prior probability that the rates before a purchase and after it have nothing in common
ROWS = 256  # at a time: so their arrays stay in a processor's cache


def stump_average(
    past: "Past", codes: Mapping[str, tuple[Codes, Codes]], premium: tuple[Flags, Flags], prior: "Prior"
) -> Floats:
    """Return the log-odds of a skip by an average over stumps; those of the prior for a user without plays: (rows,).

    A stump splits one attribute between two of its bins. Plays whose attribute is unknown are a third side of its
    stumps: so all of them explain the same plays, and every row is on one side of each. In a second set of hypotheses
    each side has a rate of its own for plays with premium. `codes` are each attribute's bins, and `premium` is whether
    a purchase was proven at the start, of all plays, (log,), and of the rows, (rows,).
    """
    cells = [past.cells(2 * of_log + premium[0], 2 * (BINS + 1)) for of_log, _ in codes.values()]
    own = np.stack([of_rows for _, of_rows in codes.values()], axis=1)
    average = np.empty(len(own))
    for start in range(0, len(average), ROWS):
        part = slice(start, start + ROWS)
        counts = np.stack([counted(part) for counted in cells], axis=1).reshape(-1, len(cells), BINS + 1, 2, 2)
        stumps = Stumps(counts, premium[1][part], prior)
        average[part] = stumps.average(np.arange(len(counts)), own[part])
    return average


class Prior:
    """The Beta distribution of each side's skip rate before any play: `strength` plays at `skip_rate`."""

    def __init__(self, skip_rate: float, strength: float, most: int) -> None:
        """Tabulate log Γ(x + n) − log Γ(x) for up to `most` plays."""
        self.skip_rate, self.strength, self.most = skip_rate, strength, most
        parameters = strength * skip_rate, strength * (1 - skip_rate), strength
        self._skips, self._others, self._plays = (
            np.append(0, np.log(one + np.arange(most)).cumsum())
            for one in parameters  # Γ(x + 1) = x Γ(x)
        )

    def evidence(self, plays: Ints) -> Floats:
        """Return log B(a + s, b + n − s) − log B(a, b) of plays by outcome, (…, 2): (…)."""
        others, skips = plays[..., 0], plays[..., 1]
        return np.asarray(self._skips[skips] + self._others[others] - self._plays[skips + others])

    def rate(self, plays: Ints) -> Floats:
        """Return the skip rate of plays by outcome, (…, 2): (…)."""
        return rate(plays[..., 1], plays[..., 0] + plays[..., 1], self.strength, self.skip_rate)


class Stumps:
    """The weights of all stumps for some users, and what each stump answers on its sides.

    counts: known plays by attribute, bin, premium and outcome: (users, attributes, 25, 2, 2)
    now: whether each user has premium: (users,)
    """

    def __init__(self, counts: Ints, now: Flags, prior: Prior) -> None:
        self.prior = prior
        users, attributes = counts.shape[:2]
        up_to, unknown = counts[:, :, :BINS].cumsum(2), counts[:, :, BINS:]
        below = up_to[:, :, :-1]
        sides = below, up_to[:, :, -1:] - below, unknown
        each_stump = np.log((1 - NO_SPLIT) / attributes / (BINS - 1))
        everything = counts[:, :1].sum(2)
        whole = self._scores([everything], np.log(NO_SPLIT))  # (users, 2, 1)
        split = self._scores(sides, each_stump)  # (users, attributes, 2, 23)
        score = np.concatenate([whole.reshape(users, -1), split.reshape(users, -1)], axis=1)
        self.weights = np.exp(score - score.max(1, keepdims=True))
        # by cumsum, which adds in one order, however many rows there are
        self._total = self.weights.cumsum(1)[:, -1]
        self._whole = self._rates(everything, now).reshape(users, 2)
        self._sides = [self._rates(plays, now) for plays in sides]

    def average(self, users: Ints, own: Codes) -> Floats:
        """Return the log-odds of a skip for rows of `users`, (rows,), in bins `own`, (rows, attributes): (rows,)."""
        bins = own[:, :, None, None]
        below, above, unknown = (rates[users] for rates in self._sides)
        split = np.where(bins == BINS, unknown, np.where(bins <= np.arange(BINS - 1), below, above))
        rates = np.concatenate([self._whole[users], split.reshape(len(users), -1)], axis=1)
        skip_rate = self.prior.skip_rate
        above_usual = (self.weights[users] * (rates - skip_rate)).cumsum(1)[:, -1] / self._total[users]
        return np.asarray(logit(skip_rate + above_usual))

    def _scores(self, sides: Sequence[Ints], log_prior: float) -> Floats:
        """Return the log of each stump's prior times its evidence, without premium and with it: (…, 2, stumps).

        From plays by premium and outcome on all sides, (…, stumps or 1, 2, 2).
        """
        scores = np.empty((*sides[0].shape[:-3], 2, sides[0].shape[-3]))
        scores[..., 0, :] = log_prior + np.log(1 - PREMIUM_MATTERS)
        scores[..., 1, :] = log_prior + np.log(PREMIUM_MATTERS)
        for plays in sides:
            scores[..., 0, :] += self.prior.evidence(_pooled(plays))
            for state in range(plays.shape[-2]):
                scores[..., 1, :] += self.prior.evidence(plays[..., state, :])
        return scores

    def _rates(self, plays: Ints, now: Flags) -> Floats:
        """Return the skip rate of each stump's side, of all plays and of those in the premium state: as above."""
        in_state = plays[np.arange(len(now)), ..., now.astype(int), :]
        return np.stack([self.prior.rate(_pooled(plays)), self.prior.rate(in_state)], axis=-2)


def _pooled(plays: Ints) -> Ints:
    # not by sum: adding two parts is several times as fast as reducing an axis of two
    return np.asarray(plays[..., 0, :] + plays[..., 1, :])
