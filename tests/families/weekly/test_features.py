"""The scale of a series, and the inputs of a forecast."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from pozytywka_cli.families.weekly.features import pooled_ratio, scale, spread_ratio
from pozytywka_cli.families.weekly.models.lstm_inputs import HALF_LIVES, LstmParameters, inputs
from pozytywka_cli.families.weekly.series import Series

from .worlds import compound_poisson, series_of

READING = LstmParameters(26, 32, 240.0, HALF_LIVES, annual=True)


def test_the_spread_is_the_design_s():
    """s² = m · Σ listen² ÷ Σ listen, with 2,000 s at the pooled ratio added to the artist's own listening."""
    history = Series(["a", "b"], [], np.array([[0.0, 200.0], [600, 200]]), np.array([[0, 4e4], [3e5, 1e5]]))
    assert pooled_ratio(history) == pytest.approx(440)
    ratio = (4e4 + 2000 * 440) / 2200
    assert spread_ratio(history, 440)[0] == pytest.approx(ratio)
    assert scale(history, 440).mean.tolist() == [100, 400]
    assert scale(history, 440).spread[0] == pytest.approx(np.sqrt(100 * ratio))


def test_inputs_are_the_design_s():
    """z = (x − m) ÷ s within ±20, (log m − 7) ÷ 1.3, log(s ÷ m) + .5, and the drift of 4 and 13 weeks times √k ÷ 2."""
    listened = np.zeros((1, 30))
    listened[0, -1], listened[0, -3] = 90_000, 3_000
    history = series_of(listened, 100)
    level = scale(history, 100)
    m, s = 3100.0, np.sqrt(3100 * 100)
    found = inputs(history, level, READING)
    assert found.window.shape == (1, 26)
    np.testing.assert_allclose(found.window[0, [-1, -2, -3]], [20, -m / s, (3000 - m) / s], rtol=1e-5)
    drift = [min((93_000 / 4 - m) / s, 20), (93_000 / 13 - m) / s * np.sqrt(13) / 2]
    np.testing.assert_allclose(found.extras[0, :2], [(np.log(m) - 7) / 1.3, np.log(s / m) + 0.5], rtol=1e-5)
    np.testing.assert_allclose(found.extras[0, 2:4], drift, rtol=1e-5)


def test_an_artist_without_listening_has_finite_inputs():
    """Its mean and spread are zero, and nothing is divided by them."""
    history = series_of(np.zeros((1, 30)))
    level = scale(history, 200)
    found = inputs(history, level, READING)
    assert np.isfinite(found.window).all()
    assert np.isfinite(found.extras).all()
    assert level.seconds(np.ones((1, 4))).tolist() == [[0, 0, 0, 0]]


def test_inputs_at_an_origin_do_not_depend_on_later_weeks():
    """Deleting or altering every later week changes no bit of what is known at the origin."""
    history = compound_poisson(np.full((20, 40), 5.0), seed=1)
    altered = replace(history, listened=history.listened.copy(), squares=history.squares.copy())
    altered.listened[:, 30:] = 1e6
    altered.squares[:, 30:] = 1e12
    deleted = history.before(30)
    seen = [inputs(known, scale(known, 240.0), READING) for known in (history.before(30), altered.before(30), deleted)]
    assert len({b"".join(part.tobytes() for part in given) for given in seen}) == 1
    other = inputs(altered.before(31), scale(altered.before(31), 240.0), READING)
    assert other.window.tobytes() != seen[0].window.tobytes()


def test_the_spread_of_a_mean_is_that_of_the_past_weeks():
    """Σ (x − m)² ÷ Σ x in place of Σ listen² ÷ Σ listen, shrunk alike."""
    history = replace(series_of(np.array([[100.0, 300.0], [200, 200]])), measure="mean")
    assert pooled_ratio(history) == pytest.approx(20_000 / 800)
    assert spread_ratio(history, 25)[0] == pytest.approx((20_000 + 2000 * 25) / 2400)
    assert spread_ratio(history, 25)[1] == pytest.approx(2000 * 25 / 2400)


def test_recent_levels_count_a_week_half_as_much_one_half_life_later():
    """In spreads from the mean; beside the window stand their inverse hyperbolic sines."""
    listened = np.zeros((1, 30))
    listened[0, -3:] = 800, 200, 500
    history = series_of(listened, 100)
    level = scale(history, 100)
    found = inputs(history, level, LstmParameters(26, 32, 100.0, (1.0, 2.0)))
    for column, half_life in enumerate((1.0, 2.0)):
        weights = 0.5 ** (np.arange(30)[::-1] / half_life)
        expected = (np.average(listened[0], weights=weights) - level.mean[0]) / level.spread[0]
        assert found.levels[0, column] == pytest.approx(expected, rel=1e-5)
        assert found.extras[0, 4 + column] == pytest.approx(np.arcsinh(expected), rel=1e-5)
    assert (found.extras.shape, LstmParameters(26, 32, 100.0, (1.0, 2.0)).extras) == ((1, 6), 6)


@pytest.mark.parametrize(("week", "sine"), [(date(2025, 3, 24), 1), (date(2025, 9, 22), -1), (date(2020, 12, 21), 0)])
def test_the_season_is_that_of_the_next_week(week: date, sine: int):
    """A quarter through the year the sine is at its top, and week 53 lies beside week 1; in spreads of the level."""
    history = series_of(np.full((1, 30), 400.0), 100)
    history = replace(history, weeks=[week - timedelta(weeks=29 - number) for number in range(30)])
    level = scale(history, 100)
    found = inputs(history, level, LstmParameters(26, 32, 100.0, annual=True)).extras[0, 4:] / (
        level.mean / level.spread / 4
    )
    assert found[0] == pytest.approx(sine, abs=0.1)
    assert np.hypot(*found) == pytest.approx(1)
