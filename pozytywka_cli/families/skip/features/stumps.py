"""A user's skip rate on the row's side of a threshold, averaged over all thresholds by how well they explain the past.

Many people skip below a danceability, or above a duration, of their own. Which one is uncertain, so every stump (a tree
with one split) answers with the weight of its posterior probability: Bayesian model averaging (Hoeting, Madigan,
Raftery & Volinsky, 1999), in closed form because the rate of each side has a Beta prior.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
STUMPS = BINS - 1  # of each attribute
UNKNOWN, ALL = 2 * STUMPS, 2 * STUMPS + 1  # the places after those of the sides below and above
LOG_PREMIUM = np.log([1 - PREMIUM_MATTERS, PREMIUM_MATTERS])
LOG_WHOLE = np.log(NO_SPLIT) + LOG_PREMIUM

# the side of each stump that a bin is on: (25, 23)
_bin, _stump = np.arange(BINS + 1)[:, None], np.arange(STUMPS)
SIDES = np.where(_bin == BINS, UNKNOWN, np.where(_bin <= _stump, _stump, STUMPS + _stump))


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
        stumps = Stumps.of(counts, premium[1][part], prior)
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

    def evidence(self, others: Ints, skips: Ints) -> Floats:
        """Return log B(a + s, b + n − s) − log B(a, b) of numbers of plays by outcome: the same shape."""
        evidence: Floats = self._skips.take(skips) + self._others.take(others) - self._plays.take(others + skips)
        return evidence

    def rate(self, others: Ints, skips: Ints) -> Floats:
        """Return the skip rate of numbers of plays by outcome: the same shape."""
        return rate(skips, others + skips, self.strength, self.skip_rate)


@dataclass(frozen=True)
class Stumps:
    """The weights of all stumps for some users, and what each stump answers on its sides.

    Plays have one rate, or those before a purchase and after it have rates of their own: 2 states of the hypotheses.

    weights: of no stump and of all stumps, 2 · (1 + 23 · attributes), not normalised: (users, weights)
    total: their sum: (users,)
    rates: the skip rates of the sides below the 23 thresholds, above, of unknown attributes, and of all plays, by
        state: (users, 2, attributes, 48)
    """

    prior: Prior
    weights: Floats
    total: Floats
    rates: Floats

    @classmethod
    def of(cls, counts: Ints, now: Flags, prior: Prior) -> "Stumps":
        """Compute them from known plays by attribute, bin, premium and outcome, (users, attributes, 25, 2, 2).

        `now` is whether each user has premium: (users,).
        """
        users, attributes = counts.shape[:2]
        plays = _plays(counts)
        evidence = prior.evidence(*plays)
        evidence[1] += evidence[2]
        score = evidence[:2]
        split = score[..., :STUMPS] + score[..., STUMPS:UNKNOWN] + score[..., UNKNOWN:ALL]
        split += (np.log((1 - NO_SPLIT) / attributes / STUMPS) + LOG_PREMIUM)[:, None, None, None]
        scores = np.empty((users, 2 + split[:, 0].size))
        scores[:, :2] = (score[:, :, 0, ALL] + LOG_WHOLE[:, None]).T
        scores[:, 2:] = split.swapaxes(0, 1).reshape(users, -1)
        weights = np.exp(scores - scores.max(1, keepdims=True))
        # in the premium state of the moment
        plays[:, 1] = np.where(now[:, None, None], plays[:, 2], plays[:, 1])
        # by cumsum, which adds in one order, however many rows there are
        return cls(prior, weights, weights.cumsum(1)[:, -1], prior.rate(*plays[:, :2]).swapaxes(0, 1))

    def average(self, users: Ints, own: Codes) -> Floats:
        """Return the log-odds of a skip for rows of `users`, (rows,), in bins `own`, (rows, attributes): (rows,)."""
        attributes = np.arange(own.shape[1])[:, None]
        rates = np.empty((len(users), self.weights.shape[1]))
        rates[:, :2] = self.rates[users, :, 0, ALL]
        of_stumps = self.rates.swapaxes(1, 2)[users[:, None, None], attributes, :, SIDES[own]]
        rates[:, 2:] = of_stumps.transpose(0, 3, 1, 2).reshape(len(users), -1)
        skip_rate = self.prior.skip_rate
        above_usual = (self.weights[users] * (rates - skip_rate)).cumsum(1)[:, -1] / self.total[users]
        return logit(skip_rate + above_usual)


def _plays(counts: Ints) -> Ints:
    """Return the plays by outcome, state (all plays, those without premium, those with it) and side.

    The sides are those of `Stumps.rates`: (2, 3, users, attributes, 48).
    """
    by_outcome = counts.transpose(4, 3, 0, 1, 2)
    up_to = by_outcome.cumsum(-1, dtype=np.int64)
    plays = np.empty((2, 3, *counts.shape[:2], ALL + 1), np.int64)
    of_states = plays[:, 1:]
    of_states[..., :STUMPS] = up_to[..., :STUMPS]
    of_states[..., STUMPS:UNKNOWN] = up_to[..., STUMPS : STUMPS + 1] - up_to[..., :STUMPS]
    of_states[..., UNKNOWN] = by_outcome[..., BINS]
    of_states[..., ALL] = up_to[..., BINS]
    plays[:, 0] = plays[:, 1] + plays[:, 2]
    return plays
