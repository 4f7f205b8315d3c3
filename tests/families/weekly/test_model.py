"""The forecasts of the baselines and the networks."""

from dataclasses import replace
from datetime import date

import msgspec
import numpy as np
import pytest
import torch
from msgspec import structs

from pozytywka_cli.errors import RefusedError, UnavailableError
from pozytywka_cli.families.weekly.features import pooled_ratio, scale
from pozytywka_cli.families.weekly.forecast import Model
from pozytywka_cli.families.weekly.forecast import compound_poisson as sums_of_listens
from pozytywka_cli.families.weekly.metrics import coverage
from pozytywka_cli.families.weekly.models import baselines
from pozytywka_cli.families.weekly.models.baselines import Linear, Mean, Seasonal, Smoothing
from pozytywka_cli.families.weekly.models.calibration import Calibration
from pozytywka_cli.families.weekly.models.local_levels import HYPOTHESES
from pozytywka_cli.families.weekly.models.lstm_inputs import HALF_LIVES, LstmParameters, inputs
from pozytywka_cli.families.weekly.models.mixture import Mixture
from pozytywka_cli.families.weekly.models.networks import LegacyLstm, LegacyParameters, Lstm
from pozytywka_cli.families.weekly.series import WEEK

from .worlds import compound_poisson, series_of

MIXTURE = Mixture(240.0, (1 / len(HYPOTHESES),) * len(HYPOTHESES), 0.1, (1.0, 1.0, 1.0))
PARAMETERS = LstmParameters(26, 32, 240.0, HALF_LIVES, True, 3, MIXTURE, Calibration.none(horizon=3))
LSTM_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def trained_like() -> Lstm:
    """An LSTM whose last layer is not zero, as after training."""
    model = Lstm.untrained(PARAMETERS, seed=3)
    torch.nn.init.normal_(model.head.weight, std=0.2, generator=torch.Generator().manual_seed(0))
    return model.eval()


MODELS: dict[str, Model] = {
    "mean": Mean(240.0),
    "mean4": Mean(240.0, weeks=4),
    "linear": Linear(weeks=11),
    "linear-all": Linear(weeks=None),
    "seasonal": Seasonal(240.0, np.linspace(0.5, 1.5, 52).tolist()),
    "lstm": trained_like(),
    "mixture": MIXTURE,
    "legacy-lstm": LegacyLstm.untrained(LegacyParameters(240.0, 3), seed=1),
    "SES": Smoothing("SES"),
    "AutoETS": Smoothing("AutoETS"),
}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
WITH_INDEX = ("lstm", "mixture")  # of all artists together


@pytest.mark.parametrize("rate", [0.5, 2.0, 10.0, 60.0])
@pytest.mark.parametrize("weeks", [4, 12, 80])
def test_the_mean_s_interval_covers_80_percent_of_compound_poisson_weeks(rate: float, weeks: int):
    """Also with few weeks; rare artists have more than 10 % of zeros, which the interval holds."""
    history = compound_poisson(np.full((4000, weeks + 1), rate), seed=weeks)
    past = history.before(weeks)
    found = coverage(Mean(pooled_ratio(past)).forecast(past).quantiles[:, 0], history.listened[:, weeks])
    assert 0.77 < found < (0.84 if rate > 5 else 0.96)


def test_the_quantiles_of_a_silent_artist_are_zero():
    """And those of one that is seldom played start at zero."""
    found = sums_of_listens(np.array([[0.0], [100.0], [1e5]]), np.array([200.0, 200.0, 200.0])).quantiles[:, 0]
    assert found[0].tolist() == [0, 0, 0]
    assert found[1, 0] == 0 < found[1, 2]
    np.testing.assert_allclose(found[2], 1e5 + np.sqrt(2e7) * np.array([-1.28, 0, 1.28]), rtol=0.005)


def test_the_mean_is_of_all_weeks_zeros_included():
    """Or of the last few, where so many are asked for."""
    history = series_of(np.array([[0.0, 0, 0, 10, 20, 30]]))
    assert Mean(200.0).forecast(history, 2).mean.tolist() == [[10, 10]]
    assert Mean(200.0, weeks=4).forecast(history).mean.tolist() == [[15]]
    assert Mean(200.0, weeks=1).forecast(history).mean.tolist() == [[30]]


@pytest.mark.parametrize("weeks", [3, 11, 30])
def test_linear_continues_a_straight_line(weeks: int):
    """Exactly, with an interval of no width; only the last 11 weeks count."""
    line = 100.0 + 7 * np.arange(weeks + 3)
    line[: max(weeks - 11, 0)] = 9999
    found = Linear(weeks=11).forecast(series_of(line[None, :weeks]), 3)
    np.testing.assert_allclose(found.mean, line[None, -3:])
    np.testing.assert_allclose(found.quantiles, np.repeat(line[None, -3:, None], 3, axis=2))


