"""The variants, and the plain methods beside them, as scores over the candidates of a split."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from implicit.nearest_neighbours import bm25_weight, normalize
from scipy.sparse import csr_matrix

from pozytywka_cli.families.similar.metrics import Matrix
from pozytywka_cli.families.similar.splits import Ints, Split


@dataclass(frozen=True)
class Popularity:
    """More listeners, higher score, whoever asks; `listeners` is (candidates,)."""

    listeners: Ints

    def of_artists(self, artists: Ints) -> Matrix:
        """The same row for every artist."""
        return np.broadcast_to(self.listeners.astype(np.float32), (len(artists), len(self.listeners)))

    of_users = of_artists


@dataclass(frozen=True)
class Latent:
    """Factors: the cosine for two artists, the product for a user and an artist.

    users: (users, k); artists: (artists, k); candidates: rows of `artists`
    """

    users: Matrix
    artists: Matrix
    candidates: Ints

    @cached_property
    def directions(self) -> Matrix:
        """Of the candidates: (candidates, k), rows of length 1."""
        return unit(self.artists[self.candidates])

    def of_artists(self, artists: Ints) -> Matrix:
        """Cosines, -1 to 1."""
        scores: Matrix = unit(self.artists[artists]) @ self.directions.T
        return scores

    def of_users(self, users: Ints) -> Matrix:
        """Products of factors."""
        scores: Matrix = self.users[users] @ self.artists[self.candidates].T
        return scores


@dataclass(frozen=True)
class Neighbours:
    """Item neighbours without a model; a user's score sums those of the user's artists.

    likeness: (artists, candidates); held_in: (users, artists)
    """

    likeness: csr_matrix
    held_in: csr_matrix

    def of_artists(self, artists: Ints) -> Matrix:
        """Rows of `likeness`."""
        scores: Matrix = self.likeness[artists].toarray()
        return scores

    def of_users(self, users: Ints) -> Matrix:
        """Sums over what each user has held in, each artist in proportion to its entry."""
        scores: Matrix = (self.held_in[users] @ self.likeness).toarray()
        return scores


def unit(factors: Matrix) -> Matrix:
    """Rows of length 1; a row of zeros stays, and is like nothing."""
    lengths = np.linalg.norm(factors, axis=1, keepdims=True)
    directions: Matrix = factors / np.maximum(lengths, np.finfo(np.float32).tiny)
    return directions


def cosine(split: Split) -> Neighbours:
    """The cosine of two artists' sets of listeners."""
    held_in = split.training.sign()
    return Neighbours(_likeness(normalize(held_in.T).T, split.candidates), held_in)


def bm25(split: Split) -> Neighbours:
    """The product of two artists' BM25-weighted counts (Robertson and Zaragoza, 2009; K1 1.2, B .75)."""
    return Neighbours(_likeness(bm25_weight(split.training.T, K1=1.2, B=0.75).T, split.candidates), split.training)


def _likeness(weights: csr_matrix, candidates: Ints) -> csr_matrix:
    weights = csr_matrix(weights, dtype=np.float32)
    return weights.T.tocsr() @ weights[:, candidates]
