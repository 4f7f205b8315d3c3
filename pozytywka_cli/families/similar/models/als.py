"""Alternating least squares (Hu, Koren and Volinsky, 2008) over weighted counts of listens."""

from typing import NamedTuple

import numpy as np
from implicit.nearest_neighbours import bm25_weight
from msgspec import structs
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pozytywka_cli.factorization import MAX_REGULARIZATION, Recipe, factorize
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.similar.settings import SimilarSettings

K1, B = 100.0, 0.8  # of BM25: implicit's defaults, which the old system used
MIN_WEIGHT = 1e-6  # BM25 gives 0 or less to a user with every artist; implicit would take that for a dislike
# The confidence of a pair without listens is 1. If the listens of a dense matrix together outweigh that, factors
# follow how much each user listens instead of to whom.
MAX_MEAN = 1.0
REASONS = {
    "factors": "there are no more listeners or artists",
    "alpha": "with more, the listens would outweigh all pairs without listens",
    "regularization": f"above {MAX_REGULARIZATION:.0%} of the largest singular value, vectors shrink to nothing",
    "iterations": "the fit had converged",
}


class Fit(NamedTuple):
    """The factors (users, k) and (artists, k), and a note on each setting that was lowered."""

    users: NDArray[np.float32]
    artists: NDArray[np.float32]
    notes: list[str]


def fit(counts: csr_matrix, run: TrainingRun, *, stage: str) -> Fit:
    """Fit a matrix of counts (users, artists); k is the setting `factors`, or the smaller side of the matrix.

    See `factorize` for what may be lowered, what is reported and what is raised.
    """
    settings = run.settings_as(SimilarSettings)
    weights, alpha = weighted(counts, settings)  # alpha included: the GPU solver of implicit 0.7.3 ignores its own
    recipe = Recipe(settings.factors, settings.regularization, settings.iterations, run.seed, run.device)
    found = factorize(weights, recipe, stage=stage, progress=run.progress)
    used = structs.replace(
        settings,
        factors=found.rows.shape[1],
        alpha=alpha,
        regularization=found.regularization,
        iterations=found.iterations,
    )
    return Fit(found.rows, found.columns, _notes(settings, used))


def weighted(counts: csr_matrix, settings: SimilarSettings) -> tuple[csr_matrix, float]:
    """Return alpha times the weights (users, artists), float32, and alpha; they are the confidences.

    log1p: log(1 + count); bm25: Robertson and Zaragoza (2009), an artist being a document of its listeners; raw: the
    count. Confidences: Hu, Koren and Volinsky (2008). Alpha is lowered where the mean over all pairs, with listens or
    without, would be above `MAX_MEAN`.
    """
    weights = counts.log1p() if settings.weighting == "log1p" else counts
    if settings.weighting == "bm25":
        weights = csr_matrix(bm25_weight(counts.T, K1=K1, B=B).T)
        weights.data = np.maximum(weights.data, MIN_WEIGHT)
    mean = float(weights.sum(dtype=np.float64)) / (counts.shape[0] * counts.shape[1])
    alpha = min(settings.alpha, MAX_MEAN / mean)
    return (alpha * weights).astype(np.float32), alpha


def _notes(settings: SimilarSettings, used: SimilarSettings) -> list[str]:
    """Return a sentence for each setting whose used value is lower."""
    values = ((name, getattr(settings, name), getattr(used, name), reason) for name, reason in REASONS.items())
    return [f"{name} {low:.4g} was used instead of {high:g}: {why}." for name, high, low, why in values if low < high]
