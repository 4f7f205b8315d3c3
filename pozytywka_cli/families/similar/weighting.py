"""From counts of listens to the weights that alternating least squares reads."""

import numpy as np
from implicit.nearest_neighbours import bm25_weight
from scipy.sparse import csr_matrix

from pozytywka_cli.settings import SimilarSettings

K1, B = 100.0, 0.8  # of BM25: the old system's, which are implicit's defaults
LEAST = 1e-6  # BM25 gives nothing or less for a user who has heard every artist; to implicit that is a dislike
# Confidence in what was not heard is 1. Where the heard pairs of a dense matrix together outweigh that, factors follow
# how much each user listens, and no longer to what.
MOST_MEAN = 1.0


def weighted(counts: csr_matrix, settings: SimilarSettings) -> tuple[csr_matrix, float]:
    """Alpha times the weights (users, artists), float32, and alpha; a confidence is 1 more (Hu, Koren, Volinsky, 2008).

    log1p: log(1 + count); bm25: Robertson and Zaragoza (2009), an artist being a document of its listeners; raw: the
    count. Alpha is lowered where the mean over all pairs, heard or not, would be above `MOST_MEAN`.
    """
    weights = _weights(counts, settings.weighting)
    mean = float(weights.sum(dtype=np.float64)) / (counts.shape[0] * counts.shape[1])
    alpha = min(settings.alpha, MOST_MEAN / mean)
    return (alpha * weights).astype(np.float32), alpha


def _weights(counts: csr_matrix, weighting: str) -> csr_matrix:
    if weighting == "bm25":
        weights = csr_matrix(bm25_weight(counts.T, K1=K1, B=B).T)
        weights.data = np.maximum(weights.data, LEAST)
        return weights
    return counts.log1p() if weighting == "log1p" else counts
