"""Weekly series from plays."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.families.weekly.features import pooled_ratio
from pozytywka_cli.families.weekly.models.baselines import Mean
from pozytywka_cli.families.weekly.series import Measure, full_weeks, series, weekly_listening
from pozytywka_cli.families.weekly.trends import trends

from .worlds import dataset_of


def test_a_play_counts_in_the_iso_week_in_which_it_starts():
    """Sunday's last second and Monday's first fall into different weeks, in UTC."""
    found = series(
        dataset_of(
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
        dataset_of([("a", "2024-12-30T10:00", 1), ("a", "2024-12-31T23:00", 2), ("a", "2025-01-05T21:00", 4)])
    )
    assert found.weeks == [date(2024, 12, 30)]
    np.testing.assert_array_equal(found.listened, [[7]])


def test_iso_week_53_and_week_1_are_neighbours():
    """2020 has 53 ISO weeks; the last begins on 28 December, and no year is folded into another."""
    found = series(
        dataset_of(
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
    np.testing.assert_array_equal(series(dataset_of(plays)).listened, [[7]])


def test_partial_first_and_last_weeks_are_dropped():
    """A log from a Tuesday to a Saturday two weeks later covers one week whole."""
    found = series(
        dataset_of([("a", "2025-01-07T00:00", 1), ("a", "2025-01-15T00:00", 2), ("b", "2025-01-25T23:00", 4)])
    )
    assert found.weeks == [date(2025, 1, 13)]
    assert found.artist_ids == ["a", "b"]
    np.testing.assert_array_equal(found.listened, [[2], [0]])


def test_weeks_without_plays_are_zero_from_the_first_full_week_of_the_data():
    """An artist with one play has zeros in every other week, also before it."""
    found = series(
        dataset_of([("b", "2025-01-06T00:00", 5), ("a", "2025-01-22T00:00", 7), ("b", "2025-02-02T00:00", 9)])
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
def test_a_week_is_full_only_from_its_monday_to_its_sunday(first: str, last: str, weeks: int):
    """The first play must lie on the Monday and the last on the Sunday, if the log is stated to be complete."""
    dataset = dataset_of([("a", f"{first}T12:00", 1), ("a", f"{last}T13:00", 1)])
    assert len(full_weeks(dataset.plays, datetime(2026, 1, 1, tzinfo=UTC))) == weeks


def log(first: str, last: str, minutes: int = 30) -> pl.DataFrame:
    """Plays every so many minutes from 08:00 to 23:30 of each day, but none before `first` and after `last`."""
    begin, end = (datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in (first, last))
    starts = pl.datetime_range(begin, end, f"{minutes}m", eager=True).alias("started_at")
    return starts.to_frame().filter(pl.col("started_at").dt.hour() >= 8)


@pytest.mark.parametrize(
    ("first", "last", "weeks"),
    [
        ("2025-01-06T08:00", "2025-02-02T23:30", 4),
        ("2025-01-06T08:00", "2025-02-02T23:00", 4),
        ("2025-01-06T08:00", "2025-02-02T21:30", 3),
        ("2025-01-06T08:00", "2025-02-02T08:00", 3),
        ("2025-01-06T08:00", "2025-02-01T23:30", 3),
        ("2025-01-06T10:00", "2025-02-02T23:30", 3),
        ("2025-01-06T23:30", "2025-02-02T23:30", 3),
        ("2025-01-07T08:00", "2025-02-02T23:30", 3),
        ("2025-01-06T10:00", "2025-02-02T21:30", 2),
    ],
)
def test_a_week_is_full_if_the_silence_at_its_end_is_usual(first: str, last: str, weeks: int):
    """This log is silent for 30 minutes before midnight and 8 hours after it; an hour more is too much at both ends."""
    assert len(full_weeks(log(first, last))) == weeks


def test_a_log_that_stops_early_on_sunday_does_not_cover_that_week():
    """At 00:05 a whole day is missing, which would look like a fall by a seventh."""
    plays = log("2025-01-06T08:00", "2025-02-01T23:30")
    sunday = pl.DataFrame({"started_at": [datetime(2025, 2, 2, 0, 5, tzinfo=UTC)]}, schema=plays.schema)
    assert len(full_weeks(pl.concat([plays, sunday]))) == 3


def test_a_hole_in_the_log_does_not_make_long_silences_usual():
    """Three days are missing from 09:00 on, of 70; still the last Sunday must not stop at 09:00."""
    plays = log("2025-01-06T08:00", "2025-03-16T09:00")
    hole = pl.col("started_at").is_between(datetime(2025, 1, 14, 9, tzinfo=UTC), datetime(2025, 1, 17, 8, tzinfo=UTC))
    assert len(full_weeks(plays.filter(~hole))) == 9


@pytest.mark.parametrize(("cut", "weeks"), [("2025-01-19T12:00", 1), ("2025-01-19T23:59:59", 1), ("2025-01-20", 2)])
def test_a_week_that_was_cut_off_is_not_full(cut: str, weeks: int):
    """Although its Sunday has plays before the cut; at Monday 00:00 it is complete."""
    days = ("2025-01-06", "2025-01-12", "2025-01-13", "2025-01-19", "2025-01-21")
    dataset = dataset_of([("a", f"{day}T10:00", 60) for day in days])
    known = dataset.until(datetime.fromisoformat(cut).replace(tzinfo=UTC))
    np.testing.assert_array_equal(series(known).listened, [[120] * weeks])
    later = known.until(datetime(2026, 1, 1, tzinfo=UTC))
    assert series(later).weeks == series(known).weeks


def test_a_cut_states_that_the_log_is_complete_up_to_it():
    """The week that ended quietly before it is full; no week after the last play is."""
    plays = log("2025-01-06T08:00", "2025-02-02T09:00")
    assert len(full_weeks(plays)) == 3
    for cut in (datetime(2025, 2, 3, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)):
        assert len(full_weeks(plays, cut)) == 4
    assert len(full_weeks(plays, datetime(2025, 2, 2, 12, tzinfo=UTC))) == 3


def test_no_plays_give_no_artists_and_no_weeks():
    """Nothing fails before the number of weeks is asked for."""
    found = series(dataset_of([]))
    assert (found.artist_ids, found.weeks, found.listened.shape) == ([], [], (0, 0))


def test_the_order_of_plays_changes_no_bit():
    """Sums are of integers."""
    random = np.random.default_rng(0)
    days = [f"2025-01-{day:02}T00:00" for day in range(6, 20)]
    plays = [("a", days[i % 14], float(s)) for i, s in enumerate(random.integers(1, 10**6, 500) / 1000)]
    dataset = dataset_of(plays)
    shuffled = replace(dataset, plays=dataset.plays.sample(fraction=1, shuffle=True, seed=1))
    one, other = series(dataset), series(shuffled)
    assert one.listened.tobytes() == other.listened.tobytes()
    assert one.squares.tobytes() == other.squares.tobytes()


def test_plays_of_tracks_without_an_artist_are_left_out():
    """A track whose artist is unknown belongs to no series, but its plays still tell which weeks are covered."""
    dataset = dataset_of([("a", "2025-01-08T00:00", 1), ("b", "2025-01-06T00:00", 2), ("b", "2025-01-12T00:00", 2)])
    tracks = dataset.tracks.with_columns(id_artist=pl.when(pl.col("id_artist") == "a").then("id_artist"))
    found = series(replace(dataset, tracks=tracks))
    assert found.artist_ids == ["a"]
    np.testing.assert_array_equal(found.listened, [[1]])


def test_a_service_cut_at_an_origin_gives_the_same_series():
    """What was logged later is not needed for the weeks before."""
    plays = [("ab"[i % 2], f"2025-01-{day:02}T05:00", 10.0 * day) for i, day in enumerate(range(6, 27))]
    whole, cut = series(dataset_of(plays)), series(dataset_of(plays[:14]))
    np.testing.assert_array_equal(whole.before(2).listened, cut.listened)
    assert whole.before(2).weeks == cut.weeks


def test_the_mean_of_a_week_is_of_its_plays():
    """A week without any has none and counts as zero, as in total listening."""
    plays = [
        ("a", "2025-01-06T00:00", 10.0),
        ("a", "2025-01-07T00:00", 40.0),
        ("b", "2025-01-19T00:00", 7.0),
    ]
    found = series(dataset_of(plays), "mean")
    assert found.measure == "mean"
    np.testing.assert_array_equal(found.listened, [[25, 0], [0, 7]])
    np.testing.assert_array_equal(found.squares, [[625, 0], [0, 49]])
    assert found.before(1).measure == "mean"


@pytest.mark.parametrize("measure", ["total", "mean"])
def test_every_artist_has_a_row_for_every_week(measure: Measure):
    """Sorted by artist and week, zeros where nothing was played, whatever lies outside these weeks."""
    plays = pl.DataFrame(
        {
            "artist_id": ["b", "a", "a", "c"],
            "started_at": [datetime(2024, 12, day, tzinfo=UTC) for day in (30, 23, 29, 1)],
            "listened_ms": [4000, 1000, 3000, 9000],
        }
    )
    weeks = [date(2024, 12, 23), date(2024, 12, 30)]
    found = weekly_listening(plays, weeks, measure)
    once = 1 if measure == "total" else 2
    assert found.schema == {"artist_id": pl.String, "week": pl.Date, "listened": pl.Float64, "squares": pl.Float64}
    assert found["artist_id"].to_list() == ["a", "a", "b", "b", "c", "c"]
    assert found["week"].to_list() == weeks * 3
    assert found["listened"].to_list() == [4 / once, 0, 0, 4, 0, 0]
    assert found["squares"].to_list() == [10 if measure == "total" else 4, 0, 0, 16, 0, 0]


def test_one_week_of_data_is_one_column():
    """And one play is a series of its own."""
    plays = [("b", "2025-01-06T00:00", 5.0), ("a", "2025-01-08T00:00", 3.0), ("b", "2025-01-12T23:59", 5.0)]
    for measure, second in (("total", 10), ("mean", 5)):
        found = series(dataset_of(plays), measure)
        assert (found.artist_ids, found.weeks) == (["a", "b"], [date(2025, 1, 6)])
        np.testing.assert_array_equal(found.listened, [[3], [second]])


def test_the_longest_legal_plays_add_up():
    """Weeks of listens of 24 hours each have exact totals and squares, as forecasts and trends have numbers."""
    day, monday = 86_400.0, datetime(2025, 1, 6)
    history = series(dataset_of([("a", (monday + timedelta(days=d)).isoformat(), day) for d in range(7 * 12)] * 50))
    assert (history.listened == 350 * day).all()
    assert (history.squares == 350 * day**2).all()
    forecast = Mean(pooled_ratio(history)).forecast(history)
    assert np.isfinite([*forecast.mean.ravel(), *forecast.quantiles.ravel()]).all()
    assert set(trends(history)) == {"steady"}
