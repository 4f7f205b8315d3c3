"""Positive pointwise mutual information of artists (Church and Hanks, 1990), and the neighbours that are stored.

An artist is described by those that its listeners hear too, as a word is by the words around it (Levy and Goldberg,
2014).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from threadpoolctl import threadpool_limits

from pozytywka_cli.evaluation import Ints
from pozytywka_cli.families.similar.models.arrays import Weighted
from pozytywka_cli.families.similar.models.factors import Factors
from pozytywka_cli.families.similar.models.similarity import best, combined, confidence

DISCOUNT = 2.0  # listeners in common with which half of the information counts
CONTEXTS = 128  # of an artist; PM on split 0: 64 .519, 128 .522, 256 .523, all (up to 2,000) .518
NEIGHBOURS = 32  # stored of an artist; what is asked beyond them is computed. A lookup hashes all of them
# Scores computed for stored neighbours, at most: all up to 92,000 artists, eight minutes on one core. Of a million
# artists the 8,589 with the most listeners have stored neighbours, so that cost does not grow with the square.
MOST_SCORES = 2**33
BLOCK = 2**24  # entries in memory at a time


def contexts(counts: csr_matrix, candidates: Ints) -> csr_matrix:
    """Describe every artist by candidates: (artists, candidates) float32, rows of length 1, or 0 without any context.

    Before that, an entry is max(0, log(n · users ÷ (a · c))) · n ÷ (n + 2) for n listeners in common, a of the artist
    and c of the candidate; the factor corrects that rare pairs have high information by chance (Pantel and Lin, 2002).
    An artist is no context of itself. Of more than `CONTEXTS`, those with most listeners in common stay.

    counts: (users, artists); candidates: columns of it
    """
    library = counts.sign().astype(np.float32)
    listeners = np.bincount(library.indices, minlength=library.shape[1])
    chosen = library[:, candidates].tocsr()
    parts = [
        _described(library[:, block].T.tocsr() @ chosen, block, candidates, listeners, library.shape[0])
        for block in _blocks(library.T @ np.diff(chosen.indptr))
    ]
    rows, columns, weights = (np.concatenate(part) for part in zip(*parts, strict=True))
    lengths = np.sqrt(np.bincount(rows, weights**2, minlength=library.shape[1]))
    return csr_matrix(
        ((weights / lengths[rows]).astype(np.float32), (rows, columns)), shape=(library.shape[1], len(candidates))
    )


def _blocks(sizes: NDArray[np.float32]) -> Iterator[Ints]:
    """Yield consecutive numbers of entries whose sizes (entries,) add up to about `BLOCK`."""
    ends = np.cumsum(sizes, dtype=np.float64)
    yield from filter(len, np.split(np.arange(len(sizes)), np.searchsorted(ends, np.arange(BLOCK, ends[-1], BLOCK))))


def _described(
    common: csr_matrix, block: Ints, candidates: Ints, listeners: Ints, users: int
) -> tuple[Ints, Ints, NDArray[np.float64]]:
    """Return artists, columns and discounted information of the contexts of a block, from listeners in common."""
    cells = coo_matrix(common)
    artists, columns, shared = block[cells.row], cells.col, cells.data.astype(np.float64)
    expected = listeners[artists] * listeners[candidates[columns]] / users
    information = np.log(shared / expected) * shared / (shared + DISCOUNT)
    kept = (information > 0) & (artists != candidates[columns])
    artists, columns, shared, information = (one[kept] for one in (artists, columns, shared, information))
    order = np.lexsort((columns, -information, -shared, artists))
    starts = np.searchsorted(artists[order], artists[order])
    order = order[np.arange(len(order)) - starts < CONTEXTS]
    return artists[order], columns[order], information[order]


def padded(rows: csr_matrix) -> Weighted:
    """Return sparse rows as arrays (rows, most entries of one); what is missing has the value 0."""
    sizes = np.diff(rows.indptr)
    shape = (len(sizes), max(1, sizes.max()))
    table = Weighted(np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.float32))
    where = (np.repeat(np.arange(len(sizes)), sizes), np.arange(rows.nnz) - np.repeat(rows.indptr[:-1], sizes))
    table.artists[where], table.values[where] = rows.indices, rows.data
    return table


def neighbours(artists: Factors, rows: csr_matrix) -> Weighted:
    """Return the most similar artists (artists, neighbours), best first, of those with the most listeners.

    With `similarity.scores`, up to rounding; with any number of threads the same bytes.

    rows: (artists, artists), contexts of these artists
    """
    count = len(artists.listeners)
    shape = (min(MOST_SCORES // count, count), min(NEIGHBOURS, count - 1))
    table = Weighted(np.empty(shape, dtype=np.int32), np.empty(shape, dtype=np.float32))
    columns, lowered = rows.T.tocsr(), confidence(artists.listeners)
    size = max(1, BLOCK // count)
    with threadpool_limits(1, "blas"):
        for start in range(0, len(table), size):
            block = np.arange(start, min(start + size, len(table)))
            scores = combined(artists.factors[block] @ artists.factors.T, (rows[block] @ columns).toarray())
            scores *= lowered[block, None]
            scores[np.arange(len(block)), block] = -np.inf
            for row, values in zip(block, scores, strict=True):
                table.artists[row] = places = best(values, shape[1])
                table.values[row] = values[places]
    return table
