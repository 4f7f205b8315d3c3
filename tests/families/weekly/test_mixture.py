"""The mixture: its filters, its priors, and the index that artists share."""

import numpy as np
import pytest

from pozytywka_cli.families.weekly.metrics import rmse
from pozytywka_cli.families.weekly.models import local_levels, shared_index
from pozytywka_cli.families.weekly.models.baselines import Mean
from pozytywka_cli.families.weekly.models.fit import rolling_forecast
from pozytywka_cli.families.weekly.models.local_levels import HYPOTHESES
from pozytywka_cli.families.weekly.models.mixture import Mixture
from pozytywka_cli.families.weekly.series import Floats
from pozytywka_cli.families.weekly.splits import split

from .trained import measured
from .worlds import compound_poisson, series_of, with_signal

WEEKS = 9


def joint(returned: float, step: float, noise: float) -> tuple[Floats, Floats]:
    """Mean and covariance of ten weeks of one artist at level 1, noise left out of the last, by the model's words."""
    lags = np.subtract.outer(np.arange(WEEKS + 1), np.arange(WEEKS + 1))
    moves = np.where(lags >= 0, returned ** np.maximum(lags, 0), 0) * step
    covariance = 4 + moves @ moves.T
    covariance[:WEEKS, :WEEKS] += noise * np.eye(WEEKS)
    return np.ones(WEEKS + 1), covariance


@pytest.mark.parametrize("number", range(len(HYPOTHESES)))
def test_a_filter_agrees_with_the_joint_normal_distribution(number: int, monkeypatch: pytest.MonkeyPatch):
    """Conditioning all weeks at once gives the same next week and likelihood, where steps and noise do not vary."""
    monkeypatch.setattr(local_levels, "LEVELS", (1.0, 1.0))
    listened, noise = np.random.default_rng(number).normal(1, 0.3, WEEKS), 0.09
    found = local_levels.filtered(listened[None], np.array([noise - 0.04]), np.ones(WEEKS), excess=0.2)
    mean, covariance = joint(*HYPOTHESES[number], noise)
    past, next_week = covariance[:WEEKS, :WEEKS], covariance[WEEKS, :WEEKS]
    weights = np.linalg.solve(past, next_week)
    level, variance = found.ahead(1)
    assert level[0, number] == pytest.approx(1 + weights @ (listened - mean[:WEEKS]))
    assert variance[0, number] == pytest.approx(covariance[WEEKS, WEEKS] - weights @ next_week)
    known = local_levels.LEARNING_WEEKS
    densities = [log_density(listened[:weeks] - 1, past[:weeks, :weeks]) for weeks in (WEEKS, known)]
    constant = (WEEKS - known) / 2 * np.log(2 * np.pi)
    assert found.log_likelihood[0, number] == pytest.approx(densities[0] - densities[1] + constant)


def log_density(distance: Floats, covariance: Floats) -> float:
    """Of a normal distribution at a distance from its mean."""
    _, determinant = np.linalg.slogdet(2 * np.pi * covariance)
    return float(-(determinant + distance @ np.linalg.solve(covariance, distance)) / 2)


def test_farther_ahead_levels_return_and_are_less_certain():
    """A walk that returns by 10 % a week comes back to the usual level; a random walk stays where it is."""
    found = local_levels.filtered(np.array([[1.0] * 20 + [2.0] * 5]), np.array([0.01]), np.ones(25))
    levels, variances = np.stack([found.ahead(step) for step in (1, 4, 40)], axis=1)[:, :, 0]
    walk, returning = HYPOTHESES.index((1.0, 0.16)), HYPOTHESES.index((0.9, 0.16))
    assert levels[:, walk] == pytest.approx([2, 2, 2], rel=0.01)
    assert (np.diff(levels[:, returning]) < -0.1).all()
    assert levels[2, returning] == pytest.approx(found.usual[0, returning], rel=0.02)
    assert (np.diff(variances[:, 1:7], axis=0) > 0).all()


def test_priors_are_the_shares_of_hypotheses():
    """Of artists whose likelihood leaves no doubt; without artists all hypotheses are alike."""
    number = np.repeat(np.arange(len(HYPOTHESES)), np.arange(len(HYPOTHESES)) + 1)
    likelihood = np.where(number[:, None] == np.arange(len(HYPOTHESES)), 0, -200.0)
    shares = np.bincount(number) / len(number)
    priors, log_likelihood = local_levels.fitted_priors(likelihood)
    np.testing.assert_allclose(priors, shares, rtol=1e-6)
    assert log_likelihood == pytest.approx(np.log(shares[number]).sum())
    assert len(set(local_levels.fitted_priors(np.empty((0, len(HYPOTHESES))))[0])) == 1


def test_noise_around_a_level_is_forecast_by_the_mean():
    """Of 60 weeks, within 2 %; the constant is the most probable hypothesis."""
    history = compound_poisson(np.random.default_rng(0).uniform(5, 60, (300, 1)) * np.ones((1, 60)), seed=1)
    model = Mixture.fitted(history)
    assert np.argmax(model.priors) == 0
    np.testing.assert_allclose(model.forecast(history).mean, Mean(model.ratio).forecast(history).mean, rtol=0.1)
    assert np.mean(np.abs(model.forecast(history).mean / Mean(model.ratio).forecast(history).mean - 1)) < 0.02


