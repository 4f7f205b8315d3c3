"""The index that all artists share: how far listening as a whole lies from its mean, in each week and ahead."""

from dataclasses import dataclass

import numpy as np

from pozytywka_cli.families.weekly.series import Floats

LEVEL_STEPS = (0.0, 0.01, 0.03)  # standard deviations of a week's step of the level
SLOPE_STEPS = (0.0, 0.001, 0.004, 0.012)  # and of the slope, per week; without any there is no slope at all
NOISE = (1.0, 2.0, 4.0, 8.0, 16.0)  # multiples of the variance of an observed index: artists move together
LEVEL_STEP, SLOPE_STEP, MULTIPLE = (part.ravel() for part in np.meshgrid(LEVEL_STEPS, SLOPE_STEPS, NOISE))
TRENDS = len(LEVEL_STEP)
FIRST_SLOPE = 0.02  # standard deviation of the slope in the first week
NO_SLOPE = 1e-6  # not zero: covariances are inverted
LEARNING_WEEKS = 4  # first weeks that say nothing about a hypothesis, as they tell where a series begins
LOWEST = 0.05  # of an index: listening is divided by it
TRANSITION = np.array([[1.0, 1.0], [0.0, 1.0]])  # the level moves by the slope


@dataclass(frozen=True)
class SharedIndex:
    """An index, 1 on average over the weeks of a history.

    past: of each week, (weeks,)
    ahead, variance: its forecast and the variance of that, nearest week first, (horizon,)
    """

    past: Floats
    ahead: Floats
    variance: Floats


def shared_index(listened: Floats, ratio: Floats, horizon: int = 1) -> SharedIndex:
    """Estimate the index from `listened`, (artists, weeks), in s; `ratio`, (artists,): see `features.spread_ratio`.

    The observed index is smoothed and forecast by local linear trends (Harvey, 1989) of 60 forms, each weighted by its
    likelihood (Bayesian model averaging: Hoeting et al., 1999).
    """
    played = listened.any(axis=1)
    if not played.any():
        return SharedIndex(np.ones(listened.shape[1]), np.ones(horizon), np.zeros(horizon))
    observed, variance = _observed(listened[played], ratio[played])
    predicted, filtered, log_likelihood = _filter(observed, variance * MULTIPLE)
    weights = np.exp(log_likelihood - log_likelihood.max())
    weights /= weights.sum()
    mean, covariance = filtered[-1]
    ahead, variances = [], []
    for _ in range(horizon):
        mean, covariance = _step(mean, covariance)
        ahead.append(weights @ mean[:, 0])
        variances.append(weights @ (covariance[:, 0, 0] + (mean[:, 0] - ahead[-1]) ** 2))
    past, future = _smoothed(predicted, filtered) @ weights, np.array(ahead)
    return SharedIndex(past.clip(LOWEST), future.clip(LOWEST), np.array(variances))


def _observed(listened: Floats, ratio: Floats) -> tuple[Floats, float]:
    """Return the mean over artists of listening relative to each artist's mean, (weeks,), and its variance.

    Weights are inverse variances, of the noise of an artist's week plus that between artists, by the method of moments
    (DerSimonian & Laird, 1986) as a mean over weeks.
    """
    mean = listened.mean(axis=1)
    relative, noise = listened / mean[:, None], ratio / mean
    weights = 1 / noise
    excess = weights @ (relative - weights @ relative / weights.sum()) ** 2 - (len(mean) - 1)
    scale = weights.sum() - (weights**2).sum() / weights.sum()
    between = max(float(excess.mean() / scale), 0.0) if len(mean) > 1 else 0.0
    weights = 1 / (noise + between)
    return weights @ relative / weights.sum(), float(1 / weights.sum())


State = tuple[Floats, Floats]  # of each trend: mean of level and slope, (trends, 2), and covariance, (trends, 2, 2)


def _step(mean: Floats, covariance: Floats) -> State:
    """Return the state one week later."""
    steps = np.zeros((TRENDS, 2, 2))
    steps[:, 0, 0], steps[:, 1, 1] = LEVEL_STEP**2, SLOPE_STEP**2
    return mean @ TRANSITION.T, TRANSITION @ covariance @ TRANSITION.T + steps


def _filter(observed: Floats, noise: Floats) -> tuple[list[State], list[State], Floats]:
    """Return each week's state before and after it was observed, and the log-likelihood of each trend: (trends,).

    Kalman (1960); `noise`, (trends,), is the variance of an observation.
    """
    mean, covariance = np.tile([1.0, 0.0], (TRENDS, 1)), np.zeros((TRENDS, 2, 2))
    covariance[:, 0, 0] = 1.0
    covariance[:, 1, 1] = np.where(SLOPE_STEP > 0, FIRST_SLOPE, NO_SLOPE) ** 2
    predicted, filtered, log_likelihood = [], [], np.zeros(TRENDS)
    for week, value in enumerate(observed):
        mean, covariance = _step(mean, covariance)
        predicted.append((mean, covariance))
        variance, error = covariance[:, 0, 0] + noise, value - mean[:, 0]
        if week >= LEARNING_WEEKS:
            log_likelihood -= (np.log(variance) + error**2 / variance) / 2
        gain = covariance[:, :, 0] / variance[:, None]
        mean = mean + gain * error[:, None]
        covariance = covariance - gain[:, :, None] * covariance[:, None, 0]
        filtered.append((mean, covariance))
    return predicted, filtered, log_likelihood


def _smoothed(predicted: list[State], filtered: list[State]) -> Floats:
    """Return the level of each week by all weeks, (weeks, trends), by Rauch, Tung & Striebel's (1965) smoother."""
    mean, _ = filtered[-1]
    levels = [mean[:, 0]]
    for (ahead, ahead_covariance), (now, covariance) in zip(predicted[:0:-1], filtered[-2::-1], strict=True):
        gain = covariance @ TRANSITION.T @ np.linalg.inv(ahead_covariance)
        mean = now + (gain @ (mean - ahead)[:, :, None])[:, :, 0]
        levels.append(mean[:, 0])
    return np.stack(levels[::-1])
