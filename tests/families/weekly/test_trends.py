"""Trends: almost none on noise, most real changes, and few false ones."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from pozytywka_cli.families.weekly.levels import recent, usual
from pozytywka_cli.families.weekly.series import Series
from pozytywka_cli.families.weekly.shared_move import shared_moves
from pozytywka_cli.families.weekly.trends import p_values, trends

from .worlds import compound_poisson, series_of, with_signal


def levels(artists: int, weeks: int, seed: int) -> np.ndarray:
    """A rate of listens a week for each artist, the same in all weeks."""
    return np.repeat(np.random.default_rng(seed).lognormal(1.9, 1.0, (artists, 1)), weeks, axis=1)


def after_debuts(rates: np.ndarray) -> np.ndarray:
    """These rates, of every other artist from a week of its own on, at least 6 weeks before the end."""
    artists, weeks = rates.shape
    first = np.random.default_rng(9).integers(0, weeks - 5, artists) * (np.arange(artists) % 2)
    return np.where(np.arange(weeks) >= first[:, None], rates, 0)


def fans(artists: int, weeks: int, seed: int) -> np.ndarray:
    """Whether each artist's only fan is there (0 or 1), who comes and goes every 16 weeks on average."""
    random = np.random.default_rng(seed)
    begin = random.random((artists, 1)) < 0.5
    turns = random.random((artists, weeks)) < 1 / 16
    return (begin + np.cumsum(turns, axis=1)) % 2


def p_values_of(history: Series) -> np.ndarray:
    """Each artist's p-value that it moved like the others."""
    return p_values(history, shared_moves(history))


@pytest.mark.parametrize("weeks", [6, 20, 100])
@pytest.mark.parametrize("seed", range(3))
def test_noise_is_steady(weeks: int, seed: int) -> None:
    """One artist in a hundred at most."""
    found = trends(compound_poisson(levels(2000, weeks, seed), seed))
    assert (found != "steady").mean() <= 0.01


@pytest.mark.parametrize("plays", [1.5, 3, 5])
@pytest.mark.parametrize("weeks", [6, 8, 12, 52])
def test_sittings_are_noise_too(plays: float, weeks: int) -> None:
    """Several plays in a row, so many on average, are no trend either."""
    random = np.random.default_rng(8)
    rates = random.lognormal(1.9, 1.0, (2000, 1)) / plays
    sittings = random.poisson(np.repeat(rates, weeks, axis=1))
    heard = sittings + random.negative_binomial(np.maximum(sittings, 1), 1 / plays) * (sittings > 0)
    assert heard.sum() / sittings.sum() == pytest.approx(plays, rel=0.02)
    assert (trends(series_of(heard * 200.0)) != "steady").mean() <= 0.01


@pytest.mark.parametrize("weeks", [12, 30, 100])
def test_a_trend_on_noise_is_a_rare_event(weeks: int) -> None:
    """Without any change every trend is false: at most a tenth of 200 logs of 100 artists may have one."""
    rates = [levels(100, weeks, seed) for seed in range(200)]
    any_trend = [(trends(compound_poisson(rate, seed)) != "steady").any() for seed, rate in enumerate(rates)]
    assert np.mean(any_trend) <= 0.1


@pytest.mark.parametrize("name", ["AR(1)", "random walk", "annual", "growth"])
@pytest.mark.parametrize("weeks", [12, 20, 52, 104])
def test_rates_that_always_wander_are_usual(name: str, weeks: int) -> None:
    """At most 1 % of artists whose rate has always varied, each on its own or all together, have a trend."""
    assert (trends(with_signal(name, 2000, 3).before(weeks)) != "steady").mean() <= 0.01


@pytest.mark.parametrize("weeks", [20, 52, 104])
@pytest.mark.parametrize("times", [1, 3])
def test_fans_that_come_and_go_are_usual(weeks: int, times: int) -> None:
    """At most 2 % of artists, each with one fan, half of the time, who listens so many times as much as all others."""
    rates = levels(2000, weeks, 0) * (1 + times * fans(2000, weeks, 1))
    assert (trends(compound_poisson(rates, 2)) != "steady").mean() <= 0.02


@pytest.mark.parametrize("weeks", [12, 52, 104])
@pytest.mark.parametrize("factor", [0.7, 1.3, 2.0])
def test_what_all_artists_do_is_no_trend(weeks: int, factor: float) -> None:
    """All are listened to more or less in the last 4 weeks, half of them since a debut at any time."""
    rates = levels(2000, weeks, 4)
    rates[:, -4:] *= factor
    assert (trends(compound_poisson(after_debuts(rates), 5)) != "steady").mean() <= 0.01


def test_a_new_artist_in_a_growing_log_is_steady() -> None:
    """All grow by 2 % a week: old artists are far above what is usual for them, new ones hardly."""
    rates = levels(2000, 104, 6) * np.exp(0.02 * np.arange(104))
    assert (trends(compound_poisson(after_debuts(rates), 7)) != "steady").mean() <= 0.01


@pytest.mark.parametrize("artists", [1, 2, 3, 10])
def test_one_of_few_artists_that_triples_is_rising(artists: int) -> None:
    """Its own move is not taken for a shared one, and the others do not fall."""
    rates = np.full((artists, 60), 50.0)
    rates[0, -4:] *= 3
    assert trends(compound_poisson(rates, 8)).tolist() == ["rising"] + ["steady"] * (artists - 1)


