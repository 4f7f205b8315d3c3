"""The dense part of a log, and the rule that names what is outside of it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_cli.dataset.gaps import ALL, Part, dense_part

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
Event = tuple[float, int]  # weeks since MONDAY, user

DENSE: list[Event] = [(week, user) for week in range(20) for user in range(1, 6) for _ in range(10)]  # 1,000 events


def part_of(events: Sequence[Event]) -> Part:
    """The dense part of a log in any order."""
    times = pl.Series([MONDAY + timedelta(weeks=week) for week, _ in events], dtype=pl.Datetime("us", "UTC"))
    return dense_part(times, pl.Series([user for _, user in events], dtype=pl.Int64))


def bounds(events: Sequence[Event]) -> list[float | None]:
    """The weeks where the dense part begins and ends; None on a side without stray events."""
    moments = zip(part_of(events), ALL, strict=True)
    return [None if moment == bound else (moment - MONDAY) / timedelta(weeks=1) for moment, bound in moments]


@pytest.mark.parametrize(
    ("strays", "expected"),
    [
        pytest.param([], (None, None), id="none"),
        pytest.param([(-8.01, 1), (-8.5, 2)], (0, None), id="eight empty weeks before"),
        pytest.param([(-8, 1), (-7.5, 2)], (None, None), id="seven empty weeks before"),
        pytest.param([(28, 1), (28, 2)], (None, 20), id="eight empty weeks after"),
        pytest.param([(27.9, 1)], (None, None), id="seven empty weeks after"),
        pytest.param([(-700, 1), (-300, 2), (500, 3)], (0, 20), id="years before and after, of several users"),
        pytest.param([(-700, 1), (-700, 2)] * 4, (0, None), id="less than 1 % of two users"),
        pytest.param([(-700, 1), (-700, 2)] * 6, (None, None), id="more than 1 % of two users"),
        pytest.param([(-700, 1), (-700, 2)] * 4 + [(-300, 1), (-300, 2)] * 4, (-300, None), id="1 % in two segments"),
        pytest.param([(-700, 1)] * 400, (0, None), id="any number of one user"),
        pytest.param([(-700, 1)] * 400 + [(-300, 2)] * 9, (0, None), id="one user each in two segments"),
        pytest.param([(-700, 1)] * 2000, (0, None), id="more of one user than of all others"),
    ],
)
def test_strays(strays: list[Event], expected: tuple[float | None, float | None]) -> None:
    """What lies beyond a gap is stray where it is little, or of a single user."""
    assert bounds([*strays, *DENSE]) == list(expected)


def test_a_log_of_two_users_may_begin_with_one_of_them() -> None:
    """With fewer than three users, only the share of events tells a stray."""
    two = [(week, user) for week in range(20) for user in (1, 2)]
    assert bounds([(-30, 1), *two]) == [None, None]
    assert bounds([(-30, 1), *two * 5]) == [0, None]


def test_a_log_without_events_or_gaps_is_dense() -> None:
    """There is no bound on either side."""
    assert part_of([]) == part_of([(0, 1)]) == part_of(DENSE) == ALL


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.integers(1, 5)), min_size=1, max_size=200),
    st.lists(st.booleans(), min_size=200, max_size=200),
    st.sampled_from([-520, 520]),
)
def test_the_clock_of_one_user_moves_no_bound_of_the_others(events: list[Event], moved: list[bool], weeks: int) -> None:
    """Any events of one user may be ten years away: the part holds all those of the others, and none of these."""
    log = [*((week, user) for week in range(9) for user in (2, 3, 4)), *events]
    flags = [*[False] * 27, *moved][: len(log)]
    away = [(week + weeks * (user == 1 and flag), user) for (week, user), flag in zip(log, flags, strict=True)]
    part = part_of(away)
    times = pl.DataFrame({"at": [MONDAY + timedelta(weeks=week) for week, _ in away]}, {"at": pl.Datetime("us", "UTC")})
    assert times.select(part.covers("at")).to_series().to_list() == [0 <= week < 9 for week, _ in away]


def test_events_far_from_the_others_are_named(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """Each with file, line and time; bad lines and unreadable times are no events."""
    dense = [line("sessions", timestamp=f'"2023-05-{day:02}T10:{m:02}:00"') for day in range(1, 6) for m in range(50)]
    early = [line("sessions", timestamp='"2010-01-01T00:00:00"'), line("sessions", timestamp='"2010-01-02T00:00:00"')]
    bad = [line("sessions", timestamp='"2010-01-02T00:00:00"', event_type='"STOP"')]
    place = folder(sessions=[early[1], *dense, early[0], *bad])
    assert [violation for violation in found(place) if violation[3] == "warning" and violation[1] != "order"] == [
        (
            "sessions",
            "time_gap",
            "timestamp",
            "warning",
            2,
            [
                ("sessions.jsonl:1", "2010-01-02 00:00:00.000000+00:00"),
                ("sessions.jsonl:252", "2010-01-01 00:00:00.000000+00:00"),
            ],
        )
    ]
