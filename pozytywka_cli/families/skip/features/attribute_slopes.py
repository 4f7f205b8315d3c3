"""How a user's skips rise or fall with a track's attributes: a line through the user's own past plays."""

from itertools import combinations_with_replacement

import numpy as np
import polars as pl

from pozytywka_cli.families.skip.features.attribute_rates import SIDED
from pozytywka_cli.families.skip.features.history import Floats, Ints, Past

STEPS = 16  # to a standard deviation: whole numbers, because their sums are exact
FARTHEST = 4 * STEPS
LEVEL_PRIOR = 5.0  # plays of an average track: those that the user's rate has of prior
SLOPE_PRIOR = 16.0  # plays one deviation away, skipped at the user's own rate
PRIORS = STEPS**2 * np.diag([LEVEL_PRIOR] + [SLOPE_PRIOR] * len(SIDED))


def steps(values: pl.Series, cuts: list[float]) -> pl.Series:
    """How far each value lies above the catalogue's mean, in sixteenths of a standard deviation, up to 4 deviations.

    Mean and deviation are those of the quantiles in `cuts`. 0 where the value is null or the catalogue's do not vary.
    """
    if np.ptp(cuts or [0.0]) == 0:
        return pl.zeros(len(values), pl.Int8, eager=True)
    away = (values.cast(pl.Float64) - float(np.mean(cuts))) / float(np.std(cuts))
    return (STEPS * away).clip(-FARTHEST, FARTHEST).round().fill_null(0).cast(pl.Int8)


def slope_effect(log: pl.DataFrame, rows: pl.DataFrame, past: Past, own_rate: Floats, smoothing: float) -> Floats:
    """How far the log-odds of a skip lie above those of `own_rate` at each row's attributes: (asked,).

    One step of Fisher scoring from `own_rate` towards the user's logistic regression of skips on a level and the first
    three attributes (Nelder and Wedderburn, 1972): a line by least squares, over the variance of a single skip. The
    level has the prior plays of `own_rate`, so the line passes through that rate at the mean of all these plays.
    """
    known, own = _regressors(log), _regressors(rows)
    gram, above = np.empty((*PRIORS.shape, len(rows))), np.zeros((len(PRIORS), len(rows)))
    for one, other in combinations_with_replacement(range(len(PRIORS)), 2):
        products = past.count(known[one] * known[other])
        gram[one, other] = gram[other, one] = products + smoothing * PRIORS[one, other]
    for slope in range(1, len(PRIORS)):
        above[slope] = past.skips(known[slope]) - own_rate * past.count(known[slope])
    line = np.linalg.solve(np.moveaxis(gram, 2, 0), above.T[:, :, None])
    effect = sum(line[:, place, 0] * regressor for place, regressor in enumerate(own))
    return np.asarray(effect / (own_rate * (1 - own_rate)))


def _regressors(plays: pl.DataFrame) -> list[Ints]:
    """A constant deviation and those of three attributes, in steps: each (plays,)."""
    return [np.full(len(plays), STEPS), *(plays[f"{name}_steps"].to_numpy().astype(np.int64) for name in SIDED)]
