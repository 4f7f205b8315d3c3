"""Verdicts: almost none on noise, most of what really moved, and few that are false."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from pozytywka_cli.weekly.series import Series
from pozytywka_cli.weekly.verdicts import p_values, recent, usual, verdicts

from .worlds import compound_poisson, series_of


def judged(history: Series) -> np.ndarray:
    """The verdicts where the forecast is the mean of the last 4 weeks."""
    return verdicts(history, recent(history))


def levels(artists: int, weeks: int, seed: int) -> np.ndarray:
    """A rate of listens a week for each artist, the same in all weeks."""
    return np.repeat(np.random.default_rng(seed).lognormal(1.9, 1.0, (artists, 1)), weeks, axis=1)


@pytest.mark.parametrize("weeks", [6, 20, 100])
@pytest.mark.parametrize("seed", range(3))
def test_noise_is_steady(weeks: int, seed: int) -> None:
    """One artist in a hundred at most."""
    found = judged(compound_poisson(levels(2000, weeks, seed), seed))
    assert (found != "steady").mean() <= 0.01


@pytest.mark.parametrize("plays", [1.5, 3, 5])
@pytest.mark.parametrize("weeks", [12, 52])
def test_sittings_are_noise_too(plays: float, weeks: int) -> None:
    """Where an artist is heard several times in a row, so many on average, hardly anyone moves either."""
    random = np.random.default_rng(8)
    rates = random.lognormal(1.9, 1.0, (2000, 1)) / plays
    sittings = random.poisson(np.repeat(rates, weeks, axis=1))
    heard = sittings + random.negative_binomial(np.maximum(sittings, 1), 1 / plays) * (sittings > 0)
    assert heard.sum() / sittings.sum() == pytest.approx(plays, rel=0.02)
    assert (judged(series_of(heard * 200.0)) != "steady").mean() <= 0.01


@pytest.mark.parametrize("limit", [0.01, 0.05, 0.1, 0.3])
def test_p_values_of_noise_are_seldom_small(limit: float) -> None:
    """No oftener than they say, but for the chance in 20,000 artists."""
    below = (p_values(compound_poisson(levels(20_000, 52, 7), 7)) <= limit).mean()
    assert below <= limit + 4 * np.sqrt(limit / 20_000)


@pytest.mark.parametrize(("factor", "verdict"), [(3.0, "rising"), (0.2, "falling")])
def test_what_moves_is_found_and_little_else(factor: float, verdict: str) -> None:
    """A tenth of 2,000 artists change their rate four weeks ago: most well-heard ones are told, nine tenths rightly."""
    rates = levels(2000, 100, 11)
    rates[:200, -4:] *= factor
    found = judged(compound_poisson(rates, 12))
    told = found == verdict
    assert told[200:].sum() <= 0.1 * told.sum()
    assert told[:200][rates[:200, 0] > 5].mean() > 0.8
    assert set(found[~told]) <= {"steady", "rising", "falling"}
    assert (found[200:] == "steady").mean() > 0.98


def test_equal_listens_are_tested_exactly() -> None:
    """Twice scipy's binomial tail, or 1: 30 of 100 listens fell into the last 4 of 20 weeks."""
    listened = np.full((1, 20), 70 * 200 / 16)
    listened[0, -4:] = 30 * 200 / 4
    [found] = p_values(series_of(listened))
    assert found == pytest.approx(2 * stats.binom.sf(29, 100, 0.2))


def test_an_artist_is_steady_where_the_forecast_does_not_agree() -> None:
    """The last weeks rose; a forecast nearer to the usual level, or beyond it, takes the verdict away."""
    listened = np.full((3, 30), 2000.0)
    listened[0, -4:] = 8000
    history = series_of(listened)
    for forecast in (8000, 5001, 20_000):
        assert verdicts(history, np.full(3, forecast)).tolist() == ["rising", "steady", "steady"]
    for forecast in (usual(history), np.full(3, 4999.0), usual(history) - 1):
        assert verdicts(history, forecast).tolist() == ["steady"] * 3


def test_silence_and_rarity_are_steady() -> None:
    """No listening at all, a single listen ever, and one only in the last week."""
    listened = np.zeros((3, 30))
    listened[1, 3] = listened[2, -1] = 200
    assert judged(series_of(listened)).tolist() == ["steady"] * 3


def test_an_artist_who_fell_silent_is_falling() -> None:
    """Forty weeks of listening, and none in the last four."""
    listened = np.full((2, 44), 3000.0)
    listened[0, -4:] = 0
    assert judged(series_of(listened)).tolist() == ["falling", "steady"]


def test_four_weeks_are_too_few_to_tell() -> None:
    """There is nothing before them."""
    assert judged(series_of(np.array([[1.0, 10, 100, 9000]]))).tolist() == ["steady"]


def test_no_artists_have_no_verdicts() -> None:
    """An empty log."""
    assert judged(series_of(np.zeros((0, 12)))).tolist() == []


def test_the_unit_of_time_decides_nothing() -> None:
    """In milliseconds as in seconds."""
    history = compound_poisson(levels(300, 40, 2), 3)
    other = replace(history, listened=history.listened * 1e3, squares=history.squares * 1e6)
    np.testing.assert_allclose(p_values(other), p_values(history), rtol=1e-9)
