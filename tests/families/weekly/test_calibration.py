"""Intervals that are calibrated by level of listening."""

import numpy as np
import pytest

from pozytywka_cli.families.weekly.forecast import Forecast, compound_poisson
from pozytywka_cli.families.weekly.metrics import coverage
from pozytywka_cli.families.weekly.models.calibration import BANDS, Calibration
from pozytywka_cli.families.weekly.series import Floats


def too_narrow_at_the_top(seed: int) -> tuple[Floats, Floats, Floats]:
    """Level, quantiles and truth of 40,000 weeks, which vary three times as much above 50,000 s as they should."""
    random = np.random.default_rng(seed)
    level = np.exp(random.uniform(np.log(5000), np.log(500_000), 40_000))
    deviation = np.sqrt(300 * level)
    quantiles = level[:, None] + deviation[:, None] * np.array([-1.28, 0, 1.28])
    truth = level + deviation * random.normal(size=len(level)) * np.where(level > 50_000, 3, 1)
    return level, quantiles[:, None], truth[:, None]


def test_80_percent_of_weeks_are_within_at_every_level():
    """Of weeks that the factors were not fitted to, also in the half where the interval was too narrow."""
    calibration = Calibration.fitted(*too_narrow_at_the_top(seed=0))
    level, quantiles, truth = too_narrow_at_the_top(seed=1)
    found = calibration.calibrated(level, Forecast(level[:, None], quantiles))
    eighths = np.array_split(np.argsort(level), 8)
    for eighth in [*eighths[:3], *eighths[5:]]:  # between the middle ones the factor changes
        assert coverage(found.quantiles[eighth], truth[eighth]) == pytest.approx(0.8, abs=0.03)
    assert coverage(quantiles[level > 50_000], truth[level > 50_000]) < 0.4
    assert found.mean.tobytes() == level[:, None].tobytes()


def test_quantiles_rise_and_an_end_at_zero_stays_there():
    """Whatever the factor is; no end is negative."""
    level, quantiles = np.array([100.0, 3000.0]), np.array([[[0.0, 50, 300]], [[900.0, 1000, 1500]]])
    for factor in (0.25, 1.0, 4.0):
        found = Calibration((1000.0,), ((factor,),)).calibrated(level, Forecast(level[:, None], quantiles)).quantiles
        assert (np.diff(found, axis=-1) >= 0).all()
        assert found[0, 0].tolist() == [0, 50, 50 + factor * 250]
        assert found[1, 0].tolist() == [1000 - factor * 100, 1000, 1000 + factor * 500]


def test_factors_are_interpolated_between_levels():
    """Half way between two levels, on a logarithmic scale, is the geometric mean; outside them nothing changes."""
    calibration = Calibration((100.0, 10_000.0), ((1.0, 4.0),))
    level = np.array([1.0, 100, 1000, 10_000, 1e6])
    forecast = Forecast(level[:, None], level[:, None, None] + np.array([-0.1, 0, 1]))
    found = calibration.calibrated(level, forecast).quantiles[:, 0]
    np.testing.assert_allclose(found[:, 2] - level, [1, 1, 2, 4, 4])


def test_every_week_ahead_has_factors_of_its_own():
    """The second week varies twice as much as its interval says."""
    level, quantiles, _ = too_narrow_at_the_top(seed=0)
    error = np.random.default_rng(2).normal(size=(len(level), 2)) * np.sqrt(300 * level)[:, None] * [1, 2]
    found = Calibration.fitted(level, np.repeat(quantiles, 2, axis=1), level[:, None] + error)
    np.testing.assert_allclose(found.factors, np.repeat([[1], [2]], BANDS, axis=1), rtol=0.1)


def test_few_rows_hardly_change_an_interval():
    """Ten weeks far outside of it are not enough to make it four times as wide."""
    level, quantiles = np.full(10, 1000.0), np.tile([900.0, 1000, 1100], (10, 1, 1))
    assert np.max(Calibration.fitted(level, quantiles, np.full((10, 1), 2000.0)).factors) < 1.1


def test_with_many_zeros_the_interval_of_a_sum_of_listens_holds_80_percent():
    """Its lower end is zero: the upper one is then the 80 % quantile, not the 90 % one."""
    mean, ratio = np.array([[300.0], [30_000.0]]), np.full(2, 200.0)
    usual, balanced = compound_poisson(mean, ratio), compound_poisson(mean, ratio, upper=0.8)
    assert balanced.quantiles[0, 0, 0] == 0
    assert balanced.quantiles[0, 0, 2] < usual.quantiles[0, 0, 2]
    assert balanced.quantiles[1].tobytes() == usual.quantiles[1].tobytes()
    counts = 200.0 * np.random.default_rng(0).poisson(1.5, 100_000)
    assert coverage(balanced.quantiles[0, 0], counts) == pytest.approx(0.8, abs=0.02)
