"""Weights of counts of listens, as alternating least squares reads them."""

import numpy as np
from implicit.nearest_neighbours import bm25_weight
from scipy.sparse import csr_matrix

from pozytywka_cli.families.similar.settings import SimilarSettings

K1, B = 100.0, 0.8  # of BM25: implicit's defaults, which the old system used
MIN_WEIGHT = 1e-6  # BM25 gives 0 or less to a user with every artist; implicit would take that for a dislike
# The confidence of a pair without listens is 1. If the listens of a dense matrix together outweigh that, factors
# follow how much each user listens instead of to whom.
MAX_MEAN = 1.0


def weighted(counts: csr_matrix, settings: SimilarSettings) -> tuple[csr_matrix, float]:
    """Return alpha times the weights (users, artists), float32, and alpha; a confidence is 1 more than that.

    log1p: log(1 + count); bm25: Robertson and Zaragoza (2009), an artist being a document of its listeners; raw: the
    count. Confidences: Hu, Koren and Volinsky (2008). Alpha is lowered where the mean over all pairs, with listens or
    without, would be above `MAX_MEAN`.
    """
    weights = _weights(counts, settings.weighting)
    mean = float(weights.sum(dtype=np.float64)) / (counts.shape[0] * counts.shape[1])
    alpha = min(settings.alpha, MAX_MEAN / mean)
    return (alpha * weights).astype(np.float32), alpha


def _weights(counts: csr_matrix, weighting: str) -> csr_matrix:
    if weighting == "bm25":
        weights = csr_matrix(bm25_weight(counts.T, K1=K1, B=B).T)
        weights.data = np.maximum(weights.data, MIN_WEIGHT)
        return weights
    return counts.log1p() if weighting == "log1p" else counts
