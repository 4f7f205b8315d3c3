"""How alike artists are, as the answers say it: by ALS's cosine, by PPMI's, or by a mean of both.

It imports numpy and nothing heavier, for a command that answers once and ends.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts.manifest import DAMAGED_HINT
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families.similar.models.arrays import Weighted
from pozytywka_cli.families.similar.models.factors import Factors

Matrix = NDArray[np.float32]

# A cosine of an artist with n listeners is n ÷ (n + 3.5) of itself on other listeners: the least squares between the
# ten most similar of models of two halves of Last.fm's users (split 0's training part, either half as the first).
PRIOR_LISTENERS = 3.5
MIN_SPREAD = 1e-6  # of cosines over artists; less is rounding
BLOCK = 2**16  # artists whose contexts are in memory at a time


def scores(artists: Factors, rows: Sequence[int]) -> Matrix:
    """Return the scores (artists,) of all artists with one, or with the mean direction of several.

    Without contexts that is ALS's cosine; zero if directions cancel out. With them it is the `combined` cosine, lowered
    by `confidence` in the fewest listeners of the rows.

    Raises:
        ArtifactError: a file is damaged; or a score is not a finite number, or a context is no artist, for the largest
            files are not hashed.
    """
    artists.verify()
    with np.errstate(all="ignore"):
        cosines = artists.factors @ _unit(artists.factors[rows].sum(axis=0))
        if artists.contexts is not None:
            try:
                others = _context_cosines(artists.contexts, rows)
            except IndexError:
                raise _damaged(artists, "some contexts are no artists") from None
            cosines = confidence(artists.listeners[rows].min()) * combined(cosines, others)
    return finite(cosines, artists)


def stored(artists: Factors, rows: Sequence[int]) -> tuple[NDArray[np.int64], Matrix]:
    """Return the stored neighbours of a single artist and their scores; none of a blend or of a rare artist.

    Raises:
        ArtifactError: a score, or what is known of the artist, is not a finite number, or a neighbour is no artist.
    """
    table, row = artists.neighbours, rows[0]
    if table is None or artists.contexts is None or len(set(rows)) > 1 or row >= len(table):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    found = np.array(table.artists[row], dtype=np.int64)
    if found.min() < 0 or found.max() >= len(artists.listeners):
        raise _damaged(artists, "some neighbours are no artists")
    finite(artists.factors[row], artists)
    finite(artists.contexts.values[row], artists)
    return found, finite(np.array(table.values[row]), artists)


def combined(first: Matrix, second: Matrix) -> Matrix:
    """Return weighted means of two cosines (…, artists), each with weights in inverse proportion to their spreads.

    In each row artists rank as by the sum of both standard scores, which differs from it by a factor and a constant. A
    cosine that is the same for all artists has no weight.
    """
    spreads = [cosines.std(axis=-1, keepdims=True, dtype=np.float64) for cosines in (first, second)]
    one, other = (np.where(spread > MIN_SPREAD, 1 / np.maximum(spread, MIN_SPREAD), 0) for spread in spreads)
    share = (one / np.maximum(one + other, MIN_SPREAD)).astype(np.float32)
    rest = (other / np.maximum(one + other, MIN_SPREAD)).astype(np.float32)
    means: Matrix = share * first + rest * second
    return means


def confidence(listeners: NDArray[np.int64]) -> Matrix:
    """Return the factor, below 1, by which scores of an artist with so many listeners are lowered."""
    return (listeners / (listeners + PRIOR_LISTENERS)).astype(np.float32)


def best(values: Matrix, n: int) -> NDArray[np.int64]:
    """Return the places of the `n` highest, best first; of equal ones the earlier place comes first."""
    # with all that tie with the last one, so that the stable sort decides
    candidates = np.flatnonzero(values >= np.partition(values, -n)[-n])
    return candidates[np.argsort(-values[candidates], kind="stable")][:n]


def finite(values: Matrix, artists: Factors) -> Matrix:
    """Return the numbers, or raise an ArtifactError if one is not finite."""
    if not np.isfinite(values).all():
        raise _damaged(artists, "some numbers are not finite")
    return values


def _damaged(artists: Factors, problem: str) -> ArtifactError:
    path = getattr(artists.factors, "filename", None)
    where = path.parent if path else "the model"
    return ArtifactError(f"{where} is damaged: {problem}", DAMAGED_HINT)


def _unit(total: Matrix) -> Matrix:
    direction: Matrix = total / max(np.linalg.norm(total), np.finfo(np.float32).eps)
    return direction


def _context_cosines(contexts: Weighted, rows: Sequence[int]) -> Matrix:
    """Return the cosines (artists,) of all rows of contexts with the sum of some."""
    query = np.zeros(len(contexts), dtype=np.float32)
    for row in rows:
        np.add.at(query, contexts.artists[row], contexts.values[row])
    query = _unit(query)
    blocks = (slice(start, start + BLOCK) for start in range(0, len(contexts), BLOCK))
    return np.concatenate([np.einsum("ac,ac->a", contexts.values[one], query[contexts.artists[one]]) for one in blocks])
