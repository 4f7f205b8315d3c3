"""Weekly series from plays, and the inputs of a forecast."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.weekly.features import Series, full_weeks, inputs, pooled_ratio, scale, series, spread_ratio

from .worlds import compound_poisson, series_of, service_of


def test_a_play_counts_in_the_iso_week_in_which_it_starts():
    """Sunday's last second and Monday's first fall into different weeks, in UTC."""
    found = series(
        service_of(
            [
                ("a", "2025-01-06T00:00:00", 10),
                ("a", "2025-01-12T23:59:59", 20),
                ("a", "2025-01-13T00:00:00", 40),
                ("a", "2025-01-19T12:00:00", 80),
            ]
        )
    )
    assert found.weeks == [date(2025, 1, 6), date(2025, 1, 13)]
    np.testing.assert_array_equal(found.listened, [[30, 120]])
    np.testing.assert_array_equal(found.squares, [[500, 8000]])


def test_a_week_across_the_year_end_is_one_week():
    """30 December 2024 to 5 January 2025 is ISO week 1 of 2025."""
    found = series(
        service_of([("a", "2024-12-30T10:00", 1), ("a", "2024-12-31T23:00", 2), ("a", "2025-01-05T01:00", 4)])
    )
    assert found.weeks == [date(2024, 12, 30)]
    np.testing.assert_array_equal(found.listened, [[7]])


def test_iso_week_53_and_week_1_are_neighbours():
    """2020 has 53 ISO weeks; the last begins on 28 December, and no year is folded into another."""
    found = series(
        service_of(
            [
                ("a", "2020-12-28T00:00", 1),
                ("a", "2021-01-03T00:00", 2),
                ("a", "2021-01-04T00:00", 4),
                ("a", "2021-12-27T00:00", 8),
                ("a", "2022-01-02T00:00", 16),
            ]
        )
    )
    assert (found.weeks[0].isocalendar().week, found.weeks[1].isocalendar().week) == (53, 1)
    assert len(found.weeks) == 53
    np.testing.assert_array_equal(found.listened[0, [0, 1, 52]], [3, 4, 24])


@pytest.mark.parametrize("sunday", ["2025-03-30", "2025-10-26"])
def test_nights_of_daylight_saving_change_nothing(sunday: str):
    """European clocks change on these Sundays; a UTC week has 168 hours all the same."""
    monday = (date.fromisoformat(sunday) - timedelta(days=6)).isoformat()
    plays = [("a", f"{monday}T00:00:00", 1), ("a", f"{sunday}T01:30", 2), ("a", f"{sunday}T23:30", 4)]
    np.testing.assert_array_equal(series(service_of(plays)).listened, [[7]])


def test_partial_first_and_last_weeks_are_dropped():
    """A log from a Tuesday to a Saturday two weeks later covers one week whole."""
    found = series(
        service_of([("a", "2025-01-07T00:00", 1), ("a", "2025-01-15T00:00", 2), ("b", "2025-01-25T23:00", 4)])
    )
    assert found.weeks == [date(2025, 1, 13)]
    assert found.artist_ids == ["a", "b"]
    np.testing.assert_array_equal(found.listened, [[2], [0]])


def test_weeks_without_plays_are_zero_from_the_first_full_week_of_the_data():
    """An artist with one play has zeros in every other week, also before it."""
    found = series(
        service_of([("b", "2025-01-06T00:00", 5), ("a", "2025-01-22T00:00", 7), ("b", "2025-02-02T00:00", 9)])
    )
    assert found.artist_ids == ["a", "b"]
    np.testing.assert_array_equal(found.listened, [[0, 0, 7, 0], [5, 0, 0, 9]])


@pytest.mark.parametrize(
    ("first", "last", "weeks"),
    [
        ("2025-01-06", "2025-01-12", 1),
        ("2025-01-06", "2025-01-11", 0),
        ("2025-01-07", "2025-01-12", 0),
        ("2025-01-08", "2025-01-08", 0),
        ("2025-01-12", "2025-01-13", 0),
        ("2025-01-06", "2025-01-06", 0),
    ],
)
def test_a_week_of_data_is_full_only_from_its_monday_to_its_sunday(first: str, last: str, weeks: int):
    """The first play must lie on the Monday and the last on the Sunday."""
    service = service_of([("a", f"{first}T12:00", 1), ("a", f"{last}T13:00", 1)])
    assert len(full_weeks(service.plays)) == weeks
    assert series(service).listened.shape == (1, weeks)


def test_no_plays_give_no_artists_and_no_weeks():
    """Nothing fails before the number of weeks is asked for."""
    found = series(service_of([]))
    assert (found.artist_ids, found.weeks, found.listened.shape) == ([], [], (0, 0))


def test_the_order_of_plays_changes_no_bit():
    """Sums are of integers."""
    random = np.random.default_rng(0)
    days = [f"2025-01-{day:02}T00:00" for day in range(6, 20)]
    plays = [("a", days[i % 14], float(s)) for i, s in enumerate(random.integers(1, 10**6, 500) / 1000)]
    service = service_of(plays)
    shuffled = replace(service, plays=service.plays.sample(fraction=1, shuffle=True, seed=1))
    one, other = series(service), series(shuffled)
    assert one.listened.tobytes() == other.listened.tobytes()
    assert one.squares.tobytes() == other.squares.tobytes()


def test_plays_of_tracks_without_an_artist_are_left_out():
    """A track whose artist is unknown belongs to no series, but its plays still tell which weeks are covered."""
    service = service_of([("a", "2025-01-08T00:00", 1), ("b", "2025-01-06T00:00", 2), ("b", "2025-01-12T00:00", 2)])
    tracks = service.tracks.with_columns(id_artist=pl.when(pl.col("id_artist") == "a").then("id_artist"))
    found = series(replace(service, tracks=tracks))
    assert found.artist_ids == ["a"]
    np.testing.assert_array_equal(found.listened, [[1]])


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
    found = inputs(history, level, window=26)
    assert found.window.shape == (1, 26)
    np.testing.assert_allclose(found.window[0, [-1, -2, -3]], [20, -m / s, (3000 - m) / s], rtol=1e-5)
    drift = [min((93_000 / 4 - m) / s, 20), (93_000 / 13 - m) / s * np.sqrt(13) / 2]
    np.testing.assert_allclose(found.extras[0, :2], [(np.log(m) - 7) / 1.3, np.log(s / m) + 0.5], rtol=1e-5)
    np.testing.assert_allclose(found.extras[0, 2:], drift, rtol=1e-5)


def test_an_artist_without_listening_has_finite_inputs():
    """Its mean and spread are zero, and nothing is divided by them."""
    history = series_of(np.zeros((1, 30)))
    level = scale(history, 200)
    found = inputs(history, level, window=26)
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
    seen = [inputs(known, scale(known, 240.0), 26) for known in (history.before(30), altered.before(30), deleted)]
    assert len({given.window.tobytes() + given.extras.tobytes() for given in seen}) == 1
    other = inputs(altered.before(31), scale(altered.before(31), 240.0), 26)
    assert other.window.tobytes() != seen[0].window.tobytes()


def test_a_service_cut_at_an_origin_gives_the_same_series():
    """What was logged later is not needed for the weeks before."""
    plays = [("ab"[i % 2], f"2025-01-{day:02}T05:00", 10.0 * day) for i, day in enumerate(range(6, 27))]
    whole, cut = series(service_of(plays)), series(service_of(plays[:14]))
    np.testing.assert_array_equal(whole.before(2).listened, cut.listened)
    assert whole.before(2).weeks == cut.weeks
