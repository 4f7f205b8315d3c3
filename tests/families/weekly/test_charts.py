"""The charts of weekly."""

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.families.weekly import charts
from pozytywka_cli.families.weekly.forecast import Forecast
from pozytywka_cli.families.weekly.metrics import rmse
from pozytywka_cli.families.weekly.splits import Split, split

from .worlds import series_of


@pytest.fixture
def divided() -> Split:
    """Eight artists whose listening rises from row to row, 40 weeks, the last 8 of them tested."""
    random = np.random.default_rng(1)
    return split(series_of(random.gamma(5, 1, (8, 40)) * 100 * np.arange(1, 9)[:, None]), 8)


def forecast(mean: np.ndarray, width: float) -> Forecast:
    """The mean of (artists, weeks), and quantiles `width` below and above it."""
    quantiles = np.stack([mean - width, mean, mean + width], axis=-1)
    return Forecast(mean[:, :, None], quantiles[:, :, None])


def test_errors_by_week(divided: Split) -> None:
    """Over all weeks they are the RMSE; a week that is forecast exactly has none."""
    mean = divided.truth.copy()
    mean[:, 1:] += np.random.default_rng(2).normal(0, 50, (8, 7))
    found = charts.weekly_errors({"lstm": forecast(mean, 1)}, divided)
    assert found[charts.WEEK].to_list() == divided.series.weeks[-8:]
    assert found[charts.ERROR][0] == 0
    assert np.sqrt((found[charts.ERROR] ** 2).mean()) == pytest.approx(rmse(forecast(mean, 1), divided))


def test_errors_by_week_are_of_the_nearest_week_ahead() -> None:
    """Where forecasts of two weeks ahead are worse."""
    divided = split(series_of(np.random.default_rng(1).gamma(5, 100, (8, 40))), 8, 2)
    mean = divided.truth[..., None] + [3, 7]
    found = charts.weekly_errors({"lstm": Forecast(mean, mean[..., None])}, divided)
    np.testing.assert_allclose(found[charts.ERROR], 3)


def test_calibration_counts_what_lies_at_or_below(divided: Split) -> None:
    """Always below the low quantile, at the middle, below the high one."""
    found = charts.calibration({"lstm": forecast(divided.truth, 1), "mean": forecast(divided.truth - 2, 1)}, divided)
    assert found[charts.OBSERVED].to_list() == [0, 1, 1, 0, 0, 0]


def test_fans_show_the_six_most_played(divided: Split) -> None:
    """26 weeks of listening, 8 of forecasts with their bounds."""
    found = charts.fans("lstm", forecast(divided.truth + 5, 3), divided)
    totals = divided.past.listened.sum(axis=1)
    assert list(found) == [divided.series.artist_ids[row] for row in np.argsort(-totals)[:6]]
    fan = next(iter(found.values()))
    actual = fan.filter(pl.col(charts.VARIANT) == charts.ACTUAL)
    rows = fan.filter(pl.col(charts.VARIANT) == "lstm")
    row = int(np.argmax(totals))
    assert actual[charts.LISTENED].to_list() == divided.series.listened[row, -26:].tolist()
    assert rows[charts.WEEK].to_list() == divided.series.weeks[-8:]
    np.testing.assert_allclose(rows[charts.LISTENED], divided.truth[row] + 5)
    np.testing.assert_allclose(rows["low"], divided.truth[row] + 2)
    np.testing.assert_allclose(rows["high"], divided.truth[row] + 8)
    assert actual["low"].null_count() == 26


def test_the_eight_panels(divided: Split) -> None:
    """In their order, artists by their names where they have one, and every column is there."""
    named = {divided.series.artist_ids[-1]: "Rosetta"}
    found = charts.panels({"lstm": forecast(divided.truth, 1), "mean": forecast(divided.truth, 2)}, divided, named)
    assert [panel.title.partition(",")[0] for panel in found[:3]] == ["Error by week", "Calibration", "Rosetta"]
    assert len(found) == 8
    for panel in found:
        assert {panel.x, panel.y, panel.series} <= set(panel.rows.columns)