@pytest.mark.parametrize(("asked", "weeks"), [(11, 11), (None, 20)])
def test_linear_is_least_squares(asked: int | None, weeks: int):
    """It agrees with NumPy's polynomial fit, and never falls below zero; of the last 11 weeks or of all."""
    listened = np.random.default_rng(0).uniform(0, 1000, (50, 20))
    expected = [np.polyval(np.polyfit(np.arange(weeks), row[-weeks:], 1), [weeks, weeks + 4]) for row in listened]
    found = Linear(asked).forecast(series_of(listened), 5).mean[:, [0, 4]]
    np.testing.assert_allclose(found, np.maximum(expected, 0), atol=1e-9)


def test_linear_s_interval_by_hand():
    """Through 1, 3, 2: a slope of .5, squared residuals of 1.5, and (1 + 1/3 + 2²/2) of that ahead of one more week."""
    found = Linear(weeks=11).forecast(series_of(np.array([[1.0, 3, 2]])))
    assert found.mean[0, 0] == pytest.approx(3)
    assert found.quantiles[0, 0, 2] == pytest.approx(3 + np.sqrt(1.5 * 10 / 3) * 3.0777, rel=1e-4)


@pytest.mark.parametrize("method", baselines.SMOOTHING_WEEKS)
def test_smoothing_s_interval_holds_80_percent_of_weeks(method: str):
    """Of 150 artists' next week, each a level and noise."""
    listened = np.random.default_rng(3).normal(1e5, 1e4, (150, 41))
    past = series_of(listened).before(40)
    found = coverage(Smoothing(method).forecast(past).quantiles[:, 0], listened[:, 40])
    assert found == pytest.approx(0.8, abs=0.08)


def test_an_untrained_lstm_forecasts_what_the_mixture_does():
    """Its last layer starts at zero; it computes in single precision."""
    history = compound_poisson(np.full((30, 40), 20.0), seed=2)
    found = Lstm.untrained(PARAMETERS, seed=5).forecast(history, 3)
    expected = MIXTURE.forecast(history, 3)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-5)
    np.testing.assert_allclose(found.quantiles, expected.quantiles, rtol=1e-5)


def test_without_a_mixture_an_untrained_lstm_forecasts_exactly_the_mean():
    """As versions from before it did; its quantiles start at −1.28, −.08 and 1.28 spreads."""
    history = compound_poisson(np.full((30, 40), 20.0), seed=2)
    found = Lstm.untrained(structs.replace(PARAMETERS, mixture=None, calibration=None), seed=5).forecast(history, 3)
    assert found.mean.tobytes() == Mean(PARAMETERS.ratio).forecast(history, 3).mean.tobytes()
    spread = (found.quantiles - found.mean[..., None]) / np.sqrt(found.mean * PARAMETERS.ratio)[..., None]
    np.testing.assert_allclose(spread, np.broadcast_to([-1.28, -0.08, 1.28], (30, 3, 3)), atol=0.1)


def test_quantiles_never_cross():
    """Whatever the weights are."""
    network = Lstm(LstmParameters(26, 8, 240.0, (1.0, 2.0), horizon=3))
    torch.nn.init.normal_(network.head.weight, std=5, generator=torch.Generator().manual_seed(0))
    random = np.random.default_rng(0)
    given = (torch.from_numpy(random.normal(size=(99, width)).astype(np.float32)) for width in (26, 6, 2, 12))
    quantiles = network(*given)[..., 1:]
    assert quantiles.shape == (99, 3, 3)
    assert (quantiles.diff(dim=-1) >= 0).all()


