"""How alike artists are, as the answers say it: by ALS's cosine, by PPMI's, or by a mean of both.

It imports numpy and nothing heavier, for a command that answers once and ends.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts.manifest import DAMAGED_HINT
from pozytywka_cli.errors import ArtifactError
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
        ArtifactError: a score is not a finite number, or a context is no artist: large files are not hashed.
    """
    factors, contexts = artists.factors, artists.contexts
    with np.errstate(all="ignore"):
        cosines = factors @ _unit(factors[rows].sum(axis=0))
        if contexts is not None:
            lowered = confidence(artists.listeners[rows].min())
            cosines = lowered * combined(cosines, _context_cosines(contexts, rows))
    return finite(cosines, getattr(factors if contexts is None else contexts, "filename", "the model"))


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


def finite(values: Matrix, where: object) -> Matrix:
    """Return the scores, or raise an ArtifactError if one is not a finite number."""
    if not np.isfinite(values).all():
        raise ArtifactError(f"{where} is damaged: some scores are not finite numbers", DAMAGED_HINT)
    return values


def _unit(total: Matrix) -> Matrix:
    direction: Matrix = total / max(np.linalg.norm(total), np.finfo(np.float32).eps)
    return direction


def _context_cosines(contexts: NDArray[np.void], rows: Sequence[int]) -> Matrix:
    """Return the cosines (artists,) of all rows of contexts with the sum of some."""
    query = np.zeros(len(contexts), dtype=np.float32)
    try:
        for row in rows:
            np.add.at(query, contexts["artist"][row], contexts["weight"][row])
        query = _unit(query)
        blocks = (contexts[start : start + BLOCK] for start in range(0, len(contexts), BLOCK))
        return np.concatenate([np.einsum("ac,ac->a", one["weight"], query[one["artist"]]) for one in blocks])
    except IndexError:
        where = getattr(contexts, "filename", "the model")
        raise ArtifactError(f"{where} is damaged: some contexts are no artists", DAMAGED_HINT) from None
