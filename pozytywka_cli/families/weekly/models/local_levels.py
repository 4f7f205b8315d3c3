"""Kalman filters of an artist's level under several hypotheses of how it moves, and how probable each of them is."""

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from pozytywka_cli.families.weekly.series import Floats

# how much of a level's distance from the usual one is left after a week, and the standard deviation of a week's step
# relative to the level: a constant, random walks, and walks that return
HYPOTHESES = (
    (1.0, 0.0),
    *((1.0, step) for step in (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)),
    *((0.97, step) for step in (0.04, 0.08, 0.16)),
    *((0.9, step) for step in (0.08, 0.16, 0.32)),
)
RETURN, STEP = np.array(HYPOTHESES).T
USUAL = 1.0, 4.0  # mean and variance of the usual level before any week
LEVELS = 0.2, 5.0  # the level that steps and noise are relative to lies between these
LEARNING_WEEKS = 4  # first weeks that say nothing about a hypothesis, as they tell where a level lies
EXCESSES = (0.0, 0.1, 0.2, 0.3, 0.45, 0.7, 1.0)  # see `filtered`
EM_STEPS = 20
RAREST = 1e-6  # prior probability of a hypothesis: without any, no artist's weeks could lead to it


class Filtered(NamedTuple):
    """Each artist's state after a history, under each hypothesis: (artists, hypotheses), in units of its mean.

    The level is the `usual` one plus a `distance`.
    """

    usual: Floats
    distance: Floats
    usual_variance: Floats
    covariance: Floats
    distance_variance: Floats
    log_likelihood: Floats

    def ahead(self, step: int) -> tuple[Floats, Floats]:
        """Return the mean and the variance of the level `step` weeks later."""
        left = RETURN**step
        mean = self.usual + left * self.distance
        moves = (STEP * _clipped(mean)) ** 2 * sum(RETURN ** (2 * week) for week in range(step))
        variance = self.usual_variance + 2 * left * self.covariance + left**2 * self.distance_variance
        return mean, variance + moves


def noise(level: Floats, ratio: Floats, excess: float) -> Floats:
    """Return the variance of a week's listening at a level, (artists, hypotheses), for these arguments of `filtered`.

    It is that of a compound-Poisson sum whose rate itself varies from week to week, as of a negative binomial count.
    """
    return np.asarray(_clipped(level) * ratio[:, None] + (excess * _clipped(level)) ** 2)


def _clipped(level: Floats) -> Floats:
    return np.asarray(level.clip(*LEVELS))


def filtered(relative: Floats, ratio: Floats, index: Floats, excess: float = 0.0) -> Filtered:
    """Run the filters over `relative`, (artists, weeks), listening divided by the index and by each artist's mean.

    `ratio`, (artists,), is the ratio of a week's variance to its mean in units of the artist's mean, as far as single
    listens explain it, `excess` the standard deviation of a week's rate relative to the level, and `index`, (weeks,),
    what was divided by. A local level (Harvey, 1989) that returns, by Kalman's (1960) filter.
    """
    shape = len(relative), len(HYPOTHESES)
    usual, usual_variance = (np.full(shape, value) for value in USUAL)
    distance, covariance, distance_variance, log_likelihood = (np.zeros(shape) for _ in range(4))
    for week, listened in enumerate(relative.T):
        distance_variance = RETURN**2 * distance_variance + (STEP * _clipped(usual + distance)) ** 2
        distance, covariance = RETURN * distance, RETURN * covariance
        error = listened[:, None] - (usual + distance)
        with_usual, with_distance = usual_variance + covariance, covariance + distance_variance
        variance = with_usual + with_distance + noise(usual + distance, ratio / index[week], excess)
        if week >= LEARNING_WEEKS:
            log_likelihood -= (np.log(variance) + error**2 / variance) / 2
        usual, distance = usual + with_usual / variance * error, distance + with_distance / variance * error
        usual_variance = usual_variance - with_usual**2 / variance
        covariance = covariance - with_usual * with_distance / variance
        distance_variance = distance_variance - with_distance**2 / variance
    return Filtered(usual, distance, usual_variance, covariance, distance_variance, log_likelihood)


def posterior(log_likelihood: Floats, priors: Floats) -> Floats:
    """Return the probability of each hypothesis, (artists, hypotheses), by its prior one, (hypotheses,)."""
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    return np.asarray(priors * likelihood / (priors * likelihood).sum(axis=1, keepdims=True))


def fitted_priors(log_likelihood: Floats) -> tuple[Floats, float]:
    """Return how common each hypothesis is among artists, (hypotheses,), all alike without any; and its log-likelihood.

    Twenty steps of expectation maximisation (Dempster, Laird & Rubin, 1977) from equal shares.
    """
    priors = np.full(len(HYPOTHESES), 1 / len(HYPOTHESES))
    for _ in range(EM_STEPS if len(log_likelihood) else 0):
        priors = np.maximum(posterior(log_likelihood, priors).mean(axis=0), RAREST)
    return priors, float(logsumexp(log_likelihood, axis=1, b=priors).sum())
