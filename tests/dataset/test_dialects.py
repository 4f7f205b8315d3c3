"""Ways to write a value that are all read without a flag."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_cli.dataset.data_files import locate
from pozytywka_cli.dataset.read import Reading, read
from pozytywka_cli.dataset.tables import ARTISTS, SESSIONS, TABLES, TRACK_STORAGE, TRACKS, Table
from pozytywka_cli.dataset.values import key

TEN = datetime(2023, 5, 1, 10, tzinfo=UTC)


def whole(table: Table, place: Path) -> Reading:
    return read(table, locate(place, table), counts=True)


@pytest.mark.parametrize(
    ("spelling", "event"),
    [
        ("PLAY", "PLAY"),
        ("skip", "SKIP"),
        ("Like", "LIKE"),
        ("ADVERTISEMENT", "ADVERTISEMENT"),
        ("advertisment", "ADVERTISEMENT"),
        ("Advertisment", "ADVERTISEMENT"),
        ("buy_premium", "BUY_PREMIUM"),
    ],
)
def test_events_in_any_case(spelling: str, event: str, line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """Each of the five events is known in any case, the advertisement also without its second e."""
    reading = whole(SESSIONS, folder(sessions=[line("sessions", event_type=f'"{spelling}"')]))
    assert reading.frame["event_type"].to_list() == [event]
    assert reading.counts["event_type", f"count of {spelling}"] == 1


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ('"2023-05-01T10:00:00"', TEN),
        ('"2023-05-01T10:00:00.5"', TEN + timedelta(milliseconds=500)),
        ('"2023-05-01T10:00:00.000001"', TEN + timedelta(microseconds=1)),
        ('"2023-05-01T10:00:00.000001999"', TEN + timedelta(microseconds=1)),
        ('"2023-05-01T10:00:00Z"', TEN),
        ('"2023-05-01T10:00:00.250Z"', TEN + timedelta(milliseconds=250)),
        ('"2023-05-01T12:00:00+02:00"', TEN),
        ('"2023-05-01T05:30:00-0430"', TEN),
        ('"2023-05-01T11:00:00+01"', TEN),
        ('"2023-05-01 10:00:00"', TEN),
        ('"2023-05-01 10:00:00.250000"', TEN + timedelta(milliseconds=250)),
        ('"2023-05-01 12:00:00.5+02:00"', TEN + timedelta(milliseconds=500)),
        ('"2023-05-01T10:00"', TEN),
        ('"2023-05-01 10:00Z"', TEN),
        ('"2023-05-01 11:00 +01:00"', TEN),
        ('"2023-05-01T11:00:00+0100"', TEN),
        ('"2023-05-01T10:00:00,25"', TEN + timedelta(milliseconds=250)),
        ('"2023-05-01t10:00:00z"', TEN),
        ('"2023-05-01T10:00:00.12345678901234567890Z"', TEN + timedelta(microseconds=123456)),
        ('" 2023-05-01T10:00:00 "', TEN),
        ('"20230501T100000Z"', TEN),
        ('"2023-05-01"', TEN - timedelta(hours=10)),
        ("1682935200", TEN),
        ("1682935200.0", TEN),
        ("1682935200.250001", TEN + timedelta(microseconds=250_001)),
        ('"1682935200"', TEN),
        ('"1682935200.5"', TEN + timedelta(milliseconds=500)),
        ('"1682935200123"', TEN + timedelta(milliseconds=123)),
        ("1682935200123.0", TEN + timedelta(milliseconds=123)),
        ("1682935200123.5", TEN + timedelta(microseconds=123_500)),
        ("1682935200123456", TEN + timedelta(microseconds=123_456)),
        ('"1682935200123456"', TEN + timedelta(microseconds=123_456)),
        ("1682935200123456789", TEN + timedelta(microseconds=123_456)),
        ("1.6829352e9", TEN),
        ("1682935200000", TEN),
        ("1682935200123", TEN + timedelta(milliseconds=123)),
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("spaces", ["", "  "])
def test_times(text: str, moment: datetime, spaces: str, line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """ISO 8601 in all its forms, and numbers since 1970 of any unit, on the fast path and on the slow one."""
    reading = whole(SESSIONS, folder(sessions=[line("sessions", timestamp=text).replace("{", "{" + spaces)]))
    assert reading.frame["timestamp"].to_list() == [moment]
    assert reading.findings.is_empty()


def test_mixed_dialects_in_one_file(line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """Each line may be written in its own way."""
    times = ['"2023-05-01T10:00:00"', "1682935201000", '"2023-05-01T12:00:02+02:00"', "1682935203000"]
    events = ['"PLAY"', '"advertisment"', '"Skip"', '"like"']
    lines = [line("sessions", timestamp=t, event_type=e) for t, e in zip(times, events, strict=True)]
    frame = whole(SESSIONS, folder(sessions=lines)).frame
    assert frame.select("line", "timestamp", "event_type").rows() == [
        (1, TEN, "PLAY"),
        (2, TEN + timedelta(seconds=1), "ADVERTISEMENT"),
        (3, TEN + timedelta(seconds=2), "SKIP"),
        (4, TEN + timedelta(seconds=3), "LIKE"),
    ]


@pytest.mark.parametrize("nothing", ['""', "null", None])
@pytest.mark.parametrize("event", ["ADVERTISEMENT", "BUY_PREMIUM"])
def test_events_without_a_track(
    event: str,
    nothing: str | None,
    line: Callable[..., str],
    folder: Callable[..., Path],
    found: Callable[..., list[Any]],
) -> None:
    """An advertisement or a purchase has no track: empty text, null or no key at all, and no violation."""
    place = folder(sessions=[line("sessions", event_type=f'"{event}"', track_id=nothing)])
    assert whole(SESSIONS, place).frame["track_id"].to_list() == [None]
    assert found(place) == []


@pytest.mark.parametrize("spelling", ["FAST", "fast", "Fast"])
def test_storage_in_any_case(spelling: str, line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """Storage classes are words as well."""
    place = folder(track_storage=[line("track_storage", storage_class=f'"{spelling}"')])
    assert whole(TRACK_STORAGE, place).frame["storage_class"].to_list() == ["FAST"]


@pytest.mark.parametrize("written", ["1999", "1999-12", "1999-12-31"])
def test_release_dates(
    written: str, line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """A year, a month or a day; as written."""
    place = folder(tracks=[line("tracks", release_date=f'"{written}"')])
    assert whole(TRACKS, place).frame["release_date"].to_list() == [written]
    assert found(place) == []


def test_the_unit_of_times_is_that_of_the_whole_column(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """A number of another unit than most of the table, over all of its files, is an error that names both units."""
    place = folder(sessions=[line("sessions", timestamp=str(1682935200000 + number)) for number in range(3)])
    lines = [line("sessions", timestamp=text) for text in ("1682935200", "1682935200", '"2023-05-01T10:00:00"')]
    (place / "sessions-0.jsonl").write_text("\n".join(lines))
    reading = whole(SESSIONS, place)
    assert reading.units == {"timestamp": "milliseconds since 1970"}
    assert reading.frame["timestamp"].is_null().to_list() == [True, True, False, False, False, False]
    value = "1682935200 (seconds, where most are milliseconds)"
    places = [("sessions-0.jsonl:1", value), ("sessions-0.jsonl:2", value)]
    assert ("sessions", "time", "timestamp", "error", 2, places) in found(place)


def test_numbers_that_lie_before_2000_in_any_unit_do_not_mix_units(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """A zero among milliseconds is an early time, not one in seconds."""
    place = folder(sessions=[line("sessions", timestamp=text) for text in ("0", "1682935200000")])
    [violation] = [violation for violation in found(place, "sessions") if violation[1] == "time"]
    assert violation[4:] == (1, [("sessions.jsonl:1", "1970-01-01 00:00:00.000000+00:00")])


@pytest.mark.parametrize("spaces", ["", "  "])
@pytest.mark.parametrize("text", ["101", "101.0", '"101"', '"101.0"', '"0101"'])
def test_integers(text: str, spaces: str, line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """An integer may be text or have a point, on the fast path and on the slow one."""
    reading = whole(SESSIONS, folder(sessions=[line("sessions", user_id=text).replace("{", "{" + spaces)]))
    assert reading.frame["user_id"].to_list() == [101]
    assert reading.findings.is_empty()


def test_integers_of_all_spellings_in_one_file(line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """As pandas writes a column with missing values, and as programs without types write ids."""
    texts = ["101.0", "null", '"7"', "8", '"9"', '"10"', "11.0"]
    reading = whole(TRACKS, folder(tracks=[line("tracks", id=f'"{n}"', popularity=t) for n, t in enumerate(texts)]))
    assert reading.frame["popularity"].to_list() == [101, None, 7, 8, 9, 10, 11]


@pytest.mark.parametrize("spaces", ["", "  "])
@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("explicit", "true", 1),
        ("explicit", "false", 0),
        ("explicit", '"True"', 1),
        ("tempo", '"120.5"', 120.5),
        ("tempo", "120", 120.0),
    ],
)
def test_numbers(
    column: str, text: str, value: Any, spaces: str, line: Callable[..., str], folder: Callable[..., Path]
) -> None:
    """True is 1 where 0 and 1 are the only values, and numbers may be text."""
    reading = whole(TRACKS, folder(tracks=[line("tracks", **{column: text}).replace("{", "{" + spaces)]))
    assert reading.frame[column].to_list() == [value]
    assert reading.findings.is_empty()


@pytest.mark.parametrize("text", ["1", "true", '"true"', "1.0", '"1"'])
def test_flags(text: str, line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """True may be 1, and either may be text."""
    place = folder(users=[line("users", premium_user=text), line("users", premium_user="0")])
    assert whole(TABLES["users"], place).frame["premium_user"].to_list() == [True, False]


@pytest.mark.parametrize("spaces", ["", "  "])
@pytest.mark.parametrize(
    ("text", "genres"),
    [
        ('"rock, metal"', ["rock", "metal"]),
        ('"rock"', ["rock"]),
        ('" rock ,,indie pop,"', ["rock", "indie pop"]),
        ('""', []),
        ('["rock, metal"]', ["rock, metal"]),
    ],
)
def test_genres(
    text: str, genres: list[str], spaces: str, line: Callable[..., str], folder: Callable[..., Path]
) -> None:
    """One text holds genres between commas; a list is taken as it is."""
    reading = whole(ARTISTS, folder(artists=[line("artists", genres=text).replace("{", "{" + spaces)]))
    assert reading.frame["genres"].to_list() == [genres]
    assert reading.findings.is_empty()


def test_sessions_named_by_text(line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """An integer is itself, also as text; other text gives one number from 2^62 on, the same wherever it stands."""
    names = ["7", '"7"', "7.0", '"a1b2"', '"6f9619ff-8b86-d011-b42d-00cf4fc964ff"', '"a1b2"', '"007"', '"-3"']
    lines = [line("sessions", session_id=name) for name in names]
    slow = whole(SESSIONS, folder(sessions=[text.replace("{", "{ ") for text in lines])).frame["session_id"]
    texts = whole(SESSIONS, folder(sessions=lines)).frame["session_id"]
    assert texts.to_list() == slow.to_list()
    assert texts.to_list()[:3] == [7, 7, 7]
    assert texts.to_list()[-1] == -3
    assert texts[3] == texts[5] == key("a1b2")
    assert texts[3:7].n_unique() == 3
    assert texts[3:7].is_between(2**62, 2**63 - 1).all()


@given(st.text(), st.text())
def test_keys_are_stable_and_distinct(one: str, other: str) -> None:
    """The same text is the same number in every run, and different texts are different ones."""
    assert (key(one) == key(other)) == (one == other)
    assert key("a1b2") == 7324062893687550214
