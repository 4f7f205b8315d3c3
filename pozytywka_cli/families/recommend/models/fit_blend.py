"""Fit the weights of the blend: which signals tell the tracks that users played to the end from all others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pozytywka_cli.dataset.splits import user_folds
from pozytywka_cli.evaluation import Floats, Ints, jackknife
from pozytywka_cli.families.recommend.features.history import Profile
from pozytywka_cli.families.recommend.features.outcomes import Outcomes
from pozytywka_cli.families.recommend.features.signals import ALL, NEW, Signals
from pozytywka_cli.families.recommend.models.choices import MOST_USERS, Choices, drawn_choices, fit_weights
from pozytywka_cli.families.recommend.models.completion import Completion
from pozytywka_cli.families.recommend.models.lists import Ranker, Wish
from pozytywka_cli.families.recommend.models.model import BlendWeights, Weights
from pozytywka_cli.families.recommend.models.scorers import NEVER, Als, weighted

FOLDS = 5  # of users: each is measured with weights that were fitted on the others
BOTH = ("score", "probability")  # of the candidates that the weight of P(played to the end) is fitted on
PENALTY = 1.0  # on the weights of both
CANDIDATES = 100  # of each user that the weight of P(played to the end) is fitted on


@dataclass(frozen=True)
class OutOfFold:
    """The blend, with weights for each user that were fitted without that user's plays.

    new, all: the weights of each fold; folds: by the user's id
    """

    signals: Signals
    new: Sequence[Mapping[str, float]]
    all: Sequence[Mapping[str, float]]
    folds: dict[int, int]

    def scores(self, profiles: Sequence[Profile], *, new: bool) -> Iterator[Floats]:
        """Yield weighted sums of signals, see `Blend`."""
        weights, names = (self.new, NEW) if new else (self.all, ALL)
        eligible = self.signals.history.eligible
        for profile, values in zip(profiles, self.signals.of(profiles, names), strict=True):
            yield np.where(eligible, weighted(values, weights[self.folds[profile.user]]), NEVER)


class FittedBlend(NamedTuple):
    """The weights of the blend, and the blend as it is measured on the same days: no user with weights of its own.

    als: ALS, which the blend is made of
    """

    weights: BlendWeights
    measured: Ranker
    als: Ranker


def fit_blend(
    outcomes: Outcomes, signals: Signals, completion: Completion | None, *, penalty: float, seed: int
) -> FittedBlend:
    """Fit the weights of the blend to what users played in the days after a moment.

    The weight of P(played to the end) is fitted last, on the best candidates by the signals.
    """
    ids = outcomes.history.users
    folds = user_folds(ids, FOLDS)
    drawn = [drawn_choices(outcomes, signals, folds, new=new, seed=seed) for new in (True, False)]
    named = list(zip(drawn, (NEW, ALL), strict=True))
    new, every = (fit_weights(choices, names, penalty) for choices, names in named)
    of_new, of_all = ([fit_weights(one.without(fold), names, penalty) for fold in range(FOLDS)] for one, names in named)
    scorer = OutOfFold(signals, of_new, of_all, dict(zip(ids.tolist(), folds.tolist(), strict=True)))
    likely = (0.0, 0.0)
    if completion:
        likely = completion_weights(outcomes, Ranker(outcomes.history, scorer), completion, seed)
    weights = BlendWeights(Weights(new, likely[0]), Weights(every, likely[1]))
    measured = Ranker(outcomes.history, scorer, completion, ((1.0, likely[0]), (1.0, likely[1])))
    return FittedBlend(weights, measured, Ranker(outcomes.history, Als(signals)))


def completion_weights(outcomes: Outcomes, ranker: Ranker, completion: Completion, seed: int) -> tuple[float, float]:
    """Return what the logarithm of P(played to the end) weighs beside the score of a ranker, for new tracks and all."""
    rows = np.sort(np.random.default_rng(seed).permutation(outcomes.users(new=False))[:MOST_USERS])
    profiles = 2 * [outcomes.history.profile(row) for row in rows]
    pools = ranker.pools(profiles, [Wish(CANDIDATES, new) for new in (True, False) for _ in rows])
    likely = completion.logarithms(profiles, [tracks for tracks, _ in pools])
    candidates = [(tracks, np.column_stack([first, log])) for (tracks, first), log in zip(pools, likely, strict=True)]
    return (
        _completion_weight(outcomes.targets(new=True)[rows], candidates[: len(rows)]),
        _completion_weight(outcomes.targets(new=False)[rows], candidates[len(rows) :]),
    )


def _completion_weight(targets: csr_matrix, candidates: Sequence[tuple[Ints, NDArray[np.float64]]]) -> float:
    """Return the weight of the second column of the candidates' inputs beside the first; 0 if it is not shown to help.

    targets: (users, tracks); candidates: for each user tracks (n,) and inputs (n, 2)
    """
    parts, chosen = [np.zeros((0, 2))], [np.zeros(0, dtype=bool)]
    for wanted, (tracks, inputs) in zip(np.split(targets.indices, targets.indptr[1:-1]), candidates, strict=True):
        hits = np.isin(tracks, wanted)
        if hits.any():
            parts.append(inputs)
            chosen.append(hits)
    starts = np.cumsum([len(one) for one in chosen])
    choices = Choices(np.concatenate(parts), np.concatenate(chosen), starts, np.arange(len(starts) - 1) % FOLDS)
    score, probability = fit_weights(choices, BOTH, PENALTY).values()
    if score <= 0 or probability <= 0:
        return 0.0
    without = [fit_weights(choices.without(fold), BOTH, PENALTY)["probability"] for fold in range(FOLDS)]
    users = np.bincount(choices.folds, minlength=FOLDS).astype(np.float64)
    low = jackknife(probability, np.array(without), users).low
    return probability / score if low is not None and low > 0 else 0.0