def test_artists_that_wander_do_not_hide_one_that_changes() -> None:
    """With ten times as many wandering artists, changes of well-played others are found, tripled or a third."""
    history = with_signal("random walk", 1000, 3)
    rates = np.full((100, 104), 20.0)
    rates[:20, -4:] *= 3
    rates[20:40, -4:] /= 3
    others = compound_poisson(rates, 5)
    both = {name: np.vstack([getattr(history, name), getattr(others, name)]) for name in ("listened", "squares")}
    found = trends(Series([f"{row:04}" for row in range(1100)], history.weeks, **both))[1000:]
    assert (found[:20] == "rising").all()
    assert (found[20:40] == "falling").mean() >= 0.9
    assert (found[40:] == "steady").mean() >= 0.95


@pytest.mark.parametrize("weeks", [1, 2, 3, 5, 6, 12, 60])
def test_a_debut_is_no_rise(weeks: int) -> None:
    """Artists first played so many weeks ago, at a constant rate since: the zeros before do not count."""
    rates = levels(400, 100, 5)
    rates[:200, :-weeks] = 0
    rates[:200, -weeks:] = 20
    assert (trends(compound_poisson(rates, 6)) != "steady").mean() <= 0.01


def test_a_rare_artist_s_first_week_is_not_usual() -> None:
    """It is first because something was played in it: with it, rare artists would seem to fall."""
    history = compound_poisson(np.full((20_000, 30), 0.15), 4)
    late, before = recent(history), usual(history)
    known = ~np.isnan(before)
    assert late[known].mean() == pytest.approx(before[known].mean(), rel=0.05)


def test_usual_and_recent_by_hand() -> None:
    """The first week with a play and those before it are left out; without others there is no usual level."""
    listened = np.array([[0, 9.0, 3, 5, 0, 4, 4, 4, 8], [0, 0, 0, 0, 7, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0, 0, 0]])
    history = series_of(listened)
    np.testing.assert_array_equal(recent(history), [5, 1, 0])
    np.testing.assert_array_equal(usual(history), [8 / 3, np.nan, np.nan])


def test_at_most_a_tenth_of_the_trends_may_be_false() -> None:
    """Of a single artist: 4 listens in the last 4 weeks after 40 in 16 have a p-value of .09, and 5 have .18."""
    listened = np.full((1, 21), 40 * 200 / 16)
    for late, trend in ((4, "falling"), (5, "steady")):
        listened[0, -4:] = late * 200 / 4
        assert trends(series_of(listened)).tolist() == [trend]


@pytest.mark.parametrize("limit", [0.01, 0.05, 0.1, 0.3])
def test_p_values_of_noise_are_seldom_small(limit: float) -> None:
    """Not more often than their value, up to the chance in 20,000 artists."""
    below = (p_values_of(compound_poisson(levels(20_000, 52, 7), 7)) <= limit).mean()
    assert below <= limit + 4 * np.sqrt(limit / 20_000)


@pytest.mark.parametrize("shared", [1.0, 0.7, 1.3])
@pytest.mark.parametrize(("factor", "trend", "power"), [(3.0, "rising", 0.95), (0.2, "falling", 0.85)])
def test_what_moves_is_found_and_little_else(factor: float, trend: str, power: float, shared: float) -> None:
    """A tenth of 2,000 artists changed four weeks ago beside a shared move.

    Most well-played ones are found, and at most a tenth of all trends is false.
    """
    rates = levels(2000, 100, 11)
    rates[:, -4:] *= shared
    rates[:200, -4:] *= factor
    found = trends(compound_poisson(rates, 12))
    marked = found == trend
    assert marked[200:].sum() <= 0.1 * marked.sum()
    assert marked[:200][rates[:200, 0] > 5].mean() >= power
    assert set(found[~marked]) <= {"steady", "rising", "falling"}
    assert (found[200:] == "steady").mean() > 0.98


def test_equal_listens_are_tested_exactly() -> None:
    """Twice scipy's binomial tail, or 1: 30 of 100 listens fell into the last 4 of 20 weeks after the first."""
    listened = np.full((1, 21), 70 * 200 / 16)
    listened[0, -4:] = 30 * 200 / 4
    [found] = p_values_of(series_of(listened))
    assert found == pytest.approx(2 * stats.binom.sf(29, 100, 0.2))


def test_silence_and_rarity_are_steady() -> None:
    """No listening at all, a single listen ever, and one only in the last week."""
    listened = np.zeros((3, 30))
    listened[1, 3] = listened[2, -1] = 200
    assert trends(series_of(listened)).tolist() == ["steady"] * 3


def test_an_artist_who_fell_silent_is_falling() -> None:
    """After forty weeks of listening there is none in the last four."""
    listened = np.full((2, 44), 3000.0)
    listened[0, -4:] = 0
    assert trends(series_of(listened)).tolist() == ["falling", "steady"]


def test_four_weeks_are_too_few_to_tell() -> None:
    """There is nothing before them."""
    assert trends(series_of(np.array([[1.0, 10, 100, 9000]]))).tolist() == ["steady"]


def test_no_artists_have_no_trends() -> None:
    """An empty log."""
    assert trends(series_of(np.zeros((0, 12)))).tolist() == []


def test_the_unit_of_time_decides_nothing() -> None:
    """In milliseconds as in seconds."""
    history = compound_poisson(levels(300, 40, 2), 3)
    other = replace(history, listened=history.listened * 1e3, squares=history.squares * 1e6)
    np.testing.assert_allclose(p_values_of(other), p_values_of(history), rtol=1e-9)
