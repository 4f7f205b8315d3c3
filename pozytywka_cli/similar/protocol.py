"""The hold-out protocol: which listens are hidden, and how well a scorer finds them again.

Of every user with at least 5 artists a fifth is held out; candidates are the artists with enough training listeners.
Item to item: each held-in artist ranks the candidates outside its user's held-in library. User to item: the user does.
Hits are divided by what is held out, at most the length of the list, whether or not it is a candidate.
PM: a random held-out candidate against 99 others drawn without replacement in proportion to their listeners, from
outside the user's library; a hit if fewer than 10 score higher, ties counting half. Where fewer than 99 are outside,
all of them are drawn, and PM is easier.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.records import Progress, Report
from pozytywka_cli.similar.split import HEARD, HIDDEN, Ints, Split

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]

METRICS = ("PM", "recall@10", "NDCG@10", "user recall@20", "user NDCG@20")
NEGATIVES = 99
PM_RANK = 10
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
    """PM, recall@10 and NDCG@10 (users of the split, 3): means over each user's held-in artists."""
    pairs = split.training[split.users].tocoo()
    order = np.argsort(pairs.col, kind="stable")  # by artist, so that a block scores each of its artists once
    rows, artists = pairs.row[order], pairs.col[order]
    held = np.diff(split.held_out.indptr)[split.users]
    random = np.random.default_rng(split.seed)
    sums = {name: np.zeros((len(split.users), 3)) for name in scorers}
    size = max(1, BLOCK // len(split.candidates))
    for start in range(0, len(rows), size):
        block = rows[start : start + size]
        queries, query_of = np.unique(artists[start : start + size], return_inverse=True)
        known = split.known[split.users[block]].toarray()
        draws = _draw(known, split.listeners, random)
        for name, scorer in scorers.items():
            scores = scorer.of_artists(queries)
            figures = [_is_hit(scores, query_of, *draws), *_found(scores, query_of, known, held[block], 10)]
            np.add.at(sums[name], block, np.column_stack(figures))
        report(Progress("measure on split 0", min(start + size, len(rows)), len(rows)))
    return {name: total / np.bincount(rows)[:, None] for name, total in sums.items()}


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


def _draw(known: NDArray[np.int8], listeners: Ints, random: np.random.Generator) -> tuple[Ints, Ints, Floats]:
    """For each row a hidden candidate (NaN weight: none), the candidates drawn against it, and their weights, 0 or 1.

    The k smallest of exponential variables over weights are a weighted sample without replacement (Efraimidis and
    Spirakis, 2006).
    """
    keys = random.standard_exponential(known.shape, dtype=np.float32)
    target = np.where(known == HIDDEN, keys, np.inf).argmin(axis=1)
    race = np.where(known == 0, keys / listeners.astype(np.float32), np.inf)
    drawn = np.argpartition(race, min(NEGATIVES, race.shape[1]) - 1, axis=1)[:, :NEGATIVES]
    weights = np.isfinite(np.take_along_axis(race, drawn, axis=1)).astype(np.float64)
    weights[~(known == HIDDEN).any(axis=1)] = np.nan
    return target, drawn, weights


def _is_hit(scores: Matrix, query_of: Ints, target: Ints, drawn: Ints, weights: Floats) -> Floats:
    """1 where fewer than PM_RANK of the drawn score above the target, 0 where not, NaN where there is no target."""
    ours, theirs = scores[query_of, target][:, None], scores[query_of[:, None], drawn]
    above = (weights * ((theirs > ours) + 0.5 * (theirs == ours))).sum(axis=1)
    return np.where(np.isnan(above), np.nan, above < PM_RANK)


def _found(scores: Matrix, query_of: Ints, known: NDArray[np.int8], held: Ints, length: int) -> tuple[Floats, Floats]:
    """Recall and NDCG of lists of `length` candidates that are not HEARD.

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
