"""The moments that models are tested at."""

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.recommend.splits import MIN_USERS, Splits, at, split

from .worlds import FULL, SKIPPED, START, dataset, moment, noise


def daily(days: int, how: str = FULL):
    """A dataset of six users who play another track every day, at midnight; the last day is `days`."""
    names = {f"t{number:03}": "a" for number in range(days + 1)}
    return dataset([(user, f"t{day:03}", day, how) for user in range(6) for day in range(days + 1)], tracks=names)


def days_of(plays: pl.DataFrame) -> list[int]:
    """The days with plays."""
    return sorted(set((plays["started_at"] - START).dt.total_days()))


def bounds(splits: Splits) -> list[tuple[int, int, int]]:
    """Of validation and test: the last known day, and the first and last day after it."""
    parts = [(days_of(part.known.plays), days_of(part.later)) for part in (splits.validation, splits.test)]
    return [(known[-1], later[0], later[-1]) for known, later in parts]


def test_the_last_days_are_tested_and_as_many_before_them_are_for_validation():
    """Of 90 days the last 20. The play that begins just before a moment has not ended then, and is in no part."""
    found = split(daily(90), 20)
    assert bounds(found) == [(49, 51, 69), (69, 71, 90)]
    assert found.days == 20


def test_of_a_short_log_each_part_is_a_third():
    """Of 30 days, ten; and of 29, a third of a day less."""
    assert bounds(split(daily(30), 20)) == [(9, 11, 19), (19, 21, 30)]
    assert split(daily(29), 20).days == pytest.approx(29 / 3)


@settings(deadline=None, max_examples=20)
@given(test_days=st.integers(1, 366))
def test_parts_do_not_overlap(test_days: int):
    """Validation ends where the test part begins, which ends with the log; what is known began before."""
    data = noise()
    found = split(data, test_days)
    cuts = [found.validation.known.cut, found.test.known.cut]
    assert cuts[1] - cuts[0] == pytest.approx(timedelta(days=found.days), abs=timedelta(microseconds=2))
    for part, (cut, end) in zip((found.validation, found.test), ((cuts[0], cuts[1]), (cuts[1], None)), strict=True):
        assert part.known.plays["started_at"].max() < cut <= part.later["started_at"].min()
        assert end is None or part.later["started_at"].max() < end
    assert found.test.later["started_at"].max() == data.plays["started_at"].max()


def test_what_is_known_is_known_at_the_moment():
    """Neither a play that has not ended then, nor how it ended."""
    rows = [(user, f"t{number}", number, FULL) for user in range(6) for number in range(2)]
    rows += [(user, "t2", 10, FULL) for user in range(6)] + [(0, "t3", 4.999, SKIPPED), (1, "t3", 4.9999, SKIPPED)]
    found = at(dataset(rows), moment(5), timedelta(days=10))
    late = found.known.plays.filter(pl.col("track_id") == "t3")
    assert late.select("user_id", "skipped").rows() == [(0, True)]
    assert found.later["track_id"].unique().to_list() == ["t2"]


def test_users_who_were_unknown_at_the_moment_are_not_tested():
    """Also one with a row in the users table, but no plays."""
    rows = [(user, track, day, FULL) for user in range(6) for track, day in (("t0", 0), ("t1", 9))]
    data = dataset([*rows, (7, "t0", 9, FULL)], users={7: ["rock"]})
    found = at(data, moment(5), timedelta(days=10))
    assert found.later["user_id"].unique().sort().to_list() == list(range(6))


def test_later_plays_are_sorted_by_user_and_time():
    """Of a log in another order."""
    later = split(replace(noise(), plays=noise().plays.reverse()), 20).test.later
    assert later.equals(later.sort("user_id", "started_at"))


@pytest.mark.parametrize(("how", "track"), [(SKIPPED, "t1"), (FULL, "t0")])
@pytest.mark.parametrize("users", [MIN_USERS - 1, MIN_USERS])
def test_too_few_users_are_refused(users: int, how: str, track: str):
    """Others skip what they play, or play what they have heard: there is nothing new to recommend to them."""
    rows = [(user, "t0", 0, FULL) for user in range(6)]
    rows += [(user, *(("t1", 9, FULL) if user < users else (track, 9, how))) for user in range(6)]
    if users >= MIN_USERS:
        assert len(at(dataset(rows), moment(5), timedelta(days=10)).later) == 6
        return
    with pytest.raises(RefusedError, match=f"{users} users.*2025-01-11") as refused:
        at(dataset(rows), moment(5), timedelta(days=10))
    assert str(MIN_USERS) in refused.value.hint


def test_a_log_without_plays_is_refused():
    """There is no moment."""
    with pytest.raises(RefusedError, match="no plays"):
        split(dataset([]), 30)


def test_what_comes_to_light_after_the_test_moment_is_unknown_to_the_validation_part():
    """A skip of a play that began before it."""
    data = daily(90)
    moment = split(data, 20).test.known.cut
    at_end = pl.lit(moment + timedelta(seconds=1), pl.Datetime("us", "UTC"))
    early = pl.col("started_at") < moment
    late = data.plays.with_columns(skipped=early, skipped_at=pl.when(early).then(at_end))
    validation = split(replace(data, plays=late), 20).validation
    assert not validation.later["skipped"].any()
