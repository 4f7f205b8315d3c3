"""How good lists are: what users then played to the end, and how varied the lists are."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pozytywka_cli.evaluation import Flags, Floats, Ints

Matrix = NDArray[np.float64]

SHOWN = 20  # tracks of a list
LENGTHS = (1, 5, 10, 17, 20, 50)  # of lists in which one track must be played to its end
HEADLINE = f"ndcg@{SHOWN}"
CHOSEN_BY = "ndcg@100"  # more of a list tells variants apart with fewer users
ACCURACY = (HEADLINE, CHOSEN_BY, *(f"success@{n}" for n in LENGTHS), f"precision@{SHOWN}", f"recall@{SHOWN}")
VARIETY = (f"novelty@{SHOWN}", f"diversity@{SHOWN}", f"tail_share@{SHOWN}", f"genre_divergence@{SHOWN}")
LEAST_SHARE = 1e-6  # of users who have played a track, where nobody has
BLENDED = 0.01  # of the user's genres in those of a list, so that none of them has a share of 0 (Steck, 2018)


def accuracy(lists: Sequence[Ints], targets: csr_matrix) -> Matrix:
    """Return the metrics ACCURACY of each list: (lists, ACCURACY). targets: (lists, tracks), at least one in each row.

    NDCG counts a hit at rank r as 1 / log2(1 + r), over the sum for as many hits as there are targets (Järvelin and
    Kekäläinen, 2002); precision divides hits by the 20 tracks of a full list, recall by the targets.
    """
    wanted = np.split(targets.indices, targets.indptr[1:-1])
    return np.array([_of_list(tracks, own) for tracks, own in zip(lists, wanted, strict=True)])


def _of_list(tracks: Ints, targets: Ints) -> list[float]:
    hits = np.isin(tracks, targets)
    shown = float(hits[:SHOWN].sum())
    success = [float(hits[:length].any()) for length in LENGTHS]
    return [
        ndcg(hits, len(targets), SHOWN),
        ndcg(hits, len(targets), 100),
        *success,
        shown / SHOWN,
        shown / len(targets),
    ]


def ndcg(hits: Flags, targets: int, length: int) -> float:
    """Return the NDCG of the first `length` of a list."""
    gain = 1 / np.log2(np.arange(2, length + 2))
    return float(hits[:length] @ gain[: len(hits)] / gain[: min(length, targets)].sum())


class Facts(NamedTuple):
    """What variety is measured by.

    listeners: (tracks,) the share of users who have played each track; tail: (tracks,), see `History.tail`
    genres: (tracks, genres) rows of length 1 or 0; artists: (tracks,) numbers
    """

    listeners: Floats
    tail: Flags
    genres: csr_matrix
    artists: Ints


def variety(lists: Sequence[Ints], played: Sequence[Ints], facts: Facts) -> Matrix:
    """Return the metrics VARIETY of the first 20 of each list, for users who have played tracks: (lists, VARIETY).

    novelty: the mean of -log2 of the share of users who have played a track (Vargas and Castells, 2011)
    diversity: 1 - the mean similarity of two tracks of the list, see `similarity`
    tail share: the share of tracks of the tail
    genre divergence: the Kullback-Leibler divergence of the list's genres from the user's, in nats (Steck, 2018)
    NaN for an empty list, for the diversity of one track, and for the divergence where no genres are known.
    """
    return np.array([_variety(tracks[:SHOWN], own, facts) for tracks, own in zip(lists, played, strict=True)])


def _variety(tracks: Ints, played: Ints, facts: Facts) -> list[float]:
    if not len(tracks):
        return [np.nan] * len(VARIETY)
    own = genre_shares(facts.genres[played])
    offered = (1 - BLENDED) * genre_shares(facts.genres[tracks]) + BLENDED * own
    told = own > 0
    divergence = (own[told] * np.log(own[told] / offered[told])).sum() if told.any() else np.nan
    novelty = -np.log2(np.maximum(facts.listeners[tracks], LEAST_SHARE)).mean()
    unlike = diversity(similarity(facts.genres[tracks], facts.artists[tracks]))
    return [novelty, unlike, facts.tail[tracks].mean(), divergence]


def similarity(genres: csr_matrix, artists: Ints) -> Matrix:
    """Return how similar tracks are to each other: 1 of the same artist, else the cosine of their genres: (n, n).

    genres: (n, genres) rows of length 1 or 0; artists: (n,) numbers
    """
    cosine: Matrix = (genres @ genres.T).toarray()
    return np.where(artists[:, None] == artists, 1.0, cosine)


def diversity(similar: Matrix) -> float:
    """Return 1 minus the mean similarity of two different tracks of a list, (n, n); NaN for one track."""
    count = len(similar)
    return float(1 - (similar.sum() - count) / (count * (count - 1))) if count > 1 else np.nan


def genre_shares(genres: csr_matrix) -> Floats:
    """Return the share of each genre in tracks, (n, genres), every track counting the same; 0 without genres."""
    total = np.asarray(genres.power(2).sum(axis=0)).ravel()  # of a row of length 1, the squares sum to 1
    return np.asarray(total / max(1e-12, total.sum()))


def coverage(lists: Sequence[Ints], tracks: int) -> float:
    """Return how many of so many tracks are among the first 20 of any list, as a share."""
    offered = np.unique(np.concatenate([np.zeros(0, np.int64), *(tracks[:SHOWN] for tracks in lists)]))
    return len(offered) / tracks


def reciprocal_ranks(lists: Sequence[Ints], next_tracks: Ints) -> Matrix:
    """Return 1 / rank of the track that was played next, 0 if it is not listed, and whether it is in the first 10.

    (lists, 2); the mean of the first column is the mean reciprocal rank.
    """
    values = np.zeros((len(lists), 2))
    for row, (tracks, track) in enumerate(zip(lists, next_tracks, strict=True)):
        rank = np.flatnonzero(tracks == track)
        if len(rank):
            values[row] = 1 / (1 + rank[0]), rank[0] < 10
    return values
