"""Hold out a random fifth of every user's artists; a scorer has to rank them above others."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import Ints

TUNING_SPLIT = 0  # settings are tuned on it, and the metrics saved with a model come from it
SPLITS = (TUNING_SPLIT, 1, 2, 3)
MIN_ARTISTS = 5
HELD_OUT_SHARE = 0.2
TRAINING, HELD_OUT = 1, 2  # marks of a candidate in a user's training part, and of a held-out one


@dataclass(frozen=True)
class Split:
    """A training part and a held-out part of the listens, both (users, artists); `candidates` are columns of them."""

    training: csr_matrix
    held_out: csr_matrix
    candidates: Ints
    seed: int

    @cached_property
    def listeners(self) -> Ints:
        """The number of users that listened to each candidate in the training part."""
        return np.bincount(self.training.indices, minlength=self.training.shape[1])[self.candidates]

    @cached_property
    def users(self) -> Ints:
        """The users with held-out artists."""
        return np.flatnonzero(np.diff(self.held_out.indptr))

    @cached_property
    def marks(self) -> csr_matrix:
        """TRAINING, HELD_OUT or 0 for all users and candidates, int8."""
        trained, held_out = (part[:, self.candidates].sign().astype(np.int8) for part in (self.training, self.held_out))
        return TRAINING * trained + HELD_OUT * held_out


def hold_out(counts: csr_matrix, *, seed: int, min_listeners: int) -> Split:
    """Hold out a random fifth, rounded, of the artists of every user with at least 5.

    Candidates are the artists that keep `min_listeners` listeners in the training part.

    Raises:
        RefusedError: no user has 5 artists, there are fewer than two candidates, or none of them is held out.
    """
    sizes = np.diff(counts.indptr)
    if sizes.max() < MIN_ARTISTS:
        problem = f"no user has listened to {MIN_ARTISTS} artists (at most {sizes.max()}), so nothing can be held out"
        hint = f"Give more plays: the model is tested on users with at least {MIN_ARTISTS} artists."
        raise RefusedError(problem, hint)
    users = np.repeat(np.arange(len(sizes)), sizes)
    quotas = np.where(sizes >= MIN_ARTISTS, np.rint(HELD_OUT_SHARE * sizes), 0)
    chosen = random_ranks(sizes, np.random.default_rng(seed)) < quotas[users]
    training, held_out = (
        csr_matrix((counts.data[mask], (users[mask], counts.indices[mask])), shape=counts.shape)
        for mask in (~chosen, chosen)
    )
    split = Split(training, held_out, frequent_artists(training, min_listeners), seed)
    if HELD_OUT not in split.marks.data:
        problem = f"none of the {held_out.nnz} held-out artists has {min_listeners} listeners in the training part"
        raise RefusedError(problem, "Give more plays, or lower --set similar.min_listeners=N.")
    return split


def without_hold_out(counts: csr_matrix, min_listeners: int = 1) -> Split:
    """Return all listens as the training part, and the artists with `min_listeners` listeners as candidates."""
    return Split(counts, csr_matrix(counts.shape, dtype=counts.dtype), frequent_artists(counts, min_listeners), 0)


def frequent_artists(counts: csr_matrix, min_listeners: int) -> Ints:
    """Return the artists with at least `min_listeners` listeners, as columns of `counts`.

    Raises:
        RefusedError: there are fewer than two, so that none has a neighbour.
    """
    listeners = np.bincount(counts.indices, minlength=counts.shape[1])
    frequent = np.flatnonzero(listeners >= min_listeners)
    if len(frequent) < 2:
        most = f"(the most that any has is {listeners.max()})"
        hint = "Two are needed: give more plays, or lower --set similar.min_listeners=N."
        raise RefusedError(f"{len(frequent)} artists have {min_listeners} listeners {most}", hint)
    return frequent


def random_ranks(sizes: Ints, random: np.random.Generator) -> Ints:
    """Return the rank (entries,), from 0, of each entry in a random order of its user's entries.

    sizes: (users,) the number of entries of each user; entries are grouped by user
    """
    users = np.repeat(np.arange(len(sizes)), sizes)
    order = np.lexsort((random.random(len(users)), users))
    ranks = np.empty(len(users), dtype=np.int64)
    ranks[order] = np.arange(len(users)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return ranks
