"""Alternating least squares (Hu, Koren and Volinsky, 2008) over the logarithms of counts, by `implicit`."""

from typing import Any

import implicit.cpu.als
import implicit.gpu.als
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import norm, svds
from threadpoolctl import threadpool_limits

from pozytywka_cli.records import Progress, Report
from pozytywka_cli.settings import SimilarSettings
from pozytywka_cli.similar import gpu

Matrix = NDArray[np.float32]

# Regularization acts like a threshold on singular values: with one near the largest, the factors of a small data set
# all shrink to nothing. The design's 100 is 4 % of it on Last.fm, and stays as it is there.
MOST_REGULARIZATION = 0.06


def fit(
    counts: csr_matrix, settings: SimilarSettings, *, seed: int, device: str, report: Report, stage: str
) -> tuple[Matrix, Matrix]:
    """The factors (users, k) and (artists, k) of a matrix of counts; k is `settings.factors`, or the smaller side.

    Confidence is 1 + alpha · log(1 + count); regularization is capped at `MOST_REGULARIZATION` of what it acts on. On
    the CPU equal arguments give equal bytes, with any number of threads.

    Raises:
        UnavailableError: `device` is "cuda" and implicit cannot compute on a GPU.
    """
    # weighted here: the GPU's solver of implicit 0.7.3 ignores its own `alpha`
    weights = csr_matrix((settings.alpha * np.log1p(counts.data), counts.indices, counts.indptr), shape=counts.shape)

    def step(iteration: int, _seconds: float, _loss: float | None) -> None:
        report(Progress(stage, iteration + 1, settings.iterations))

    # implicit runs its own threads over rows; a BLAS that starts more inside each of them is twice as slow
    with threadpool_limits(1, "blas"):
        model = _solver(device)(
            factors=min(settings.factors, *counts.shape),
            regularization=min(settings.regularization, MOST_REGULARIZATION * _largest_singular_value(weights)),
            iterations=settings.iterations,
            random_state=np.random.default_rng(seed),  # a plain 0 means "now" to the GPU
        )
        model.fit(weights, show_progress=False, callback=step)
    found = (model.user_factors, model.item_factors)
    users, artists = (matrix.to_numpy() for matrix in found) if device == "cuda" else found
    return users, artists


def _largest_singular_value(weights: csr_matrix) -> float:
    start = np.ones(min(weights.shape), dtype=weights.dtype)  # a fixed start, for the same bytes every time
    values = svds(weights, k=1, v0=start, return_singular_vectors=False) if min(weights.shape) > 1 else [norm(weights)]
    return float(values[0])


def _solver(device: str) -> Any:
    if device != "cuda":
        return implicit.cpu.als.AlternatingLeastSquares
    gpu.require()
    return implicit.gpu.als.AlternatingLeastSquares
