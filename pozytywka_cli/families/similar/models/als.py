"""Alternating least squares (Hu, Koren and Volinsky, 2008) over weighted counts, with `implicit`."""

from collections.abc import Callable
from typing import Any, NamedTuple

import implicit.cpu.als
import implicit.gpu.als
import numpy as np
from msgspec import structs
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.similar import implicit_gpu
from pozytywka_cli.families.similar.models.weighting import weighted
from pozytywka_cli.families.similar.settings import SimilarSettings
from pozytywka_cli.records import Progress

# Regularization acts like a threshold on singular values: one near the largest shrinks all factors of a small data set
# to nothing. The default of 100 is 4 % of the largest on Last.fm, and is not capped there.
MAX_REGULARIZATION = 0.06
ROUND = 5  # iterations between two computations of the loss, each of which takes up to a fifth of an iteration's time
MIN_GAIN = 1e-5  # of the loss, in a round; a fit that gains less has converged
TOLERANCE = 1e-9  # of a singular value, in a step of the power method; Last.fm takes 14 steps
MAX_STEPS = 1000  # of the power method, if two singular values are nearly equal
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

    Regularization is capped at `MAX_REGULARIZATION` of the largest singular value, and a fit that has converged ends
    before the setting `iterations`. Every iteration is reported, with the last computed loss: squared errors weighted
    by confidence, and the penalty, over the sum of confidences. On the CPU equal arguments give equal bytes, with any
    number of threads.

    Raises:
        UnavailableError: the device is "cuda" and implicit cannot use a GPU.
    """
    settings = run.settings_as(SimilarSettings)
    weights, alpha = weighted(counts, settings)  # alpha included: the GPU solver of implicit 0.7.3 ignores its own
    used = structs.replace(
        settings,
        factors=min(settings.factors, *counts.shape),
        alpha=alpha,
        regularization=min(settings.regularization, MAX_REGULARIZATION * largest_singular_value(weights)),
    )
    library = _library(run.device)

    def report(done: int, loss: float | None) -> None:
        run.progress(Progress(stage, done, settings.iterations, loss))

    # implicit runs OpenMP threads over rows; BLAS threads inside each of them make it twice as slow
    with threadpool_limits(1, "blas"):
        model = library.AlternatingLeastSquares(
            factors=used.factors,
            regularization=used.regularization,
            random_state=np.random.default_rng(run.seed),  # on the GPU a plain 0 means the current time
        )
        iterations = _iterate(model, library.calculate_loss, weights, settings.iterations, report)
    factors = (model.user_factors, model.item_factors)
    users, artists = (implicit_gpu.fetched(matrix) for matrix in factors) if run.device == "cuda" else factors
    return Fit(users, artists, _notes(settings, structs.replace(used, iterations=iterations)))


def _iterate(
    model: Any,
    calculate_loss: Callable[..., float],
    weights: csr_matrix,
    iterations: int,
    report: Callable[[int, float | None], None],
) -> int:
    """Iterate in rounds until one gains less than `MIN_GAIN`, and return the number of iterations.

    `model.fit` continues from the factors that the model has.
    """
    done = 0
    loss: float | None = None

    def step(iteration: int, *_: object) -> None:
        if iteration + 1 < model.iterations:
            report(done + iteration + 1, loss)

    while done < iterations:
        model.iterations = min(ROUND, iterations - done)
        model.fit(weights, show_progress=False, callback=step)
        done, before = done + model.iterations, loss
        loss = calculate_loss(weights, model.user_factors, model.item_factors, model.regularization)
        report(done, loss)
        if before is not None and before - loss < MIN_GAIN * loss:
            break
    return done


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


def _notes(settings: SimilarSettings, used: SimilarSettings) -> list[str]:
    """Return a sentence for each setting whose used value is lower."""
    values = ((name, getattr(settings, name), getattr(used, name), reason) for name, reason in REASONS.items())
    return [
        f"{name} {lower:.4g} was used instead of {value:g}: {reason}."
        for name, value, lower, reason in values
        if lower < value
    ]


def _library(device: str) -> Any:
    if device != "cuda":
        return implicit.cpu.als
    implicit_gpu.require()
    return implicit.gpu.als
