"""The hold-out protocol: which listens are hidden, and how well a scorer finds them again.

Of every user with at least 5 artists a fifth is held out; candidates are the artists with enough training listeners.
Item to item: each held-in artist (of a user with more than 50: so many, drawn) ranks the candidates outside its user's
held-in library. User to item: the user does.
Hits are divided by what is held out, at most the length of the list, whether or not it is a candidate.
PM: a random held-out candidate against 99 others drawn without replacement in proportion to their listeners, from
outside the user's library; a hit if fewer than 10 score higher, ties counting half. Where fewer than 99 are outside,
all of them are drawn, and PM is easier.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.families.similar.splits import HEARD, HIDDEN, Ints, Split, drawn_places
from pozytywka_cli.records import Progress, Report

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]

METRICS = ("PM", "recall@10", "NDCG@10", "user recall@20", "user NDCG@20")
NEGATIVES = 99
PM_RANK = 10
MOST_ASKED = 50  # held-in artists of a user: those of the heaviest listeners would take nearly all of the time
RACES = 1000  # orders that the draws of all pairs are taken from
BLOCK = 2**23  # scores held at a time


class Scorer(Protocol):
    """Anything that orders the candidates of a split; higher scores are better."""

    def of_artists(self, artists: Ints) -> Matrix:
        """Scores (artists, candidates) for likeness to each artist, which is a column of the counts."""

    def of_users(self, users: Ints) -> Matrix:
        """Scores (users, candidates) for users, which are rows of the training counts."""


def measure(split: Split, scorers: Mapping[str, Scorer], report: Report) -> dict[str, Floats]:
    """Each scorer's figures (users of the split, METRICS), all on the same held-out artists and the same draws.

    PM is NaN for a user none of whose held-out artists is a candidate.
    """
    by_artist = _item_to_item(split, scorers, report)
    return {name: np.hstack([by_artist[name], _user_to_item(split, scorer)]) for name, scorer in scorers.items()}


def best(scores: Matrix, n: int) -> Ints:
    """The columns of the `n` highest scores of each row, best first."""
    n = min(n, scores.shape[1])
    # of the negated scores: numpy's selection is six times slower from the other end where most scores are 0
    low = -scores
    found = np.argpartition(low, n - 1, axis=1)[:, :n]
    order = np.argsort(np.take_along_axis(low, found, axis=1), axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)


def _item_to_item(split: Split, scorers: Mapping[str, Scorer], report: Report) -> dict[str, Floats]:
    """PM, recall@10 and NDCG@10 (users of the split, 3): means over the held-in artists of each user that are asked."""
    random = np.random.default_rng(split.seed)
    rows, artists = asked_pairs(split, random)
    held = np.diff(split.held_out.indptr)[split.users]
    orders, target_of = races(split.listeners, random), targets(split, rows, random)
    sums = {name: np.zeros((len(split.users), 3)) for name in scorers}
    size = max(1, BLOCK // len(split.candidates))
    for start in range(0, len(rows), size):
        block, target = rows[start : start + size], target_of[start : start + size]
        queries, query_of = np.unique(artists[start : start + size], return_inverse=True)
        known = split.known[split.users[block]].toarray()
        drawn, counted = draw(known, orders, random)
        for name, scorer in scorers.items():
            scores = scorer.of_artists(queries)
            hit = _is_hit(scores, query_of, target, drawn, counted)
            figures = [hit, *_found(scores, query_of, known, held[block], 10)]
            np.add.at(sums[name], block, np.column_stack(figures))
        report(Progress(f"measure on split {split.seed}", min(start + size, len(rows)), len(rows)))
    return {name: total / np.bincount(rows)[:, None] for name, total in sums.items()}


def asked_pairs(split: Split, random: np.random.Generator) -> tuple[Ints, Ints]:
    """Users (pairs,), by their place in `split.users`, and a held-in artist of each (pairs,), a column of the counts.

    At most MOST_ASKED of a user, at random; in the order of artists, so that a block scores each of its artists once.
    """
    held_in = split.training[split.users].tocsr()
    sizes = np.diff(held_in.indptr)
    asked = np.flatnonzero(drawn_places(sizes, random) < MOST_ASKED)
    asked = asked[np.argsort(held_in.indices[asked], kind="stable")]
    return np.repeat(np.arange(len(sizes)), sizes)[asked], held_in.indices[asked]


def targets(split: Split, rows: Ints, random: np.random.Generator) -> Ints:
    """For each pair one of its user's hidden candidates (pairs,), at random; -1 where none of them is a candidate.

    rows: (pairs,) places in `split.users`; what is returned are places in `split.candidates`
    """
    hidden = split.held_out[split.users][:, split.candidates]
    sizes = np.diff(hidden.indptr)[rows]
    place = hidden.indptr[rows] + (random.random(len(rows)) * sizes).astype(np.int64)
    return np.where(sizes > 0, np.append(hidden.indices, -1)[np.minimum(place, hidden.nnz)], -1)


def races(listeners: Ints, random: np.random.Generator) -> Ints:
    """Orders of all candidates (RACES, candidates), each drawn without replacement in proportion to listeners.

    By exponential variables over weights (Efraimidis and Spirakis, 2006): what such an order has outside of a library
    is drawn in the same way from there.
    """
    arrivals = random.standard_exponential((RACES, len(listeners)), dtype=np.float32) / listeners.astype(np.float32)
    return np.argsort(arrivals, axis=1)


def draw(known: NDArray[np.int8], orders: Ints, random: np.random.Generator) -> tuple[Ints, NDArray[np.bool_]]:
    """For each row candidates in the order of a random race, and which of them are its first NEGATIVES outside.

    known: (rows, candidates), 0 outside of the row's library; orders: (races, candidates), of `races`. Both that are
    returned are (rows, drawn): places in `split.candidates`, and whether each counts.
    """
    most = NEGATIVES + int((known != 0).sum(axis=1).max())
    drawn = orders[random.integers(len(orders), size=len(known)), :most]
    outside = np.take_along_axis(known, drawn, axis=1) == 0
    return drawn, outside & (np.cumsum(outside, axis=1) <= NEGATIVES)


def _user_to_item(split: Split, scorer: Scorer) -> Floats:
    """recall@20 and NDCG@20 (users of the split, 2)."""
    held = np.diff(split.held_out.indptr)[split.users]
    size = max(1, BLOCK // len(split.candidates))
    blocks = [slice(start, start + size) for start in range(0, len(split.users), size)]
    found = []
    for block in blocks:
        users = split.users[block]
        known = split.known[users].toarray()
        found.append(np.column_stack(_found(scorer.of_users(users), np.arange(len(users)), known, held[block], 20)))
    return np.vstack(found)


def _is_hit(scores: Matrix, query_of: Ints, target: Ints, drawn: Ints, counted: NDArray[np.bool_]) -> Floats:
    """PM (rows,): 1 where fewer than PM_RANK of the counted score above the target, 0 where not, NaN without a target.

    scores: (queries, candidates); query_of: (rows,) rows of them; target: (rows,), of `targets`; drawn, counted: (rows,
    drawn), of `draw`
    """
    ours, theirs = scores[query_of, target][:, None], scores[query_of[:, None], drawn]
    above = (counted & (theirs > ours)).sum(axis=1) + 0.5 * (counted & (theirs == ours)).sum(axis=1)
    return np.where(target < 0, np.nan, above < PM_RANK)


def _found(scores: Matrix, query_of: Ints, known: NDArray[np.int8], held: Ints, length: int) -> tuple[Floats, Floats]:
    """Recall and NDCG (Järvelin and Kekäläinen, 2002), both (rows,), of the first `length` candidates not HEARD.

    scores: (queries, candidates); query_of, held: (rows,); known: (rows, candidates)
    """
    heard = (known == HEARD).sum(axis=1).max()
    seen = np.take_along_axis(known, best(scores, length + heard)[query_of], axis=1)
    rank = np.cumsum(seen != HEARD, axis=1)
    hits = (seen == HIDDEN) & (rank <= length)
    discount = 1 / np.log2(np.arange(2, length + 2))
    possible = np.minimum(held, length)
    gain = np.where(hits, discount[np.clip(rank, 1, length) - 1], 0).sum(axis=1)
    return hits.sum(axis=1) / possible, gain / np.cumsum(discount)[possible - 1]
