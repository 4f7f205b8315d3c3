"""The LSTM is as good as the best baseline where series have a known signal, and on noise."""

from pathlib import Path

import numpy as np
import pytest

from pozytywka_cli.dataset.loading import load
from pozytywka_cli.dataset.sample import write_sample
from pozytywka_cli.families.weekly.metrics import coverage, rmse
from pozytywka_cli.families.weekly.models.fit import rolling_forecast
from pozytywka_cli.families.weekly.series import series
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.splits import split

from .trained import measured
from .worlds import compound_poisson, with_signal

SETTINGS = WeeklySettings(epochs=2)


@pytest.mark.parametrize(
    ("name", "of_mean", "of_ses"),
    [("AR(1)", 0.70, 1.02), ("annual", 0.50, None), ("random walk", 1.0, 1.03), ("growth", 0.45, None)],
)
def test_signals_are_found(name: str, of_mean: float, of_ses: float | None):
    """So much of the mean's RMSE at most, and of simple exponential smoothing's where that is good at it."""
    divided = split(with_signal(name, artists=1400, seed=7), 8)
    ours = rolling_forecast(measured("lstm", divided, SETTINGS), divided)
    assert rmse(ours, divided) <= of_mean * rmse(rolling_forecast(measured("mean", divided), divided), divided)
    if of_ses:
        assert rmse(ours, divided) <= of_ses * rmse(rolling_forecast(measured("SES", divided), divided), divided)
    assert 0.74 < coverage(ours.ahead(1).quantiles, divided.truth) < 0.86


@pytest.mark.parametrize("seed", [0, 5])
def test_on_the_sample_no_baseline_is_better(seed: int, tmp_path: Path):
    """By more than 1 %; its interval holds 80 % of weeks for the most and the least played artists alike."""
    write_sample(tmp_path / "data", users=120, weeks=40, seed=seed)
    divided = split(series(load(tmp_path / "data", tmp_path / "plays.parquet", lambda _: None)), 8)
    ours = rolling_forecast(measured("lstm", divided, SETTINGS), divided)
    for variant in ("mixture", "SES", "mean4", "mean"):
        assert rmse(ours, divided) <= 1.01 * rmse(rolling_forecast(measured(variant, divided), divided), divided)
    quantiles = ours.ahead(1).quantiles
    for half in np.array_split(divided.top(len(quantiles)), 2):
        assert 0.75 < coverage(quantiles[half], divided.truth[half]) < 0.86


def test_on_noise_the_lstm_stays_with_the_mean():
    """Where no model can beat the mean, it is at most 1 % worse, over three weeks ahead too."""
    rates = np.random.default_rng(0).uniform(5, 60, (200, 1)) * np.ones((1, 70))
    settings = WeeklySettings(epochs=5, horizon=3)
    divided = split(compound_poisson(rates, seed=5), 8, 3)
    mean = rolling_forecast(measured("mean", divided), divided)
    assert rmse(rolling_forecast(measured("lstm", divided, settings), divided), divided) <= 1.01 * rmse(mean, divided)
