"""Alternating least squares (Hu, Koren and Volinsky, 2008) over weighted counts, with `implicit`."""

from typing import Any, NamedTuple

import implicit.cpu.als
import implicit.gpu.als
import numpy as np
from implicit.nearest_neighbours import bm25_weight
from msgspec import structs
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.similar import implicit_gpu
from pozytywka_cli.families.similar.settings import SimilarSettings
from pozytywka_cli.records import Progress

K1, B = 100.0, 0.8  # of BM25: implicit's defaults, which the old system used
MIN_WEIGHT = 1e-6  # BM25 gives 0 or less to a user with every artist; implicit would take that for a dislike
# The confidence of a pair without listens is 1. If the listens of a dense matrix together outweigh that, factors
# follow how much each user listens instead of to whom.
MAX_MEAN = 1.0
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
    capped = min(settings.regularization, MAX_REGULARIZATION * largest_singular_value(weights))
    size = min(settings.factors, *counts.shape)
    gpu = run.device == "cuda"
    if gpu:
        implicit_gpu.require()
    library = implicit.gpu.als if gpu else implicit.cpu.als
    # implicit runs OpenMP threads over rows; BLAS threads inside each of them make it twice as slow
    with threadpool_limits(1, "blas"):
        random = np.random.default_rng(run.seed)  # on the GPU a plain 0 means the current time
        model = library.AlternatingLeastSquares(factors=size, regularization=capped, random_state=random)
        iterations = _iterate(library, model, weights, run, stage)
    used = structs.replace(settings, factors=size, alpha=alpha, regularization=capped, iterations=iterations)
    factors = (model.user_factors, model.item_factors)
    users, artists = map(implicit_gpu.fetched, factors) if gpu else factors
    return Fit(users, artists, _notes(settings, used))


def weighted(counts: csr_matrix, settings: SimilarSettings) -> tuple[csr_matrix, float]:
    """Return alpha times the weights (users, artists), float32, and alpha; a confidence is 1 more than that.

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


def _iterate(library: Any, model: Any, weights: csr_matrix, run: TrainingRun, stage: str) -> int:
    """Iterate in rounds until one gains less than `MIN_GAIN`, and return the number of iterations.

    `model.fit` continues from the factors that the model has.
    """
    total, done = run.settings_as(SimilarSettings).iterations, 0
    loss: float | None = None

    def report(iteration: int, *_: object) -> None:
        if iteration + 1 < model.iterations:  # the last one is reported with the new loss
            run.progress(Progress(stage, done + iteration + 1, total, loss))

    while done < total:
        model.iterations = min(ROUND, total - done)
        model.fit(weights, show_progress=False, callback=report)
        done, before = done + model.iterations, loss
        loss = library.calculate_loss(weights, model.user_factors, model.item_factors, model.regularization)
        run.progress(Progress(stage, done, total, loss))
        if before is not None and before - loss < MIN_GAIN * loss:
            break
    return done


def _notes(settings: SimilarSettings, used: SimilarSettings) -> list[str]:
    """Return a sentence for each setting whose used value is lower."""
    values = ((name, getattr(settings, name), getattr(used, name), reason) for name, reason in REASONS.items())
    return [f"{name} {low:.4g} was used instead of {high:g}: {why}." for name, high, low, why in values if low < high]
