"""Calibration of predicted skip probabilities: how far they are from the rates at which plays were skipped."""

import numpy as np
from scipy.special import expit, logit

from pozytywka_cli.evaluation import Flags, Floats, Interval, Ints, interval, jackknife, numbered

BINS = 15
STEPS = 25  # of Newton's method, which takes 5 to 8
STEEPEST = 1e3  # a slope beyond has no maximum of the likelihood: the outcomes are separated


def bias(outcome: Flags, probability: Floats, users: Ints) -> Interval:
    """Return the mean probability minus the rate of the outcome, which is best at 0, with its interval over users."""
    return interval(lambda sums: sums[..., 0] / sums[..., 1], [probability - outcome], users, (-1.0, 1.0))


def expected_calibration_error(outcome: Flags, probability: Floats) -> float:
    """Return the mean distance between forecast and observed rate over equal-width bins, weighted by rows.

    Guo et al. (2017). Chance alone puts it above 0: see `error_if_calibrated`.
    """
    gaps = np.bincount(_bins(probability), weights=probability - outcome)
    return float(np.abs(gaps).sum() / len(outcome))


def error_if_calibrated(probability: Floats) -> float:
    """Return the expected calibration error to expect of outcomes that have exactly these probabilities, (rows,).

    The sum of a bin's gaps then has the variance Σ p(1 - p) and is nearly normal, so that its expected distance from 0
    is √(2 / π) standard deviations. Given the probabilities the outcomes are independent; users whose plays are alike
    beyond that are miscalibrated, and not accounted for.
    """
    variances = np.bincount(_bins(probability), weights=probability * (1 - probability))
    return float(np.sqrt(2 / np.pi * variances).sum() / len(probability))


def _bins(probability: Floats) -> Ints:
    return np.minimum((probability * BINS).astype(np.int64), BINS - 1)


def slope(outcome: Flags, probability: Floats, threshold: Floats, users: Ints) -> Interval | None:
    """Return the slope of a logistic regression of the outcome on the log-odds, with its interval over users.

    Cox (1958): 1 is best, below 1 the probabilities are too far apart, above 1 too close together. The log-odds are
    those of the probability minus those of the threshold of a play's fold, which enter with a slope of 1: folds of
    different rates are no forecasts. The slopes without each user are one Newton step away.

    None where no slope is defined: the log-odds are constant, or they separate the outcomes.
    """
    base = logit(threshold)
    clipped = np.clip(probability, 1e-7, 1 - 1e-7)
    inputs = np.column_stack([np.ones(len(base)), logit(clipped) - base])
    if np.ptp(inputs[:, 1]) < 1e-9 or (weights := _logistic_regression(outcome, inputs, base)) is None:
        return None
    codes, found = numbered(users), expit(base + inputs @ weights)
    score, spread = outcome - found, found * (1 - found)
    scores = np.column_stack([np.bincount(codes, weights=column * score) for column in inputs.T])
    first, both, second = (
        np.bincount(codes, weights=spread * column) for column in (1, inputs[:, 1], inputs[:, 1] ** 2)
    )
    first, both, second = (one.sum() - one for one in (first, both, second))  # the information without each user
    with np.errstate(divide="ignore", invalid="ignore"):
        step = (first * scores[:, 1] - both * scores[:, 0]) / (first * second - both**2)
    return jackknife(weights[1], weights[1] - step, np.bincount(codes).astype(np.float64))


def _logistic_regression(outcome: Flags, inputs: Floats, offset: Floats) -> Floats | None:
    """Return the weights of the inputs by Newton's method from (0, 1), or None if the likelihood has no maximum."""
    weights = np.array([0.0, 1.0])
    for _ in range(STEPS):
        found = expit(offset + inputs @ weights)
        information = (inputs * (found * (1 - found))[:, None]).T @ inputs
        if np.linalg.cond(information) > 1e14:
            return None
        step = np.linalg.solve(information, inputs.T @ (outcome - found))
        weights += step
        if np.abs(weights).max() > STEEPEST:
            return None
        if np.abs(step).max() < 1e-9:
            return weights
    return None
