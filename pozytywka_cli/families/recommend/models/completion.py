"""The probability that a user plays a track to its end, from the skip family, whichever way it is asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pozytywka_cli.catalogue.string_table import take
from pozytywka_cli.evaluation import Floats, Ints
from pozytywka_cli.families.predictor import Answerer, Predictor
from pozytywka_cli.families.recommend.features.history import Profile
from pozytywka_cli.families.recommend.features.tracks import Tracks

LEAST = 1e-6  # the least probability of a play to the end, so that its logarithm is finite

# the probabilities, (n,), that users, (n,), skip tracks, n ids, if they play them next
Skips = Callable[[Ints, Sequence[str]], Floats]


def by_predictor(predictor: Predictor) -> Skips:
    """Ask a predictor of skips, with frames."""

    def skips(users: Ints, tracks: Sequence[str]) -> Floats:
        import polars as pl

        pairs = pl.DataFrame({"user_id": users, "track_id": tracks})
        return predictor.predict(pairs)["probability"].to_numpy()

    return skips


def by_answerer(answerer: Answerer) -> Skips:
    """Ask an answerer of skips, without frames."""

    def skips(users: Ints, tracks: Sequence[str]) -> Floats:
        pairs = zip(users.tolist(), tracks, strict=True)
        answers = answerer.answer([answerer.Request(user_id=user, track_id=track) for user, track in pairs])
        return np.array([row["probability"] for (row,) in answers])

    return skips


@dataclass(frozen=True)
class Completion:
    """A model of skips, asked about the next play after what it knows."""

    skips: Skips
    tracks: Tracks

    def logarithms(self, profiles: Sequence[Profile], lists: Sequence[Ints]) -> list[Floats]:
        """Return for each profile the logarithm of the probability that each track of a list is played to its end."""
        lengths = [len(one) for one in lists]
        users = np.repeat(np.array([profile.user for profile in profiles], dtype=np.int64), lengths)
        tracks = take(self.tracks.ids, np.concatenate([np.zeros(0, np.int64), *lists]))
        skipped = self.skips(users, tracks) if tracks else np.zeros(0)
        logarithms = np.log(np.maximum(1 - skipped, LEAST))
        return [logarithms[end - length : end] for length, end in zip(lengths, np.cumsum(lengths), strict=True)]
