"""Alternating least squares (Hu, Koren and Volinsky, 2008) over weighted counts, by `implicit`."""

from collections.abc import Callable
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
from pozytywka_cli.similar.weighting import weighted

Matrix = NDArray[np.float32]

# Regularization acts like a threshold on singular values: with one near the largest, the factors of a small data set
# all shrink to nothing. The design's 100 is 4 % of it on Last.fm, and stays as it is there.
MOST_REGULARIZATION = 0.06
ROUND = 5  # iterations from one look at the loss to the next, which takes up to a fifth of an iteration's time
LEAST_GAIN = 1e-5  # of the loss, in a round; a fit that gains less has converged


def fit(
    counts: csr_matrix, settings: SimilarSettings, *, seed: int, device: str, report: Report, stage: str
) -> tuple[Matrix, Matrix]:
    """The factors (users, k) and (artists, k) of a matrix of counts; k is `settings.factors`, or the smaller side.

    Regularization is capped at `MOST_REGULARIZATION` of what it acts on, and a fit that has converged ends before
    `settings.iterations`. Every iteration is reported, with the last loss seen: squared errors weighted by confidence,
    and the penalty, over the sum of confidences. On the CPU equal arguments give equal bytes, with any number of
    threads.

    Raises:
        UnavailableError: `device` is "cuda" and implicit cannot compute on a GPU.
    """
    weights = weighted(counts, settings)  # with alpha: the GPU's solver of implicit 0.7.3 ignores its own
    library = _library(device)

    def say(done: int, loss: float | None) -> None:
        report(Progress(stage, done, settings.iterations, loss))

    # implicit runs OpenMP's threads over rows; a BLAS that starts more inside each of them is twice as slow
    with threadpool_limits(1, "blas"):
        model = library.AlternatingLeastSquares(
            factors=min(settings.factors, *counts.shape),
            regularization=min(settings.regularization, MOST_REGULARIZATION * _largest_singular_value(weights)),
            random_state=np.random.default_rng(seed),  # a plain 0 means "now" to the GPU
        )
        _iterate(model, library.calculate_loss, weights, settings.iterations, say)
    found = (model.user_factors, model.item_factors)
    users, artists = (gpu.fetched(matrix) for matrix in found) if device == "cuda" else found
    return users, artists


def _iterate(
    model: Any,
    calculate_loss: Callable[..., float],
    weights: csr_matrix,
    iterations: int,
    say: Callable[[int, float | None], None],
) -> None:
    """Iterate in rounds until one gains less than `LEAST_GAIN`; `model.fit` goes on from the factors that it has."""
    done = 0
    loss: float | None = None

    def step(iteration: int, *_: object) -> None:
        if iteration + 1 < model.iterations:
            say(done + iteration + 1, loss)

    while done < iterations:
        model.iterations = min(ROUND, iterations - done)
        model.fit(weights, show_progress=False, callback=step)
        done, before = done + model.iterations, loss
        loss = calculate_loss(weights, model.user_factors, model.item_factors, model.regularization)
        say(done, loss)
        if before is not None and before - loss < LEAST_GAIN * loss:
            return


def _largest_singular_value(weights: csr_matrix) -> float:
    start = np.ones(min(weights.shape), dtype=weights.dtype)  # a fixed start, for the same bytes every time
    values = svds(weights, k=1, v0=start, return_singular_vectors=False) if min(weights.shape) > 1 else [norm(weights)]
    return float(values[0])


def _library(device: str) -> Any:
    if device != "cuda":
        return implicit.cpu.als
    gpu.require()
    return implicit.gpu.als
