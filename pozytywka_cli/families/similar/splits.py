"""Listens apart in two: a fifth of every user's artists is hidden, and a scorer has to find them again."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pozytywka_cli.errors import RefusedError

Ints = NDArray[np.int64]

FEWEST_ARTISTS = 5
HELD_OUT = 0.2
HEARD, HIDDEN = 1, 2  # a candidate in a user's training part, and one held out


@dataclass(frozen=True)
class Split:
    """Listens apart in two; both matrices are (users, artists), and `candidates` are columns of them."""

    training: csr_matrix
    held_out: csr_matrix
    candidates: Ints
    seed: int

    @cached_property
    def listeners(self) -> Ints:
        """How many users listened to each candidate in the training part."""
        return np.bincount(self.training.indices, minlength=self.training.shape[1])[self.candidates]

    @cached_property
    def users(self) -> Ints:
        """The users that have something held out."""
        return np.flatnonzero(np.diff(self.held_out.indptr))

    @cached_property
    def known(self) -> csr_matrix:
        """For all users and candidates: HEARD, HIDDEN or nothing, int8."""
        heard, hidden = (_marks(part, self.candidates) for part in (self.training, self.held_out))
        return HEARD * heard + HIDDEN * hidden


def hold_out(counts: csr_matrix, *, seed: int, min_listeners: int) -> Split:
    """Hide a random fifth, rounded, of the artists of every user who has at least 5.

    Raises:
        RefusedError: no user has; or fewer than two artists, or none of the hidden, have `min_listeners` that remain.
    """
    sizes = np.diff(counts.indptr)
    if sizes.max() < FEWEST_ARTISTS:
        raise RefusedError(
            f"no user has listened to {FEWEST_ARTISTS} artists (at most {sizes.max()}), so nothing can be held out",
            f"Give more plays: quality is measured on artists hidden from users who have at least {FEWEST_ARTISTS}.",
        )
    users = np.repeat(np.arange(len(sizes)), sizes)
    share = np.where(sizes >= FEWEST_ARTISTS, np.rint(HELD_OUT * sizes), 0)
    hidden = drawn_places(sizes, np.random.default_rng(seed)) < share[users]
    training, held_out = (
        csr_matrix((counts.data[kept], (users[kept], counts.indices[kept])), shape=counts.shape)
        for kept in (~hidden, hidden)
    )
    split = Split(training, held_out, popular(training, min_listeners), seed)
    if HIDDEN not in split.known.data:
        raise RefusedError(
            f"none of the {held_out.nnz} listens held out is of an artist with {min_listeners} other listeners",
            "Give more plays, or lower `min_listeners` in [similar].",
        )
    return split


def nothing_held_out(counts: csr_matrix) -> Split:
    """All listens to learn from, and all artists as candidates."""
    return Split(counts, csr_matrix(counts.shape, dtype=counts.dtype), np.arange(counts.shape[1]), 0)


def popular(counts: csr_matrix, min_listeners: int) -> Ints:
    """The artists with at least `min_listeners` listeners, as columns of `counts`.

    Raises:
        RefusedError: there are fewer than two, so that none has a neighbour.
    """
    listeners = np.bincount(counts.indices, minlength=counts.shape[1])
    kept = np.flatnonzero(listeners >= min_listeners)
    if len(kept) < 2:
        raise RefusedError(
            f"{len(kept)} artists have {min_listeners} listeners (the most that any has is {listeners.max()})",
            "Two are needed: give more plays, or lower `min_listeners` in [similar].",
        )
    return kept


def drawn_places(sizes: Ints, random: np.random.Generator) -> Ints:
    """Each entry's place (entries,), from 0, in a random order of its user's entries, which stand user by user.

    sizes: (users,) how many each user has
    """
    users = np.repeat(np.arange(len(sizes)), sizes)
    drawn = np.lexsort((random.random(len(users)), users))
    places = np.empty(len(users), dtype=np.int64)
    places[drawn] = np.arange(len(users)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return places


def _marks(part: csr_matrix, candidates: Ints) -> csr_matrix:
    marks = part[:, candidates]
    marks.data = np.ones(marks.nnz, dtype=np.int8)
    return marks
