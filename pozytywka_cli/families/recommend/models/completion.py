"""The probability that a user plays a track to its end, from the predictor of the skip family."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from pozytywka_cli.evaluation import Floats, Ints
from pozytywka_cli.families.family import Predictor
from pozytywka_cli.families.recommend.features.history import Profile
from pozytywka_cli.families.recommend.features.tracks import Tracks

LEAST = 1e-6  # the least probability of a play to the end, so that its logarithm is finite


@dataclass(frozen=True)
class Completion:
    """A predictor of skips, asked about the next play after what it knows."""

    predictor: Predictor
    tracks: Tracks

    def logarithms(self, profiles: Sequence[Profile], lists: Sequence[Ints]) -> list[Floats]:
        """Return for each profile the logarithm of the probability that each track of a list is played to its end."""
        lengths = [len(one) for one in lists]
        users = np.array([profile.user for profile in profiles], dtype=np.int64)
        numbers = np.concatenate([np.zeros(0, np.int64), *lists])
        pairs = pl.DataFrame({"user_id": np.repeat(users, lengths), "track_id": self.tracks.ids.gather(numbers)})
        skipped = self.predictor.predict(pairs)["probability"].to_numpy() if len(pairs) else np.zeros(0)
        logarithms = np.log(np.maximum(1 - skipped, LEAST))
        return [logarithms[end - length : end] for length, end in zip(lengths, np.cumsum(lengths), strict=True)]
