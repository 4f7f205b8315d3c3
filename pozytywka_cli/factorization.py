"""Alternating least squares (Hu, Koren and Volinsky, 2008) of a matrix of weights, with `implicit`.

It knows no columns.
"""

from typing import Any, NamedTuple

import implicit.cpu.als
import implicit.gpu.als
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from pozytywka_cli import implicit_gpu
from pozytywka_cli.records import Progress, Report, silent

# Regularization acts like a threshold on singular values: one near the largest shrinks all factors of a small data set
# to nothing. similar's default of 100 is 4 % of the largest on Last.fm, and is not capped there.
MAX_REGULARIZATION = 0.06
ROUND = 5  # iterations between two computations of the loss, each of which takes up to a fifth of an iteration's time
MIN_GAIN = 1e-5  # of the loss, in a round; a fit that gains less has converged
TOLERANCE = 1e-9  # of a singular value, in a step of the power method; Last.fm takes 14 steps
MAX_STEPS = 1000  # of the power method, if two singular values are nearly equal


class Factorization(NamedTuple):
    """The factors (rows, k) and (columns, k), and the regularization and number of iterations that were used."""

    rows: NDArray[np.float32]
    columns: NDArray[np.float32]
    regularization: float
    iterations: int


class Recipe(NamedTuple):
    """How to factorize: dimensions, regularization and iterations, all at most; seed; "cpu" or "cuda"."""

    factors: int
    regularization: float
    iterations: int
    seed: int = 0
    device: str = "cpu"


def factorize(weights: csr_matrix, recipe: Recipe, *, stage: str, progress: Report = silent) -> Factorization:
    """Factorize weights (rows, columns), float32, which are the confidences of pairs; that of a pair without one is 1.

    The number of factors is at most the smaller side of the matrix. Regularization is capped at `MAX_REGULARIZATION` of
    the largest singular value, and a fit that has converged ends before the given number of iterations. Every iteration
    is reported, with the last computed loss: squared errors weighted by confidence, and the penalty, over the sum of
    confidences. On the CPU equal arguments give equal bytes, with any number of threads.

    Raises:
        UnavailableError: the device is "cuda" and implicit cannot use a GPU.
    """
    capped = min(recipe.regularization, MAX_REGULARIZATION * largest_singular_value(weights))
    gpu = recipe.device == "cuda"
    if gpu:
        implicit_gpu.require()
    library = implicit.gpu.als if gpu else implicit.cpu.als
    # implicit runs OpenMP threads over rows; BLAS threads inside each of them make it twice as slow
    with threadpool_limits(1, "blas"):
        model = library.AlternatingLeastSquares(
            factors=min(recipe.factors, *weights.shape),
            regularization=capped,
            random_state=np.random.default_rng(recipe.seed),  # on the GPU a plain 0 means the current time
        )
        iterations = _iterate(library, model, weights, recipe.iterations, stage, progress)
    factors = (model.user_factors, model.item_factors)
    rows, columns = map(implicit_gpu.fetched, factors) if gpu else factors
    return Factorization(rows, columns, capped, iterations)


def largest_singular_value(weights: csr_matrix) -> float:
    """Return the largest singular value of a matrix without negative entries, by the power method.

    The start vector of ones is not orthogonal to every leading singular vector of such a matrix (Perron and Frobenius).
    Equal matrices give equal bytes even if several vectors share the value, where a Lanczos method depends on rounding;
    if two values are nearly equal, the result may lie between them.
    """
    vector = np.full(weights.shape[1], weights.shape[1] ** -0.5)
    value = before = 0.0
    for _ in range(MAX_STEPS):
        image = weights @ vector
        value, before = float(np.linalg.norm(image)), value
        if value - before <= TOLERANCE * value:
            break
        vector = weights.T @ image
        vector /= np.linalg.norm(vector)
    return value


def _iterate(library: Any, model: Any, weights: csr_matrix, total: int, stage: str, progress: Report) -> int:
    """Iterate in rounds until one gains less than `MIN_GAIN`, and return the number of iterations.

    `model.fit` continues from the factors that the model has.
    """
    done = 0
    loss: float | None = None

    def report(iteration: int, *_: object) -> None:
        if iteration + 1 < model.iterations:  # the last one is reported with the new loss
            progress(Progress(stage, done + iteration + 1, total, loss))

    while done < total:
        model.iterations = min(ROUND, total - done)
        model.fit(weights, show_progress=False, callback=report)
        done, before = done + model.iterations, loss
        loss = library.calculate_loss(weights, model.user_factors, model.item_factors, model.regularization)
        progress(Progress(stage, done, total, loss))
        if before is not None and before - loss < MIN_GAIN * loss:
            break
    return done
