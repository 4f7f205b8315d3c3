"""The variants and the reference methods, as scores over the candidates of a split."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from implicit.nearest_neighbours import bm25_weight, normalize
from scipy.sparse import csr_matrix

from pozytywka_cli.evaluation import Ints
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.similar.metrics import Matrix, Scorer
from pozytywka_cli.families.similar.models import als, ppmi
from pozytywka_cli.families.similar.models.similarity import combined
from pozytywka_cli.families.similar.splits import Split


@dataclass(frozen=True)
class Popularity:
    """The number of listeners (candidates,) as the score, for every artist and user."""

    listeners: Ints

    def of_artists(self, artists: Ints) -> Matrix:
        """Return the same row for every artist."""
        return np.broadcast_to(self.listeners.astype(np.float32), (len(artists), len(self.listeners)))

    of_users = of_artists


@dataclass(frozen=True)
class Embeddings:
    """ALS factors: the cosine of two artists, the product of a user and an artist.

    users: (users, k); artists: (artists, k); candidates: rows of `artists`
    """

    users: Matrix
    artists: Matrix
    candidates: Ints

    @classmethod
    def fit(cls, split: Split, run: TrainingRun) -> "Embeddings":
        """Fit ALS on the training part of a split."""
        stage = f"fit on split {split.seed}" if split.held_out.nnz else "fit on all data"
        fit = als.fit(split.training, run, stage=stage)
        return cls(fit.users, fit.artists, split.candidates)

    @cached_property
    def directions(self) -> Matrix:
        """The candidates' factors with length 1: (candidates, k)."""
        return unit(self.artists[self.candidates])

    def of_artists(self, artists: Ints) -> Matrix:
        """Return cosines, -1 to 1."""
        scores: Matrix = unit(self.artists[artists]) @ self.directions.T
        return scores

    def of_users(self, users: Ints) -> Matrix:
        """Return products of factors."""
        scores: Matrix = self.users[users] @ self.artists[self.candidates].T
        return scores


@dataclass(frozen=True)
class Contexts:
    """PPMI rows: the cosine of two artists; a user's score is the sum over the user's artists.

    rows: (artists, candidates), of length 1; training: (users, artists); candidates: columns of it
    """

    rows: csr_matrix
    training: csr_matrix
    candidates: Ints

    @classmethod
    def fit(cls, split: Split) -> "Contexts":
        """Compute the rows from the training part of a split."""
        return cls(ppmi.contexts(split.training, split.candidates), split.training.sign(), split.candidates)

    @cached_property
    def columns(self) -> csr_matrix:
        """The rows of the candidates, transposed: (candidates as contexts, candidates)."""
        return self.rows[self.candidates].T.tocsr()

    def of_artists(self, artists: Ints) -> Matrix:
        """Return cosines, 0 to 1."""
        scores: Matrix = (self.rows[artists] @ self.columns).toarray()
        return scores

    def of_users(self, users: Ints) -> Matrix:
        """Return sums of cosines with each user's artists."""
        scores: Matrix = (self.training[users] @ self.rows @ self.columns).toarray()
        return scores


@dataclass(frozen=True)
class TwoCosines:
    """The mean of both cosines of two artists; for a user, the product of ALS alone."""

    embeddings: Embeddings
    contexts: Contexts

    def of_artists(self, artists: Ints) -> Matrix:
        """Return means that rank as those that are answered, which few listeners of the artist lower alike."""
        return combined(self.embeddings.of_artists(artists), self.contexts.of_artists(artists))

    def of_users(self, users: Ints) -> Matrix:
        """Return products of factors."""
        return self.embeddings.of_users(users)


def fitted(split: Split, run: TrainingRun, variants: Collection[str]) -> dict[str, Scorer]:
    """Fit variants on the training part of a split: ALS once for those that need it, and PPMI once."""
    scorers: dict[str, Scorer] = {"popularity": Popularity(split.listeners)}
    if "two-cosines" in variants or "als" in variants:
        scorers["als"] = embeddings = Embeddings.fit(split, run)
    if "two-cosines" in variants or "ppmi" in variants:
        scorers["ppmi"] = contexts = Contexts.fit(split)
    if "two-cosines" in variants:
        scorers["two-cosines"] = TwoCosines(embeddings, contexts)
    return {variant: scorers[variant] for variant in variants}


@dataclass(frozen=True)
class Neighbours:
    """Item neighbours without a model; a user's score is the sum over the user's artists.

    similarity: (artists, candidates); training: (users, artists)
    """

    similarity: csr_matrix
    training: csr_matrix

    def of_artists(self, artists: Ints) -> Matrix:
        """Return rows of `similarity`."""
        scores: Matrix = self.similarity[artists].toarray()
        return scores

    def of_users(self, users: Ints) -> Matrix:
        """Return sums over each user's artists, weighted by their entries."""
        scores: Matrix = (self.training[users] @ self.similarity).toarray()
        return scores


def unit(factors: Matrix) -> Matrix:
    """Scale rows to length 1; a row of zeros stays zero."""
    lengths = np.linalg.norm(factors, axis=1, keepdims=True)
    directions: Matrix = factors / np.maximum(lengths, np.finfo(np.float32).tiny)
    return directions


def cosine(split: Split) -> Neighbours:
    """Score by the cosine of two artists' sets of listeners."""
    training = split.training.sign()
    return Neighbours(_similarity(normalize(training.T).T, split.candidates), training)


def bm25(split: Split) -> Neighbours:
    """Score by the product of two artists' BM25-weighted counts (Robertson and Zaragoza, 2009; K1 1.2, B .75)."""
    return Neighbours(_similarity(bm25_weight(split.training.T, K1=1.2, B=0.75).T, split.candidates), split.training)


def _similarity(weights: csr_matrix, candidates: Ints) -> csr_matrix:
    weights = csr_matrix(weights, dtype=np.float32)
    return weights.T.tocsr() @ weights[:, candidates]
