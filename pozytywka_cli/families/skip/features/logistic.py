"""The logistic function and its inverse, in numpy: scipy's take 24 MB and a quarter of a second to import."""

import numpy as np

from pozytywka_cli.evaluation import Floats

LARGEST = 709.0  # whose exponential is finite


def logit(probability: Floats | float) -> Floats:
    """Return the log-odds of probabilities between 0 and 1: the same shape."""
    return np.asarray(np.log(probability / (1 - probability)))


def expit(log_odds: Floats) -> Floats:
    """Return the probabilities of log-odds: the same shape."""
    return np.asarray(1 / (1 + np.exp(np.minimum(-log_odds, LARGEST))))
