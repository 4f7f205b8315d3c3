"""Events to plays: each sentence of the definition by hand, and all of it against a plain Python reference."""

import json
import random
import tempfile
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_cli.dataset.plays import COLUMNS, MOMENTS
from pozytywka_cli.dataset.tables import EVENTS
from pozytywka_cli.dataset.transform import to_plays, transform

START = datetime(2023, 5, 1, 10, tzinfo=UTC)
DURATIONS = {"a": 100_000, "b": 60_000, "c": 3_000}
TRACKS = pl.DataFrame({"id": list(DURATIONS), "duration_ms": list(DURATIONS.values())})
SCHEMA = {
    "timestamp": pl.Datetime("us", "UTC"),
    "user_id": pl.Int64,
    "track_id": pl.String,
    "event_type": pl.Enum(EVENTS),
    "session_id": pl.Int64,
}
Event = tuple[float, int, str | None, str, int]  # seconds since START, user, track, event, session


def plays_of(events: list[Event]) -> pl.DataFrame:
    rows = [(START + timedelta(seconds=at), *rest) for at, *rest in events]
    return to_plays(pl.DataFrame(rows, schema=SCHEMA, orient="row"), TRACKS)


def one(*events: tuple[float, str, str | None]) -> list[tuple[Any, ...]]:
    """The plays of one session of user 1: track, start in seconds, ad before, skipped, liked, listened."""
    frame = plays_of([(at, 1, track, event, 7) for at, event, track in events])
    seconds = (frame["started_at"] - START).dt.total_milliseconds() / 1000
    return list(zip(frame["track_id"], seconds, *(frame[name] for name in COLUMNS[4:]), strict=True))


def test_columns_and_types() -> None:
    """The table of plays as the design has it."""
    frame = plays_of([(0, 1, "a", "PLAY", 7)])
    assert frame.schema == {
        "user_id": pl.Int64,
        "session_id": pl.Int64,
        "track_id": pl.String,
        "started_at": pl.Datetime("us", "UTC"),
        "advertisement_before": pl.Boolean,
        "skipped": pl.Boolean,
        "liked": pl.Boolean,
        "listened_ms": pl.Int64,
        "skipped_at": pl.Datetime("us", "UTC"),
        "liked_at": pl.Datetime("us", "UTC"),
    }
    assert frame.rows() == [(1, 7, "a", START, False, False, False, 100_000, None, None)]


def test_of_several_skips_and_likes_the_first_one_s_moment_is_kept() -> None:
    """To the microsecond; also of a SKIP after the track's end."""
    events = [(0, "PLAY"), (150.0001, "SKIP"), (30.5, "LIKE"), (160, "SKIP"), (20.000003, "LIKE"), (200, "PLAY")]
    frame = plays_of([(seconds, 1, "a", event, 7) for seconds, event in events])
    assert frame.select("skipped_at", "liked_at").rows() == [
        (START + timedelta(seconds=150.0001), START + timedelta(seconds=20.000003)),
        (None, None),
    ]


