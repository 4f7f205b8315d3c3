"""Intervals that hold 80 % of weeks at every level of listening."""

from typing import Annotated, Self

import numpy as np
from msgspec import Meta, Struct

from pozytywka_cli.families.weekly.forecast import QUANTILES, Forecast
from pozytywka_cli.families.weekly.series import Floats
from pozytywka_cli.settings import Positive

# On 120 samples the root mean square distance from 80 % in an eighth by level was .0299 with 4 bands and .0303 with 8;
# exact intervals have .0277 there, by chance.
BANDS = 4
COVERAGE = QUANTILES[-1] - QUANTILES[0]
PRIOR_ROWS = 400  # with which a band counts as rows of all levels do, and these as intervals that need no factor
WIDTHS = 0.25, 4.0  # the narrowest and the widest interval, relative to the one that is calibrated
STEPS = 30  # of the bisection between them
NOTHING = 1e-3  # s; networks compute in single precision, and no listen is shorter than a millisecond


class Calibration(Struct, frozen=True, forbid_unknown_fields=True):
    """Factors of the distances of both ends of an interval from the median.

    levels: an artist's mean week, in s, ascending, between which the logarithms of the factors are interpolated
    factors: by weeks ahead, then by level
    """

    levels: Annotated[tuple[Positive, ...], Meta(min_length=1)]
    factors: Annotated[tuple[tuple[Positive, ...], ...], Meta(min_length=1)]

    def __post_init__(self) -> None:
        """Raise a ValueError if the levels do not ascend, or are not those of the factors."""
        if list(self.levels) != sorted(self.levels) or any(len(row) != len(self.levels) for row in self.factors):
            raise ValueError("the factors of an interval are not by ascending level")

    @classmethod
    def none(cls, horizon: int) -> Self:
        """Return factors that change nothing."""
        return cls((1.0,), ((1.0,),) * horizon)

    @classmethod
    def fitted(cls, level: Floats, quantiles: Floats, truth: Floats) -> Self:
        """Fit the factors so that 80 % of the weeks are within: one for each quarter of rows by level.

        Conformal prediction (Vovk et al., 2005) within bands of level; each factor is shrunk to that of all rows, and
        this one to 1.
        `level` is (rows,), in s, `quantiles` (rows, horizon, 3) and `truth` (rows, horizon).
        """
        rows = np.argsort(level, kind="stable")
        bands = [band for band in np.array_split(rows, BANDS) if len(band)]
        levels = np.maximum.accumulate([float(np.median(level[band])) for band in bands])
        factors = []
        for ends, weeks in zip(quantiles.swapaxes(0, 1), truth.T, strict=True):
            overall = _shrunk(_width(ends, weeks), len(rows), 1.0)
            factors.append(tuple(_shrunk(_width(ends[band], weeks[band]), len(band), overall) for band in bands))
        return cls(tuple(levels.tolist()), tuple(factors))

    def calibrated(self, level: Floats, forecast: Forecast) -> Forecast:
        """Return a forecast with other intervals; `level` is each artist's mean week, (artists,), in s."""
        at, known = np.log(np.maximum(level, 1e-9)), np.log(self.levels)
        horizon = forecast.mean.shape[1]
        factors = np.stack([np.exp(np.interp(at, known, np.log(row))) for row in self.factors[:horizon]], axis=1)
        return Forecast(forecast.mean, _stretched(forecast.quantiles, factors))


def _shrunk(factor: float, rows: int, prior: float) -> float:
    """Return the mean of the logarithms of a factor that was fitted to so many rows and of a prior one, as a factor."""
    weight = rows / (rows + PRIOR_ROWS)
    return float(factor**weight * prior ** (1 - weight))


def _stretched(quantiles: Floats, factor: Floats) -> Floats:
    """Multiply the distances of both ends from the median, (…, 3), by a factor, (…); an end at zero stays there."""
    low, middle, high = np.moveaxis(quantiles, -1, 0)
    low = np.where(low > NOTHING, np.maximum(middle - factor * (middle - low), 0), 0)
    return np.stack([low, middle, middle + factor * (high - middle)], axis=-1)


def _width(quantiles: Floats, truth: Floats) -> float:
    """Return the smallest factor with which 80 % of `truth`, (rows,), lie within `quantiles`, (rows, 3)."""
    low, high = WIDTHS
    for _ in range(STEPS):
        middle = float(np.sqrt(low * high))
        ends = _stretched(quantiles, np.full(len(truth), middle))
        within = ((ends[:, 0] <= truth) & (truth <= ends[:, -1])).mean()
        low, high = (low, middle) if within >= COVERAGE else (middle, high)
    return high
