"""The move that all artists share, and how far they commonly move apart."""

from dataclasses import replace

import numpy as np
import pytest

from pozytywka_cli.families.weekly.levels import recent, usual
from pozytywka_cli.families.weekly.shared_move import FEW, common_variance, shared_move, shared_moves, trust

from .worlds import compound_poisson, series_of


def equal(artists: int, weeks: int, factor: float) -> np.ndarray:
    """2,000 s a week for each artist, and so many times as much in the last 4."""
    listened = np.full((artists, weeks), 2000.0)
    listened[:, -4:] *= factor
    return listened


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.3])
def test_a_shared_move_by_hand(factor: float) -> None:
    """It moves from 1 by as much as 16 artists are trusted."""
    expected = 1 + (factor - 1) * 15 / (15 + FEW)
    history = series_of(equal(16, 20, factor))
    np.testing.assert_allclose(shared_moves(history), expected)
    assert shared_move(history) == pytest.approx(expected)


def test_one_artist_shares_nothing() -> None:
    """Nor do artists without listening, or without earlier weeks; no artists have no moves."""
    assert shared_move(series_of(equal(1, 20, 3))) == 1
    assert shared_moves(series_of(np.zeros((2, 20)))).tolist() == [1, 1]
    assert shared_moves(series_of(equal(9, 4, 2))).tolist() == [1] * 9
    assert shared_moves(series_of(equal(9, 5, 2))).tolist() == [1] * 9
    assert shared_move(series_of(np.zeros((0, 20)))) == 1


def test_a_hole_in_the_log_is_a_large_move_but_not_an_infinite_one() -> None:
    """Nothing was listened to in the last 4 weeks, or in all others but the first."""
    assert shared_move(series_of(equal(1000, 20, 0))) == pytest.approx(0.1, abs=0.01)
    listened = equal(1000, 20, 1)
    listened[:, 1:-4] = 0
    assert shared_move(series_of(listened)) == pytest.approx(10, abs=0.1)


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.3])
@pytest.mark.parametrize(("rate", "error"), [(0.3, 0.1), (2.0, 0.04), (20.0, 0.02)])
def test_the_move_is_found_at_every_level(rate: float, error: float, factor: float) -> None:
    """Also where most artists are played less than once a week, and the median of their ratios is 0."""
    rates = np.random.default_rng(1).lognormal(np.log(rate), 1, (4000, 1)).repeat(30, axis=1)
    rates[:, -4:] *= factor
    assert shared_move(compound_poisson(rates, 2)) == pytest.approx(factor, abs=error)


def test_what_a_tenth_of_the_artists_does_is_not_shared() -> None:
    """All listening doubles, as the tenth is the most played one, but the shared move is at most 15 %."""
    rates = np.random.default_rng(1).lognormal(1.9, 1, (2000, 1)).repeat(60, axis=1)
    rates[np.argsort(rates[:, 0])[-200:], -4:] *= 4
    history = compound_poisson(rates, 2)
    assert recent(history).sum() > 2 * usual(history).sum()
    assert 1 <= shared_move(history) <= 1.15


def test_each_artist_is_compared_over_its_own_weeks() -> None:
    """All grow by 2 % a week; half of them have been there for 20 weeks, and have grown less since."""
    growth = np.exp(0.02 * np.arange(104))
    rates = np.full((600, 104), 30.0) * growth
    rates[:300, :-20] = 0
    moves = shared_moves(compound_poisson(rates, 3))
    new, old = (growth[-4:].mean() / growth[-4 - weeks : -4].mean() for weeks in (15, 99))
    assert moves[:300] == pytest.approx(np.full(300, new), rel=0.02)
    assert moves[300:] == pytest.approx(np.full(300, old), rel=0.02)


def test_the_unit_of_time_and_the_order_of_artists_decide_nothing() -> None:
    """In milliseconds as in seconds, backwards as forwards."""
    history = compound_poisson(np.random.default_rng(4).lognormal(1, 1, (200, 1)).repeat(30, axis=1), 5)
    other = replace(history, listened=history.listened[::-1] * 1e3, squares=history.squares[::-1] * 1e6)
    np.testing.assert_allclose(shared_moves(other)[::-1], shared_moves(history), rtol=1e-9)


def test_trust_grows_with_the_number_of_artists() -> None:
    """From 0 for none or one; one that nearly all listening is of counts for all."""
    assert [trust(np.full(number, 7.0)) for number in (0, 1, 1 + FEW)] == pytest.approx([0, 0, 0.5])
    assert trust(np.array([1e12, 1, 1, 1])) == pytest.approx(0, abs=1e-5)
    assert trust(np.ones(10_000)) > 0.999


@pytest.mark.parametrize("deviation", [0.0, 0.2, 0.5])
def test_the_common_variance_of_log_odds_is_found(deviation: float) -> None:
    """By 20,000 artists whose log odds vary so much around those of 4 in 20 weeks."""
    random = np.random.default_rng(6)
    listens = random.integers(100, 400, 20_000)
    share = 1 / (1 + 4 * np.exp(deviation * random.normal(size=20_000)))
    binomial = listens * 0.2 * 0.8
    squared = (random.binomial(listens, share) - listens * 0.2) ** 2
    found = common_variance(squared, binomial, binomial, listens)
    assert np.sqrt(found) == pytest.approx(deviation, abs=0.03)


def test_a_tenth_that_changed_hardly_widens_the_common_variance() -> None:
    """Where the others do not vary, and 0 without artists."""
    listens = np.full(1000, 200.0)
    binomial = listens * 0.2 * 0.8
    squared = binomial * np.random.default_rng(7).chisquare(1, 1000)
    squared[:100] = 80.0**2
    assert common_variance(squared, binomial, binomial, listens) <= 0.7 / binomial[0]
    assert common_variance(np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0)) == 0
