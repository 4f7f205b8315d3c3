"""How well a scorer ranks held-out artists: sampled hit rate, recall and NDCG.

Of every user with at least 5 artists a fifth is held out; candidates are the artists with enough training listeners.
Item to item: each training artist of a user (at most 50 of them) ranks the candidates outside the user's training part.
User to item: the whole training part does. Recall and NDCG divide by the number of held-out artists, candidates or not,
at most the length of the list.
Sampled hit rate: a random held-out candidate is ranked among 99 others, drawn without replacement in proportion to
their listeners from outside the user's library; a hit if fewer than 10 score higher, where ties count half. If fewer
than 99 are outside, all of them are drawn, and a hit is easier.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.evaluation import SHARE, Flags, Floats, Ints, mean_interval
from pozytywka_cli.families.similar.splits import HELD_OUT, TRAINING, Split, random_ranks
from pozytywka_cli.records import Progress, Report, Row

Matrix = NDArray[np.float32]
Marks = NDArray[np.int8]

COLUMNS = ("sampled_hit_rate@10", "recall@10", "ndcg@10", "user_recall@20", "user_ndcg@20")
HEADLINE = COLUMNS[0]
NEGATIVES = 99
HIT_RANK = 10
MAX_QUERIES = 50  # artists of one user; otherwise a few users with many artists would take most of the time
ORDERS = 1000  # random orders from which the negatives of all queries are drawn
BLOCK = 2**23  # scores in memory at a time


class Scorer(Protocol):
    """A method that scores the candidates of a split; higher scores are better."""

    def of_artists(self, artists: Ints) -> Matrix:
        """Return scores (artists, candidates) of similarity to each artist, which is a column of the counts."""

    def of_users(self, users: Ints) -> Matrix:
        """Return scores (users, candidates) for users, which are rows of the training counts."""


def measure(split: Split, scorers: Mapping[str, Scorer], report: Report) -> dict[str, Floats]:
    """Return the metrics (users of the split, COLUMNS) of each scorer, on the same queries and the same negatives.

    The sampled hit rate is NaN for a user without a held-out candidate.
    """
    item_to_item = _item_to_item(split, scorers, report)
    return {name: np.hstack([item_to_item[name], _user_to_item(split, scorer)]) for name, scorer in scorers.items()}


def summary(split: Split, values: Mapping[str, Floats]) -> list[Row]:
    """Return the mean over users of every scorer and metric of `measure`, with 95 % intervals."""
    return [
        mean_row(f"split {split.seed}", variant, metric, column, split.users)
        for variant, matrix in values.items()
        for metric, column in zip(COLUMNS, matrix.T, strict=True)
    ]


def mean_row(protocol: str, variant: str, metric: str, values: Floats, groups: Ints) -> Row:
    """Return the mean of values (groups,) that are not NaN, with its 95 % interval."""
    defined = ~np.isnan(values)
    return Row("similar", variant, protocol, metric, *mean_interval(values[defined], groups[defined], limits=SHARE))


def top(scores: Matrix, n: int) -> Ints:
    """Return the columns of the `n` highest scores of each row, best first."""
    n = min(n, scores.shape[1])
    # negated: where most scores are 0, numpy's selection is six times slower from the other end
    negated = -scores
    columns = np.argpartition(negated, n - 1, axis=1)[:, :n]
    order = np.argsort(np.take_along_axis(negated, columns, axis=1), axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1)


def _item_to_item(split: Split, scorers: Mapping[str, Scorer], report: Report) -> dict[str, Floats]:
    """Return the first three of COLUMNS (users of the split, 3): means over each user's queries."""
    random = np.random.default_rng(split.seed)
    rows, artists = query_pairs(split, random)
    held_out = np.diff(split.held_out.indptr)[split.users]
    orders, targets = sampling_orders(split.listeners, random), sample_targets(split, rows, random)
    sums = {name: np.zeros((len(split.users), 3)) for name in scorers}
    size = max(1, BLOCK // len(split.candidates))
    for start in range(0, len(rows), size):
        block, target = rows[start : start + size], targets[start : start + size]
        queries, query_of = np.unique(artists[start : start + size], return_inverse=True)
        marks = split.marks[split.users[block]].toarray()
        negatives, counted = sample_negatives(marks, orders, random)
        for name, scorer in scorers.items():
            scores = scorer.of_artists(queries)
            hits = _sampled_hits(scores, query_of, target, negatives, counted)
            top_ten = _recall_and_ndcg(scores, query_of, marks, held_out[block], 10)
            np.add.at(sums[name], block, np.column_stack([hits, top_ten]))
        report(Progress(f"measure on split {split.seed}", min(start + size, len(rows)), len(rows)))
    return {name: total / np.bincount(rows)[:, None] for name, total in sums.items()}


def query_pairs(split: Split, random: np.random.Generator) -> tuple[Ints, Ints]:
    """Draw at most MAX_QUERIES training artists of each user, ordered by artist so that a block scores each once.

    Returns:
        users (pairs,) by their place in `split.users`, and artists (pairs,) as columns of the counts.
    """
    training = split.training[split.users].tocsr()
    sizes = np.diff(training.indptr)
    chosen = np.flatnonzero(random_ranks(sizes, random) < MAX_QUERIES)
    chosen = chosen[np.argsort(training.indices[chosen], kind="stable")]
    return np.repeat(np.arange(len(sizes)), sizes)[chosen], training.indices[chosen]


def sample_targets(split: Split, rows: Ints, random: np.random.Generator) -> Ints:
    """Draw a held-out candidate for each pair (pairs,), by its place in `split.candidates`; -1 if there is none.

    rows: (pairs,) places in `split.users`
    """
    held_out = split.held_out[split.users][:, split.candidates]
    sizes = np.diff(held_out.indptr)[rows]
    place = held_out.indptr[rows] + (random.random(len(rows)) * sizes).astype(np.int64)
    return np.where(sizes > 0, np.append(held_out.indices, -1)[np.minimum(place, held_out.nnz)], -1)


def sampling_orders(listeners: Ints, random: np.random.Generator) -> Ints:
    """Draw orders of all candidates (ORDERS, candidates), each without replacement in proportion to listeners.

    By exponential variables over weights (Efraimidis and Spirakis, 2006): the part of such an order that is outside of
    a library is a sample of the same kind from outside of it.
    """
    arrivals = random.standard_exponential((ORDERS, len(listeners)), dtype=np.float32) / listeners.astype(np.float32)
    return np.argsort(arrivals, axis=1)


def sample_negatives(marks: Marks, orders: Ints, random: np.random.Generator) -> tuple[Ints, Flags]:
    """Draw for each row the first NEGATIVES candidates outside of its library in a random order.

    marks: (rows, candidates), 0 outside of the row's library
    orders: (orders, candidates), from `sampling_orders`

    Returns:
        places in `split.candidates` (rows, drawn), and which of them count (rows, drawn).
    """
    most = NEGATIVES + int((marks != 0).sum(axis=1).max())
    drawn = orders[random.integers(len(orders), size=len(marks)), :most]
    outside = np.take_along_axis(marks, drawn, axis=1) == 0
    return drawn, outside & (np.cumsum(outside, axis=1) <= NEGATIVES)


def _user_to_item(split: Split, scorer: Scorer) -> Floats:
    """Return the last two of COLUMNS (users of the split, 2)."""
    held_out = np.diff(split.held_out.indptr)[split.users]
    size = max(1, BLOCK // len(split.candidates))
    parts = []
    for start in range(0, len(split.users), size):
        users = split.users[start : start + size]
        marks, rows = split.marks[users].toarray(), np.arange(len(users))
        parts.append(_recall_and_ndcg(scorer.of_users(users), rows, marks, held_out[start : start + size], 20))
    return np.vstack(parts)


def _sampled_hits(scores: Matrix, query_of: Ints, target: Ints, negatives: Ints, counted: Flags) -> Floats:
    """Return 1 where fewer than HIT_RANK counted negatives score above the target, else 0; NaN without a target.

    scores: (queries, candidates); query_of: (rows,) rows of them; target: (rows,), of `sample_targets`
    negatives, counted: (rows, drawn), of `sample_negatives`
    """
    own, others = scores[query_of, target][:, None], scores[query_of[:, None], negatives]
    above = (counted & (others > own)).sum(axis=1) + 0.5 * (counted & (others == own)).sum(axis=1)
    return np.where(target < 0, np.nan, above < HIT_RANK)


def _recall_and_ndcg(scores: Matrix, query_of: Ints, marks: Marks, held_out: Ints, length: int) -> Floats:
    """Return recall and NDCG (Järvelin and Kekäläinen, 2002), (rows, 2), of the top `length` outside of TRAINING.

    scores: (queries, candidates); query_of, held_out: (rows,); marks: (rows, candidates)
    """
    masked = (marks == TRAINING).sum(axis=1).max()
    ranked = np.take_along_axis(marks, top(scores, length + masked)[query_of], axis=1)
    rank = np.cumsum(ranked != TRAINING, axis=1)
    hits = (ranked == HELD_OUT) & (rank <= length)
    discount = 1 / np.log2(np.arange(2, length + 2))
    possible = np.minimum(held_out, length)
    gain = np.where(hits, discount[np.clip(rank, 1, length) - 1], 0).sum(axis=1)
    return np.column_stack([hits.sum(axis=1) / possible, gain / np.cumsum(discount)[possible - 1]])
