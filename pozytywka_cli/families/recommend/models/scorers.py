"""Scores of all tracks for a user, by variant; the tracks with the highest ones are recommended."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Floats
from pozytywka_cli.families.recommend.features.history import History, Profile
from pozytywka_cli.families.recommend.features.signals import Signals
from pozytywka_cli.families.recommend.features.vectors import TrackVectors
from pozytywka_cli.threads import one_blas_thread

NEVER = -np.inf  # the score of a track that a variant cannot recommend


class Scorer(Protocol):
    """A variant, with the plays that are known."""

    def scores(self, profiles: Sequence[Profile], *, new: bool) -> Iterator[Floats]:
        """Yield scores of all tracks, (tracks,), for each profile; `NEVER` for those that it cannot recommend.

        With `new` only those will be recommended that are new to the user. Scores do not depend on other profiles.
        """


@dataclass(frozen=True)
class Popular:
    """`popular`: the number of plays."""

    history: History

    def scores(self, profiles: Sequence[Profile], *, new: bool) -> Iterator[Floats]:
        """Yield the same scores for every profile."""
        plays = np.where(self.history.eligible, self.history.plays_of_tracks, NEVER)
        return (plays for _ in profiles)


@dataclass(frozen=True)
class Own:
    """`own`: how often the user has played a track to its end; of equals, the more popular one comes first."""

    history: History

    def scores(self, profiles: Sequence[Profile], *, new: bool) -> Iterator[Floats]:
        """Yield full plays, plus less than 1 for popularity."""
        plays = self.history.plays_of_tracks
        popularity = np.where(self.history.eligible, plays / (1 + plays.max(initial=0)), NEVER)
        for profile in profiles:
            scores = popularity.copy()
            scores[profile.tracks] += profile.full
            yield scores


@dataclass(frozen=True)
class Random:
    """`random`: any track that has plays, another order for each user and seed."""

    history: History
    seed: int

    def scores(self, profiles: Sequence[Profile], *, new: bool) -> Iterator[Floats]:
        """Yield random numbers in 0..1."""
        for profile in profiles:
            draws = np.random.default_rng([self.seed, abs(profile.user)]).random(len(self.history.tracks))
            yield np.where(self.history.eligible, draws, NEVER)


@dataclass(frozen=True)
class Als:
    """`als`: the product of the embeddings of user and track; popularity for a user without an embedding."""

    signals: Signals

    def knows(self, profile: Profile) -> bool:
        """Return whether the user has played a track that has an embedding."""
        return bool(self.signals.embeddings.vectors.known[profile.tracks].any())

    def scores(self, profiles: Sequence[Profile], *, new: bool) -> Iterator[Floats]:
        """Yield ALS scores."""
        known = self.signals.embeddings.vectors.known
        for profile in profiles:
            if self.knows(profile):
                ((score,),) = self.signals.of([profile], ["als"])
                yield np.where(known, score, NEVER)
            else:
                yield from Popular(self.signals.history).scores([profile], new=new)


@dataclass(frozen=True)
class Autoencoder:
    """`autoencoder`: how close a track's code is to those of the user's full plays of the last 28 days.

    codes: of length 1, or 0 for a track that is newer than the model
    """

    history: History
    codes: TrackVectors

    def scores(self, profiles: Sequence[Profile], *, new: bool) -> Iterator[Floats]:
        """Yield the cosine with the mean code; popularity where the user has no such plays."""
        for profile in profiles:
            query = profile.queried @ self.codes[profile.tracks]
            if not query.any():
                yield from Popular(self.history).scores([profile], new=new)
                continue
            with one_blas_thread():
                cosine = self.codes.products(query / np.linalg.norm(query))
            yield np.where(self.codes.known, cosine, NEVER)


@dataclass(frozen=True)
class Blend:
    """`blend` without P(played to the end): a weighted sum of signals.

    weights: for tracks that are new to the user, and for all tracks: the weight of each signal by its name
    """

    signals: Signals
    new: Mapping[str, float]
    all: Mapping[str, float]

    def scores(self, profiles: Sequence[Profile], *, new: bool) -> Iterator[Floats]:
        """Yield weighted sums."""
        weights = self.new if new else self.all
        eligible = self.signals.history.eligible
        for values in self.signals.of(profiles, list(weights)):
            yield np.where(eligible, weighted(values, weights), NEVER)


def weighted(values: NDArray[np.float64], weights: Mapping[str, float]) -> Floats:
    """Return the sum of signals (names, tracks) times their weights: (tracks,)."""
    total = np.zeros(values.shape[1])
    for value, weight in zip(values, weights.values(), strict=True):  # not a product of matrices: always the same bits
        total += weight * value
    return total