def test_a_new_level_is_followed():
    """Artists that were listened to three times as much for eight weeks are forecast there, the others as before."""
    rates = np.full((200, 60), 20.0)
    rates[:2, -8:] = 60
    history = compound_poisson(rates, seed=3)
    found = Mixture.fitted(history).forecast(history).mean[:, 0] / 197
    assert found[:2].min() > 50
    assert found[2:].mean() == pytest.approx(20, rel=0.03)


def test_the_index_is_what_all_artists_share():
    """A growth of 1 % a week, within 2 %, and its continuation; without any it is 1."""
    growth = 1.01 ** np.arange(63)
    rates = np.random.default_rng(0).uniform(5, 60, (400, 1))
    history = compound_poisson(rates * growth[:60], seed=2)
    ratio = np.full(400, 240.0)
    found = shared_index.shared_index(history.listened, ratio, horizon=3)
    expected = growth / growth[:60].mean()
    np.testing.assert_allclose(found.past, expected[:60], rtol=0.02)
    np.testing.assert_allclose(found.ahead, expected[60:], rtol=0.02)
    assert (np.diff(found.variance) > 0).all()
    steady = compound_poisson(rates * np.ones(60), seed=2)
    np.testing.assert_allclose(shared_index.shared_index(steady.listened, ratio).past, 1, rtol=0.02)


def test_the_smoothed_index_agrees_with_the_joint_normal_distribution():
    """Conditioning on all weeks at once gives the same levels, for each trend."""
    observed, noise = np.random.default_rng(1).normal(1, 0.05, 12), 0.002 * shared_index.MULTIPLE
    predicted, filtered, _ = shared_index._filter(observed, noise)
    found = shared_index._smoothed(predicted, filtered)
    weeks = np.arange(1, 13)
    for trend in range(0, shared_index.TRENDS, 7):
        slope = shared_index.SLOPE_STEP[trend]
        first = shared_index.FIRST_SLOPE if slope else shared_index.NO_SLOPE
        after = np.maximum(np.subtract.outer(weeks, weeks), 0)  # weeks for which a step of the slope moves the level
        covariance = 1 + first**2 * np.outer(weeks, weeks) + slope**2 * after @ after.T
        covariance = covariance + shared_index.LEVEL_STEP[trend] ** 2 * np.minimum.outer(weeks, weeks)
        smoothed = 1 + covariance @ np.linalg.solve(covariance + noise[trend] * np.eye(12), observed - 1)
        np.testing.assert_allclose(found[:, trend], smoothed, rtol=1e-5)


@pytest.mark.parametrize("listened", [np.zeros((3, 9)), np.ones((1, 1)), np.full((1, 9), 7.0), np.empty((0, 9))])
def test_little_or_no_listening_gives_finite_forecasts(listened: np.ndarray):
    """No artist, silent ones, one that never changes, or a single week: nothing is divided by zero."""
    history = series_of(listened)
    found = Mixture.fitted(history).forecast(history, 1)
    assert np.isfinite(found.quantiles).all()
    np.testing.assert_allclose(found.mean[:, 0], listened.mean(axis=1), rtol=0.2)


def test_factors_widen_intervals_for_what_no_hypothesis_explains():
    """Where the last third varies twice as much as the weeks before, standard deviations are up to twice as large."""
    history = compound_poisson(np.full((300, 39), 30.0), seed=4)
    wild = series_of(history.listened.copy())
    wild.squares[:] = history.squares
    wild.listened[:, 26:] = 30 * 197 + 2 * (history.listened[:, 26:] - 30 * 197)
    factors = [Mixture.fitted(one, horizon=2).factors for one in (history, wild)]
    np.testing.assert_allclose(factors[0], 1, atol=0.1)
    assert all(2 < factor < 4.5 for factor in factors[1])


def test_weeks_that_vary_more_than_listens_do_are_not_followed():
    """Rates that vary by 45 % from week to week, around one level: the mean forecasts them best."""
    random = np.random.default_rng(0)
    rates = random.uniform(5, 60, (300, 1)) * random.gamma(1 / 0.45**2, 0.45**2, (300, 60))
    divided = split(compound_poisson(rates, seed=1), 8)
    model = Mixture.fitted(divided.past)
    forecast, mean = (rolling_forecast(one, divided) for one in (model, Mean(model.ratio)))
    assert model.excess == 0.45
    assert rmse(forecast, divided) <= 1.02 * rmse(mean, divided)
    assert Mixture.fitted(compound_poisson(np.full((300, 60), 30.0), seed=4)).excess == 0


@pytest.mark.parametrize("name", ["AR(1)", "annual", "random walk", "growth"])
def test_the_mixture_is_as_good_as_smoothing_where_there_is_a_signal(name: str):
    """Of simple exponential smoothing's RMSE 101 % at most; far below it where all artists share the signal."""
    divided = split(with_signal(name, artists=400, seed=7), 8)
    ours, smoothing = (rmse(rolling_forecast(measured(one, divided), divided), divided) for one in ("mixture", "SES"))
    assert ours <= {"annual": 0.95, "growth": 0.95}.get(name, 1.01) * smoothing