@every_model
def test_forecasts_are_rising_quantiles_and_never_negative(model: Model):
    """Also for silent, bursting and vanishing artists."""
    listened = np.zeros((4, 40))
    listened[1, -1], listened[2, :30], listened[3] = 1e6, 1e4, np.arange(40)[::-1] * 300
    found = model.forecast(series_of(listened), 3)
    assert (found.mean.shape, found.quantiles.shape) == ((4, 3), (4, 3, 3))
    assert (found.mean >= 0).all()
    assert (found.quantiles >= 0).all()
    assert (np.diff(found.quantiles, axis=-1) >= 0).all()
    if not isinstance(model, LegacyLstm):
        assert found.mean[0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", sorted(MODELS.keys() - WITH_INDEX))
def test_a_batch_of_artists_gets_what_each_gets_alone(name: str):
    """Bit for bit, wherever an artist stands among the others."""
    history = compound_poisson(np.random.default_rng(0).uniform(0, 40, (600, 1)) * np.ones((1, 37)), seed=3)
    together = MODELS[name].forecast(history)
    backwards = MODELS[name].forecast(history.of(np.arange(600)[::-1]))
    assert together.mean[::-1].tobytes() == backwards.mean.tobytes()
    assert together.quantiles[::-1].tobytes() == backwards.quantiles.tobytes()
    for row in [*range(0, 600, 37), 511, 512, 599]:
        alone = MODELS[name].forecast(history.of(np.array([row])))
        assert alone.mean.tobytes() == together.mean[row].tobytes()
        assert alone.quantiles.tobytes() == together.quantiles[row].tobytes()


@pytest.mark.parametrize("name", sorted(WITH_INDEX))
def test_the_order_of_artists_does_not_matter(name: str):
    """Up to rounding, as the index sums over all of them."""
    history = compound_poisson(np.random.default_rng(0).uniform(0, 40, (600, 1)) * np.ones((1, 37)), seed=3)
    together, backwards = (MODELS[name].forecast(history.of(rows)) for rows in (np.arange(600), np.arange(600)[::-1]))
    np.testing.assert_allclose(backwards.mean[::-1], together.mean, rtol=1e-5)


@every_model
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


def test_the_mix_of_levels_lies_between_them():
    """However large its weights, an artist is moved no farther from its mean than its farthest level is."""
    network = Lstm(LstmParameters(26, 8, 240.0, (1.0, 2.0), horizon=2))
    assert network.mix is not None
    torch.nn.init.normal_(network.mix.weight, std=50, generator=torch.Generator().manual_seed(0))
    levels = torch.tensor([[1.0, -3.0], [40.0, 50.0]])
    moved = network(torch.ones(2, 26), torch.ones(2, 6), levels, torch.zeros(2, 8))[..., 0].abs()
    assert (moved <= torch.tensor([[3.0], [50.0]]) * (1 + 1e-6)).all()
    assert (moved > 0).all()


def test_a_version_from_before_levels_and_horizons_still_forecasts():
    """Its parameters name neither, its network reads four extras and answers four numbers."""
    old = msgspec.json.decode(b'{"window": 26, "hidden": 8, "ratio": 240.0}', type=LstmParameters)
    model = Lstm.untrained(old, seed=0)
    shapes = {name: tuple(weight.shape) for name, weight in model.state_dict().items()}
    assert (shapes["head.weight"], shapes["head.bias"]) == ((4, 12), (4,))
    assert set(shapes) == {"head.weight", "head.bias", *(f"lstm.{name}_l0" for name in LSTM_WEIGHTS)}
    history = compound_poisson(np.full((5, 40), 20.0), seed=2)
    assert model.forecast(history).mean.tobytes() == Mean(240.0).forecast(history).mean.tobytes()


def test_seasonal_knows_the_time_of_year():
    """Of a swing of 40 % that all artists share, on more than two years: the weeks to come, within 6 %."""
    weeks = [date(2023, 1, 2) + WEEK * week for week in range(130)]
    swing = np.array([1 + 0.4 * np.sin(2 * np.pi * week.isocalendar().week / 52) for week in weeks])
    whole = replace(series_of(np.array([[1000.0], [3000.0]]) * swing), weeks=weeks)
    history = whole.before(117)
    found = Seasonal.fitted(history).forecast(history, 13).mean
    np.testing.assert_allclose(found, whole.listened[:, 117:], rtol=0.06)
    assert np.abs(found / found.mean() - 1).max() > 0.2


def test_the_week_of_year_alone_moves_an_annual_network():
    """The same weeks of listening half a year later have other inputs, unless the season is not read."""
    history = compound_poisson(np.full((3, 40), 20.0), seed=2)
    later = replace(history, weeks=[week + 26 * WEEK for week in history.weeks])
    for annual in (False, True):
        seen = [
            inputs(one, scale(one, 240.0), LstmParameters(26, 32, 240.0, HALF_LIVES, annual))
            for one in (history, later)
        ]
        assert np.array_equal(seen[0].extras, seen[1].extras) is not annual
        assert np.array_equal(seen[0].window, seen[1].window)


def test_ets_chosen_on_a_known_history_is_only_updated_afterwards():
    """On what it was fitted to it says the same as one that is fitted there; later weeks still move it."""
    history = compound_poisson(np.linspace(5, 60, 12)[:, None] * np.ones((1, 50)), seed=8)
    once = Smoothing("AutoETS", known=history.before(40))
    fresh = Smoothing("AutoETS")
    np.testing.assert_allclose(
        once.forecast(history.before(40)).mean, fresh.forecast(history.before(40)).mean, rtol=1e-6
    )
    assert (once.forecast(history).mean != once.forecast(history.before(40)).mean).any()


def test_without_the_extra_smoothing_names_what_to_install(monkeypatch: pytest.MonkeyPatch):
    """Exit code 5, the extra's name and the command."""
    monkeypatch.setattr(baselines, "find_spec", lambda _: None)
    with pytest.raises(UnavailableError, match="needs statsforecast") as caught:
        MODELS["SES"].forecast(series_of(np.ones((2, 25))))
    assert "pip install 'pozytywka[forecast]'" in caught.value.hint


@pytest.mark.parametrize("ratio", [np.nan, np.inf, -1.0])
def test_parameters_that_cannot_be_loaded_are_not_saved(tmp_path, ratio):
    """Not finite, or negative, as of values out of scale: refused, with the name of the parameter."""
    with pytest.raises(RefusedError, match="ratio") as refused:
        Mean(ratio).save(tmp_path)
    assert "validate" in refused.value.hint
    assert not list(tmp_path.iterdir())