def test_no_events_no_plays() -> None:
    """Nothing gives an empty table of the same columns."""
    assert plays_of([]).schema == plays_of([(0, 1, "a", "PLAY", 7)]).schema
    assert one((0, "ADVERTISEMENT", None), (1, "SKIP", "a"), (2, "LIKE", "a"), (3, "BUY_PREMIUM", None)) == []


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param(
            [(0, "PLAY", "a"), (10, "SKIP", "a"), (10, "PLAY", "b")],
            [("a", 0, False, True, False, 10_000), ("b", 10, False, False, False, 60_000)],
            id="a skip ends its play",
        ),
        pytest.param(
            [(0, "PLAY", "a"), (10, "PLAY", "b"), (12.5, "SKIP", "b")],
            [("a", 0, False, False, False, 100_000), ("b", 10, False, True, False, 2_500)],
            id="a skip after the next play is the next play's",
        ),
        pytest.param(
            [(0, "PLAY", "a"), (10, "PLAY", "b"), (12, "SKIP", "a"), (13, "LIKE", "c")],
            [("a", 0, False, False, False, 100_000), ("b", 10, False, True, True, 2_000)],
            id="whatever track the reaction names",
        ),
        pytest.param(
            [(0, "PLAY", "a"), (99, "LIKE", "a"), (500, "LIKE", "a")],
            [("a", 0, False, False, True, 100_000)],
            id="a like before the next play, however late",
        ),
        pytest.param(
            [(0, "PLAY", "a"), (500, "SKIP", "a")],
            [("a", 0, False, True, False, 100_000)],
            id="listened at most the duration",
        ),
        pytest.param(
            [(0, "PLAY", "a"), (100, "SKIP", "a")],
            [("a", 0, False, True, False, 100_000)],
            id="skipped at the end",
        ),
        pytest.param(
            [(0, "PLAY", "a"), (30, "SKIP", "a"), (20, "SKIP", "a"), (40, "SKIP", "a")],
            [("a", 0, False, True, False, 20_000)],
            id="of several skips the first",
        ),
        pytest.param(
            [(0, "PLAY", "a"), (0.0019, "SKIP", "a")],
            [("a", 0, False, True, False, 1)],
            id="whole milliseconds",
        ),
        pytest.param(
            [(0, "ADVERTISEMENT", None), (5, "PLAY", "a"), (9, "PLAY", "b")],
            [("a", 5, True, False, False, 100_000), ("b", 9, False, False, False, 60_000)],
            id="an advertisement at the session's start",
        ),
        pytest.param(
            [(0, "PLAY", "a"), (5, "ADVERTISEMENT", None), (6, "SKIP", "a"), (7, "LIKE", "a"), (9, "PLAY", "b")],
            [("a", 0, False, True, True, 6_000), ("b", 9, True, False, False, 60_000)],
            id="an advertisement between two plays, and reactions after it",
        ),
        pytest.param(
            [(0, "PLAY", "a"), (5, "ADVERTISEMENT", None), (5, "ADVERTISEMENT", None)],
            [("a", 0, False, False, False, 100_000)],
            id="an advertisement after the last play",
        ),
        pytest.param(
            [(5, "PLAY", "b"), (5, "ADVERTISEMENT", None), (5, "LIKE", "b"), (5, "SKIP", "a"), (0, "PLAY", "a")],
            [("a", 0, False, True, True, 5_000), ("b", 5, True, False, False, 60_000)],
            id="at equal times a play comes last",
        ),
        pytest.param(
            [(0, "PLAY", "b"), (0, "PLAY", "a"), (0, "ADVERTISEMENT", None), (1, "SKIP", "a")],
            [("a", 0, True, False, False, 100_000), ("b", 0, False, True, False, 1_000)],
            id="plays of one time go by track",
        ),
        pytest.param(
            [(0, "PLAY", "a"), (0, "PLAY", "a"), (1, "LIKE", "a")],
            [("a", 0, False, False, False, 100_000), ("a", 0, False, False, True, 100_000)],
            id="the same play twice is two plays",
        ),
        pytest.param(
            [(0, "PLAY", "unknown"), (7, "PLAY", "unknown"), (8, "SKIP", None)],
            [("unknown", 0, False, False, False, None), ("unknown", 7, False, True, False, 1_000)],
            id="of an unknown duration only a skip tells",
        ),
        pytest.param(
            [(0, "PLAY", "a"), (1, "BUY_PREMIUM", None), (2, "LIKE", "a")],
            [("a", 0, False, False, True, 100_000)],
            id="a purchase changes nothing",
        ),
        pytest.param(
            [(0, "SKIP", "a"), (0, "LIKE", "a"), (1, "PLAY", "a")],
            [("a", 1, False, False, False, 100_000)],
            id="reactions before any play are nobody's",
        ),
    ],
)
def test_a_session(events: list[tuple[float, str, str | None]], expected: list[tuple[Any, ...]]) -> None:
    """One sentence of the definition, in whatever order the events are given."""
    assert one(*events) == expected
    assert one(*reversed(events)) == expected


