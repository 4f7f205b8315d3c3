"""Means and covariances of what units did: all that the analysis of an experiment needs."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

COLUMNS = 4  # value, weight, and both in the time before the exposure
VALUE, WEIGHT, EARLIER_VALUE, EARLIER_WEIGHT = range(COLUMNS)


@dataclass(frozen=True)
class Moments:
    """Moments of the four columns over units; leading dimensions (...) are experiments that are analysed together.

    count: units, (...)
    mean: (..., 4)
    covariance: with divisor count - 1, (..., 4, 4)

    Of a metric that is a mean per unit, both weights are 1 for every unit.
    """

    count: Floats
    mean: Floats
    covariance: Floats

    def __add__(self, other: "Moments") -> "Moments":
        """Return the moments of the units of both."""
        count = self.count + other.count
        with np.errstate(divide="ignore", invalid="ignore"):
            apart = (other.mean - self.mean)[..., :, None]
            mean = (self.mean * self.count[..., None] + other.mean * other.count[..., None]) / count[..., None]
            within = _scatter(self) + _scatter(other)
            between = apart * apart.swapaxes(-1, -2) * (self.count * other.count / count)[..., None, None]
            return Moments(count, mean, (within + between) / (count - 1)[..., None, None])

    def shifted(self, offset: Floats) -> "Moments":
        """Return the moments after something, (4,), is added to the columns."""
        return replace(self, mean=self.mean + offset)


def from_sums(count: Floats, sums: Floats, products: Floats) -> Moments:
    """Return moments from sums of columns, (..., 4), and of their products, (..., 4, 4).

    Means should be near 0 in comparison with the spread, for a difference of large sums has few digits.
    """
    with np.errstate(divide="ignore", invalid="ignore"):  # an arm may be empty, or hold one unit
        mean = sums / count[..., None]
        centred = products - mean[..., :, None] * mean[..., None, :] * count[..., None, None]
        return Moments(count, mean, centred / (count - 1)[..., None, None])


def of_units(rows: Floats) -> Moments:
    """Return the moments of rows, (units, 4); nulls (NaN) of the earlier columns become the mean of the others."""
    filled = fill(rows)
    return Moments(np.float64(len(rows)) * np.ones(()), filled.mean(axis=0), np.cov(filled, rowvar=False))


def fill(rows: Floats) -> Floats:
    """Return rows, (units, 4), with the mean of a column in place of its NaN, or 0 where all are NaN."""
    known = ~np.isnan(rows)
    means = np.where(known, rows, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, rows, means)


def _scatter(moments: Moments) -> Floats:
    """Return the sum of products of deviations from the mean, which of a single unit is 0."""
    scatter: Floats = np.where(
        (moments.count > 1)[..., None, None], moments.covariance * (moments.count - 1)[..., None, None], 0.0
    )
    return scatter
