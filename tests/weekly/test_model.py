"""The plain forecasts and the network's."""

import numpy as np
import pytest
import torch

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.weekly.baselines import Linear, Mean, Model, compound_poisson_quantiles
from pozytywka_cli.weekly.features import pooled_ratio
from pozytywka_cli.weekly.measure import coverage
from pozytywka_cli.weekly.model import Forecaster, Lstm, LstmParameters

from .worlds import compound_poisson, series_of

PARAMETERS = LstmParameters(window=26, hidden=32, ratio=240.0)


def trained_like() -> Lstm:
    """An LSTM whose last layer is not zero, as after training."""
    model = Lstm.untrained(PARAMETERS, seed=3)
    torch.nn.init.normal_(model.network.head.weight, std=0.2, generator=torch.Generator().manual_seed(0))
    model.network.eval()
    return model


MODELS: list[Model] = [Mean(240.0), Mean(240.0, weeks=4), Linear(), trained_like()]
NAMES = ["mean", "mean of 4", "linear", "lstm"]


@pytest.mark.parametrize("rate", [0.5, 2.0, 10.0, 60.0])
@pytest.mark.parametrize("weeks", [4, 12, 80])
def test_the_mean_s_interval_covers_80_percent_of_compound_poisson_weeks(rate: float, weeks: int):
    """Also with few weeks; rare artists have more than 10 % of zeros, which the interval holds."""
    history = compound_poisson(np.full((4000, weeks + 1), rate), seed=weeks)
    past = history.before(weeks)
    found = coverage(Mean(pooled_ratio(past)).forecast(past).quantiles, history.listened[:, weeks])
    assert 0.77 < found < (0.84 if rate > 5 else 0.96)


def test_the_quantiles_of_a_silent_artist_are_zero():
    """And those of one that is seldom played start at zero."""
    found = compound_poisson_quantiles(np.array([0.0, 100.0, 1e5]), np.array([200.0, 200.0, 200.0]))
    assert found[0].tolist() == [0, 0, 0]
    assert found[1, 0] == 0 < found[1, 2]
    np.testing.assert_allclose(found[2], 1e5 + np.sqrt(2e7) * np.array([-1.28, 0, 1.28]), rtol=0.005)


def test_the_mean_is_of_all_weeks_zeros_included():
    """Or of the last few, where so many are asked for."""
    history = series_of(np.array([[0.0, 0, 0, 10, 20, 30]]))
    assert Mean(200.0).forecast(history).mean == [10]
    assert Mean(200.0, weeks=4).forecast(history).mean == [15]
    assert Mean(200.0, weeks=1).forecast(history).mean == [30]


@pytest.mark.parametrize("weeks", [3, 11, 30])
def test_linear_continues_a_straight_line(weeks: int):
    """Exactly, with an interval of no width; only the last 11 weeks count."""
    line = 100.0 + 7 * np.arange(weeks + 1)
    line[: max(weeks - 11, 0)] = 9999
    found = Linear().forecast(series_of(line[None, :weeks]))
    np.testing.assert_allclose(found.mean, line[-1:])
    np.testing.assert_allclose(found.quantiles[0], [line[-1]] * 3)


def test_linear_is_least_squares():
    """It agrees with NumPy's polynomial fit, and never falls below zero."""
    listened = np.random.default_rng(0).uniform(0, 1000, (50, 20))
    expected = [np.polyval(np.polyfit(np.arange(11), row[-11:], 1), 11) for row in listened]
    np.testing.assert_allclose(Linear().forecast(series_of(listened)).mean, np.maximum(expected, 0), atol=1e-9)


def test_an_untrained_lstm_forecasts_exactly_the_mean():
    """Its last layer starts at zero; its quantiles start at −1.28, −.08 and 1.28 spreads."""
    history = compound_poisson(np.full((30, 40), 20.0), seed=2)
    found = Lstm.untrained(PARAMETERS, seed=5).forecast(history)
    assert found.mean.tobytes() == Mean(PARAMETERS.ratio).forecast(history).mean.tobytes()
    spread = (found.quantiles - found.mean[:, None]) / np.sqrt(found.mean * PARAMETERS.ratio)[:, None]
    np.testing.assert_allclose(spread, [[-1.28, -0.08, 1.28]] * 30, atol=0.1)


def test_quantiles_never_cross():
    """Whatever the weights are."""
    network = Forecaster(8)
    torch.nn.init.normal_(network.head.weight, std=5, generator=torch.Generator().manual_seed(0))
    random = np.random.default_rng(0)
    window, extras = (torch.from_numpy(random.normal(size=size).astype(np.float32)) for size in ((99, 26), (99, 4)))
    quantiles = network(window, extras)[:, 1:]
    assert (quantiles.diff(dim=1) >= 0).all()


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_forecasts_are_rising_quantiles_and_never_negative(model: Model):
    """Also for silent, bursting and vanishing artists."""
    listened = np.zeros((4, 40))
    listened[1, -1], listened[2, :30], listened[3] = 1e6, 1e4, np.arange(40)[::-1] * 300
    found = model.forecast(series_of(listened))
    assert (found.mean >= 0).all()
    assert (found.quantiles >= 0).all()
    assert (np.diff(found.quantiles, axis=1) >= 0).all()
    assert found.mean[0] == 0


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_a_batch_of_artists_gets_what_each_gets_alone(model: Model):
    """Bit for bit, wherever an artist stands among the others."""
    history = compound_poisson(np.random.default_rng(0).uniform(0, 40, (700, 1)) * np.ones((1, 37)), seed=3)
    together = model.forecast(history)
    backwards = model.forecast(history.of(np.arange(700)[::-1]))
    assert together.mean[::-1].tobytes() == backwards.mean.tobytes()
    assert together.quantiles[::-1].tobytes() == backwards.quantiles.tobytes()
    for row in [*range(0, 700, 37), 511, 512, 699]:
        alone = model.forecast(history.of(np.array([row])))
        assert alone.mean.tobytes() == together.mean[row].tobytes()
        assert alone.quantiles.tobytes() == together.quantiles[row].tobytes()


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_the_weeks_before_do_not_lie_in_memory_after(model: Model):
    """A view on the first weeks of a longer series is forecast as those weeks alone are."""
    history = compound_poisson(np.full((60, 40), 6.0), seed=4)
    view = history.before(33)
    copy = series_of(view.listened.copy())
    copy.squares[:] = view.squares
    assert model.forecast(view).quantiles.tobytes() == model.forecast(copy).quantiles.tobytes()


def test_a_history_shorter_than_the_window_is_refused():
    """With both numbers of weeks."""
    with pytest.raises(RefusedError, match="only 25 full weeks of plays; this model reads 26") as caught:
        trained_like().forecast(series_of(np.ones((2, 25))))
    assert "train weekly again" in caught.value.hint
