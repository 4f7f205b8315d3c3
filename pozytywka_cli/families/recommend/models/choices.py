"""What users chose from, and the weights of signals that explain what they chose: a conditional logit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from pozytywka_cli.evaluation import Flags, Floats, Ints
from pozytywka_cli.families.recommend.features.outcomes import Outcomes
from pozytywka_cli.families.recommend.features.signals import ALL, NEW, Signals

MOST_USERS, MOST_TRACKS = 200, 1000  # drawn users that weights are fitted on, and drawn tracks of each beside targets
ITERATIONS = 100
CONSTANT = 1e-9  # of its mean: a signal whose spread is smaller is the same everywhere, but for rounding


@dataclass(frozen=True)
class Choices:
    """What each of some users chose from, user after user.

    signals: (rows, signals); chosen: (rows,); starts: (users + 1,) where each user's rows begin; folds: (users,)
    """

    signals: NDArray[np.float64]
    chosen: Flags
    starts: Ints
    folds: Ints

    def without(self, fold: int) -> "Choices":
        """Return the choices of the users of other folds; of all if there are no others."""
        kept = self.folds != fold
        if not kept.any():
            return self
        lengths = np.diff(self.starts)
        rows = np.repeat(kept, lengths)
        starts = np.concatenate([[0], np.cumsum(lengths[kept])])
        return Choices(self.signals[rows], self.chosen[rows], starts, self.folds[kept])


def drawn_choices(outcomes: Outcomes, signals: Signals, folds: Ints, *, new: bool, seed: int) -> Choices:
    """Return, of at most `MOST_USERS` users, all targets that have plays, and a uniform sample of other tracks.

    Such a sample of what was not chosen leaves the weights of a conditional logit as they are (McFadden, 1978).
    folds: (users of the history,)
    """
    random = np.random.default_rng(seed)
    history = outcomes.history
    targets = outcomes.targets(new=new).multiply(history.eligible).tocsr()
    targets.eliminate_zeros()
    rows = np.sort(random.permutation(np.flatnonzero(np.diff(targets.indptr)))[:MOST_USERS])
    profiles = [history.profile(row) for row in rows]
    parts, chosen = [np.zeros((0, len(NEW if new else ALL)))], [np.zeros(0, dtype=bool)]
    for profile, row, values in zip(profiles, rows, signals.of(profiles, NEW if new else ALL), strict=True):
        wanted = targets[[row]].toarray()[0] > 0
        others = history.eligible & ~wanted
        if new:
            others[profile.heard] = False
        sample = random.permutation(np.flatnonzero(others))[:MOST_TRACKS]
        tracks = np.concatenate([np.flatnonzero(wanted), np.sort(sample)])
        parts.append(values[:, tracks].T)
        chosen.append(wanted[tracks])
    starts = np.cumsum([len(one) for one in chosen])
    return Choices(np.concatenate(parts), np.concatenate(chosen), starts, folds[rows])


def fit_weights(choices: Choices, names: Sequence[str], penalty: float) -> dict[str, float]:
    """Return the weight of each signal by a conditional logit (McFadden, 1974) with an L2 penalty; 0 without choices.

    Signals are standardised over all rows first. The log likelihood of a user's choices is divided by the root of
    their number, or the users who play most would decide alone.
    """
    if not choices.chosen.any():
        return dict.fromkeys(names, 0.0)
    mean, spread = choices.signals.mean(axis=0), choices.signals.std(axis=0)
    scale = np.where(spread > CONSTANT * np.abs(mean), spread, np.inf)
    found = conditional_logit((choices.signals - mean) / scale, choices.chosen, choices.starts, penalty)
    return dict(zip(names, (found / scale).tolist(), strict=True))


def conditional_logit(inputs: NDArray[np.float64], chosen: Flags, starts: Ints, penalty: float) -> Floats:
    """Return the weights (inputs,) with the highest penalised likelihood; for the arguments see `Choices`."""
    first = starts[:-1]
    counts = np.add.reduceat(chosen.astype(np.float64), first)
    user = np.repeat(np.arange(len(first)), np.diff(starts))
    share = counts**-0.5
    observed = (share[user] * chosen) @ inputs

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = inputs @ weights
        top = np.maximum.reduceat(scores, first)
        odds = np.exp(scores - top[user])
        total = np.add.reduceat(odds, first)
        likelihood = observed @ weights - (share * counts * (np.log(total) + top)).sum()
        expected = ((share * counts / total)[user] * odds) @ inputs
        return penalty / 2 * weights @ weights - likelihood, penalty * weights - observed + expected

    start = np.zeros(inputs.shape[1])
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": ITERATIONS}).x)
