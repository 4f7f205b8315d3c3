"""From the scores of all tracks to a list: candidates, P(played to the end), diversity."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Floats, Ints
from pozytywka_cli.families.recommend.features.history import History, Profile
from pozytywka_cli.families.recommend.metrics import similarity
from pozytywka_cli.families.recommend.models.completion import Completion
from pozytywka_cli.families.recommend.models.diversity import diverse, with_quota
from pozytywka_cli.families.recommend.models.scorers import Scorer

POOL = 100  # candidates of a list, at least


@dataclass(frozen=True)
class Wish:
    """What a list shall be: how long, of new tracks only or of all, how diverse, with how many tracks of the tail."""

    count: int
    new: bool = True
    diversity: float = 0.0
    tail: int = 0


@dataclass(frozen=True)
class Recommended:
    """A list, best first.

    tracks: (n,) numbers of tracks
    scores: (n,) what they are ranked by; first: (n,) the same without P(played to the end)
    """

    tracks: Ints
    scores: Floats
    first: Floats


@dataclass(frozen=True)
class Ranker:
    """A variant that makes lists.

    completion: P(played to the end), if the variant asks for it
    weights: of the scorer's score and of the logarithm of that probability, for new tracks and for all
    """

    history: History
    scorer: Scorer
    completion: Completion | None = None
    weights: tuple[tuple[float, float], tuple[float, float]] = ((1.0, 0.0), (1.0, 0.0))

    @property
    def ranks_by_completion(self) -> bool:
        """Whether P(played to the end) alone orders a list."""
        return all(score == 0 for score, _ in self.weights)

    def lists(self, profiles: Sequence[Profile], wishes: Sequence[Wish]) -> list[Recommended]:
        """Return a list for each profile, shorter where there are not so many tracks. It does not depend on others."""
        pools = self.pools(profiles, wishes)
        likely = self._likely(profiles, [tracks for tracks, _ in pools])
        return [
            self._list(wish, tracks, first, log)
            for wish, (tracks, first), log in zip(wishes, pools, likely, strict=True)
        ]

    def pools(self, profiles: Sequence[Profile], wishes: Sequence[Wish]) -> list[tuple[Ints, Floats]]:
        """Return the candidates of each list, best first, with the scorer's scores."""
        found: dict[int, tuple[Ints, Floats]] = {}
        for new in (True, False):
            places = [place for place, wish in enumerate(wishes) if wish.new == new]
            scored = self.scorer.scores([profiles[place] for place in places], new=new)
            for place, scores in zip(places, scored, strict=True):
                found[place] = self._pool(profiles[place], wishes[place], scores.copy())
        return [found[place] for place in range(len(profiles))]

    def _pool(self, profile: Profile, wish: Wish, scores: Floats) -> tuple[Ints, Floats]:
        scores[profile.asked] = -np.inf
        if wish.new:
            scores[profile.heard] = -np.inf
        if profile.within.any():
            scores[self.history.tracks.genres @ profile.within == 0] = -np.inf
        pool = best(scores, max(POOL, 2 * wish.count if wish.diversity else wish.count))
        if wish.tail:
            rare = best(np.where(self.history.tail, scores, -np.inf), wish.tail)
            pool = np.concatenate([pool, rare[~np.isin(rare, pool)]])
        return pool, scores[pool]

    def _likely(self, profiles: Sequence[Profile], pools: Sequence[Ints]) -> Iterator[Floats]:
        """Yield the logarithm of P(played to the end) of each pool; 0 where the variant does not ask for it."""
        if self.completion is None:
            return (np.zeros(len(pool)) for pool in pools)
        return iter(self.completion.logarithms(profiles, pools))

    def _list(self, wish: Wish, tracks: Ints, first: Floats, likely: Floats) -> Recommended:
        score, probability = self.weights[0 if wish.new else 1]
        scores = score * first + probability * likely
        order = np.argsort(-scores, kind="stable")
        tracks, first, scores = tracks[order], first[order], scores[order]
        similar = self._similarity(tracks) if wish.diversity else np.zeros((len(tracks), len(tracks)))
        taken = diverse(scores, similar, wish.count, wish.diversity)
        taken = with_quota(taken, np.arange(len(tracks)), self.history.tail[tracks], wish.tail)
        return Recommended(tracks[taken], scores[taken], first[taken])

    def _similarity(self, chosen: Ints) -> NDArray[np.float64]:
        tracks = self.history.tracks
        return similarity(tracks.genres[chosen], tracks.artists[chosen])


def best(scores: Floats, count: int) -> Ints:
    """Return the tracks with the `count` highest scores above -inf, best first; of equals, the first ones."""
    possible = np.flatnonzero(scores > -np.inf)
    if len(possible) > count:
        least = np.partition(scores[possible], len(possible) - count)[len(possible) - count]
        possible = possible[scores[possible] >= least]  # with all that equal the last one, so that the first ones win
    return possible[np.argsort(-scores[possible], kind="stable")][:count]
