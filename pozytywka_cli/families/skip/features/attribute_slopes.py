"""How a user's skips change with a track's attributes: a line through the user's own past plays."""

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np
import polars as pl

from pozytywka_cli.evaluation import Floats, Ints
from pozytywka_cli.families.skip.features.attribute_rates import SIDED
from pozytywka_cli.families.skip.features.history import Past

STEPS = 16  # in a standard deviation: whole numbers, because their sums are exact
FARTHEST = 4 * STEPS
LEVEL_PRIOR = 5.0  # plays of an average track: as many as the prior of the user's rate
SLOPE_PRIOR = 16.0  # plays one deviation away, skipped at the user's own rate
PRIORS = STEPS**2 * np.diag([LEVEL_PRIOR] + [SLOPE_PRIOR] * len(SIDED))


def steps(values: pl.Series, cuts: list[float]) -> Ints:
    """Return how far each value is above the mean of the tracks table: (values,).

    In sixteenths of a standard deviation, up to 4 deviations; mean and deviation are those of the quantiles in `cuts`.
    0 where the value is null or the quantiles do not vary.
    """
    if np.ptp(cuts or [0.0]) == 0:
        return np.zeros(len(values), np.int64)
    deviations = (values.cast(pl.Float64) - float(np.mean(cuts))) / float(np.std(cuts))
    return (STEPS * deviations).clip(-FARTHEST, FARTHEST).round().fill_null(0).cast(pl.Int64).to_numpy()


def slope_effect(past: Past, steps: Sequence[tuple[Ints, Ints]], own_rate: Floats, smoothing: float) -> Floats:
    """Return the log-odds of a skip at each row's attributes minus those of `own_rate`: (rows,).

    One step of Fisher scoring from `own_rate` towards the user's logistic regression of skips on a level and the first
    three attributes (Nelder and Wedderburn, 1972): a line by least squares, over the variance of a single skip. The
    level has the prior plays of `own_rate`, so the line passes through that rate at the mean of all these plays.
    `steps` are those of each attribute, of all plays, (log,), and of the rows, (rows,).
    """
    level = tuple(np.full(len(values), STEPS) for values in (past.skipped, own_rate))
    known, own = zip(level, *steps, strict=True)
    gram, above = np.empty((*PRIORS.shape, len(own_rate))), np.zeros((len(PRIORS), len(own_rate)))
    for one, other in combinations_with_replacement(range(len(PRIORS)), 2):
        products = past.count(known[one] * known[other])
        gram[one, other] = gram[other, one] = products + smoothing * PRIORS[one, other]
    for slope in range(1, len(PRIORS)):
        above[slope] = past.skips(known[slope]) - own_rate * past.count(known[slope])
    line = np.linalg.solve(np.moveaxis(gram, 2, 0), above.T[:, :, None])
    effect = sum(line[:, place, 0] * regressor for place, regressor in enumerate(own))
    return np.asarray(effect / (own_rate * (1 - own_rate)))