def test_sessions_do_not_touch() -> None:
    """Session numbers are counted by user: the same number of another user is another session. Sorted output."""
    frame = plays_of(
        [
            (0, 2, "a", "PLAY", 7),
            (1, 1, "b", "PLAY", 8),
            (2, 1, "a", "PLAY", 7),
            (3, 2, None, "SKIP", 7),
            (4, 1, None, "LIKE", 8),
            (5, 1, None, "ADVERTISEMENT", 8),
            (6, 1, "b", "PLAY", 7),
        ]
    )
    assert frame.drop("started_at", *MOMENTS).rows() == [
        (1, 7, "a", False, False, False, 100_000),
        (1, 7, "b", False, False, False, 60_000),
        (1, 8, "b", False, False, True, 60_000),
        (2, 7, "a", False, True, False, 3_000),
    ]


def reference(events: list[Event]) -> list[tuple[Any, ...]]:
    """The definition once more, event by event, with none of the package's code."""
    found = []
    by_session = sorted(events, key=lambda event: (event[1], event[4]))
    for (user, session), group in groupby(by_session, key=lambda event: (event[1], event[4])):
        ordered = sorted(group, key=lambda event: (event[0], event[3] == "PLAY", event[2] or ""))
        starts = [number for number, event in enumerate(ordered) if event[3] == "PLAY"]
        for before, here, after in zip([-1, *starts], starts, [*starts[1:], len(ordered)], strict=False):
            at, _, track, _, _ = ordered[here]
            earlier, later = ordered[before + 1 : here], ordered[here + 1 : after]
            first = [next((event[0] for event in later if event[3] == kind), None) for kind in ("SKIP", "LIKE")]
            listened = DURATIONS.get(track or "")
            if first[0] is not None:
                heard = int((first[0] - at) * 1000)
                listened = heard if listened is None else min(heard, listened)
            ad = any(event[3] == "ADVERTISEMENT" for event in earlier)
            start, *moments = (None if one is None else START + timedelta(seconds=one) for one in (at, *first))
            found.append((user, session, track, start, ad, *(bool(one) for one in moments), listened, *moments))
    return found


# few times, users and tracks, so that much coincides; quarters of a second are exact in binary
event = st.tuples(
    st.integers(0, 60).map(lambda quarters: quarters / 4),
    st.integers(1, 2),
    st.sampled_from(["a", "b", "c", "unknown"]),
    st.sampled_from([*EVENTS, "PLAY", "PLAY", "SKIP"]),
    st.integers(7, 8),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(event, max_size=40))
def test_plays_are_those_of_the_reference(events: list[Event]) -> None:
    """Generated sessions, full of equal times, give what the plain reference gives."""
    assert plays_of(events).rows() == reference(events)


def events_file(events: list[Event]) -> list[str]:
    names = ("timestamp", "user_id", "track_id", "event_type", "session_id")
    rows = [((START + timedelta(seconds=at)).isoformat(), *rest) for at, *rest in events]
    return [json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows]


def plays_written(lines: list[str], cuts: list[int]) -> bytes:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tracks = [{"id": track, "duration_ms": duration, "id_artist": None} for track, duration in DURATIONS.items()]
        (folder / "tracks.jsonl").write_text("".join(json.dumps(track) + "\n" for track in tracks))
        (folder / "sessions").mkdir()
        for number, (start, stop) in enumerate(zip([0, *cuts], [*cuts, len(lines)], strict=True)):
            (folder / "sessions" / f"{number}.jsonl").write_text("".join(lines[start:stop]))
        made = transform(folder, folder / "plays.parquet")
        pl.read_parquet(made.plays).write_ipc(folder / "plays.arrow")
        return (folder / "plays.arrow").read_bytes()


@settings(max_examples=20, deadline=None)
@given(
    st.lists(event.filter(lambda event: event[2] != "unknown"), min_size=1, max_size=20),
    st.randoms(use_true_random=False),
    st.data(),
)
def test_shuffling_and_cutting_changes_nothing(events: list[Event], chance: random.Random, data: st.DataObject) -> None:
    """The same events in any order and in any number of files give the same bytes."""
    lines = events_file(events)
    shuffled = list(lines)
    chance.shuffle(shuffled)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=4)))
    assert plays_written(shuffled, cuts) == plays_written(lines, [])
