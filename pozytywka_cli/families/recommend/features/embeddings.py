"""The ALS embeddings of tracks, and of a user whose plays may be newer than they are."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pozytywka_cli.evaluation import Floats, Ints
from pozytywka_cli.families.recommend.features.history import Profile
from pozytywka_cli.families.recommend.features.vectors import Matrix, TrackVectors
from pozytywka_cli.threads import one_blas_thread


@dataclass(frozen=True)
class Embeddings:
    """Embeddings of tracks by alternating least squares (Hu, Koren and Volinsky, 2008).

    vectors: of the tracks that had plays
    confidence: of a track of weight 1, see `Profile.weights`; regularization: as in training
    """

    vectors: TrackVectors
    confidence: float
    regularization: float

    def of_user(self, profile: Profile) -> tuple[Floats, Matrix]:
        """Return a user's embedding, (k,), and the matrix that it is computed with, (k, k).

        That is half an iteration of ALS for one user (equation 4). A score is the product with a track's vector.
        """
        own, confidence = self.vectors[profile.tracks], self.confidence * profile.weights
        inverse = np.asarray(np.linalg.inv(self._gram + (own.T * (confidence - 1)) @ own), dtype=np.float64)
        return inverse @ (own.T @ confidence), inverse

    def contributions(self, profile: Profile, tracks: Ints) -> Matrix:
        """Return how much each track of a profile adds to the scores of `tracks`: (tracks, profile's tracks).

        A score is the sum of these (section 5).
        """
        with one_blas_thread():
            _, inverse = self.of_user(profile)
            similarity = self.vectors[tracks] @ inverse @ self.vectors[profile.tracks].T
        weighed: Matrix = similarity * (self.confidence * profile.weights)
        return weighed

    @cached_property
    def _gram(self) -> Matrix:
        rows = self.vectors.rows
        return rows.T @ rows + self.regularization * np.eye(rows.shape[1])
