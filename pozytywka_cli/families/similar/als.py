"""Alternating least squares (Hu, Koren and Volinsky, 2008) over weighted counts, by `implicit`."""

from collections.abc import Callable
from typing import Any, NamedTuple

import implicit.cpu.als
import implicit.gpu.als
import numpy as np
from msgspec import structs
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from pozytywka_cli.families.similar import implicit_gpu
from pozytywka_cli.families.similar.weighting import weighted
from pozytywka_cli.records import Progress, Report
from pozytywka_cli.settings import SimilarSettings

Matrix = NDArray[np.float32]

# Regularization acts like a threshold on singular values: with one near the largest, the factors of a small data set
# all shrink to nothing. The design's 100 is 4 % of it on Last.fm, and stays as it is there.
MOST_REGULARIZATION = 0.06
ROUND = 5  # iterations from one look at the loss to the next, which takes up to a fifth of an iteration's time
LEAST_GAIN = 1e-5  # of the loss, in a round; a fit that gains less has converged
EXACT = 1e-9  # of a singular value, in a step of the power method; Last.fm's takes 14 steps
MOST_STEPS = 1000  # of it, for values so near each other that none wins
LOWERED = {
    "factors": "there are no more listeners or artists",
    "alpha": "with more, what was heard would outweigh all that was not",
    "regularization": f"above {MOST_REGULARIZATION:.0%} of the largest singular value, vectors shrink to nothing",
    "iterations": "further ones change nothing",
}


class Fit(NamedTuple):
    """The factors (users, k) and (artists, k), and a sentence on each setting that was not used as it was given."""

    users: Matrix
    artists: Matrix
    notes: list[str]


def fit(counts: csr_matrix, settings: SimilarSettings, *, seed: int, device: str, report: Report, stage: str) -> Fit:
    """The factors of a matrix of counts (users, artists); k is `settings.factors`, or the smaller side.

    Regularization is capped at `MOST_REGULARIZATION` of what it acts on, and a fit that has converged ends before
    `settings.iterations`. Every iteration is reported, with the last loss seen: squared errors weighted by confidence,
    and the penalty, over the sum of confidences. On the CPU equal arguments give equal bytes, with any number of
    threads.

    Raises:
        UnavailableError: `device` is "cuda" and implicit cannot compute on a GPU.
    """
    weights, alpha = weighted(counts, settings)  # with alpha: the GPU's solver of implicit 0.7.3 ignores its own
    used = structs.replace(
        settings,
        factors=min(settings.factors, *counts.shape),
        alpha=alpha,
        regularization=min(settings.regularization, MOST_REGULARIZATION * largest_singular_value(weights)),
    )
    library = _library(device)

    def say(done: int, loss: float | None) -> None:
        report(Progress(stage, done, settings.iterations, loss))

    # implicit runs OpenMP's threads over rows; a BLAS that starts more inside each of them is twice as slow
    with threadpool_limits(1, "blas"):
        model = library.AlternatingLeastSquares(
            factors=used.factors,
            regularization=used.regularization,
            random_state=np.random.default_rng(seed),  # a plain 0 means "now" to the GPU
        )
        done = _iterate(model, library.calculate_loss, weights, settings.iterations, say)
    found = (model.user_factors, model.item_factors)
    users, artists = (implicit_gpu.fetched(matrix) for matrix in found) if device == "cuda" else found
    return Fit(users, artists, _notes(settings, structs.replace(used, iterations=done)))


def _iterate(
    model: Any,
    calculate_loss: Callable[..., float],
    weights: csr_matrix,
    iterations: int,
    say: Callable[[int, float | None], None],
) -> int:
    """Iterate in rounds until one gains less than `LEAST_GAIN`, and return how many iterations there were.

    `model.fit` goes on from the factors that it has.
    """
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
            break
    return done


def largest_singular_value(weights: csr_matrix) -> float:
    """Of a matrix without negative entries, by the power method, until a step gains less than `EXACT`.

    It starts from ones, which some leading singular vector of such a matrix is not orthogonal to (Perron and
    Frobenius). Equal matrices give equal bytes also where several vectors share the value, of which a Lanczos method
    finds what rounding decides; where two values are nearly equal, it may end between them.
    """
    vector = np.full(weights.shape[1], weights.shape[1] ** -0.5)
    value = before = 0.0
    for _ in range(MOST_STEPS):
        image = weights @ vector
        value, before = float(np.linalg.norm(image)), value
        if value - before <= EXACT * value:
            break
        vector = weights.T @ image
        vector /= np.linalg.norm(vector)
    return value


def _notes(given: SimilarSettings, used: SimilarSettings) -> list[str]:
    """A sentence for each setting of which less was used than was given."""
    pairs = ((name, getattr(given, name), getattr(used, name), why) for name, why in LOWERED.items())
    return [
        f"{name} {less:.4g} was used in place of {asked:g}: {why}." for name, asked, less, why in pairs if less < asked
    ]


def _library(device: str) -> Any:
    if device != "cuda":
        return implicit.cpu.als
    implicit_gpu.require()
    return implicit.gpu.als
