import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pozytywka_cli.dataset.event_check import check
from pozytywka_cli.dataset.events import Event, decode, encode, plain
from pozytywka_cli.errors import ArtifactError, StorageError
from pozytywka_cli.records import Input
from pozytywka_cli.serving.event_log import EventLog, Follower

TRACKS = {"a", "ü b", "-1"}
EVENTS = st.builds(
    Event,
    at=st.integers(946_684_800_000_000, 1_700_000_000_000_000),
    user_id=st.integers(0, 2**63 - 1),
    session_id=st.integers(0, 2**63 - 1),
    track_id=st.sampled_from(["a", "ü b"]),
    kind=st.sampled_from(["PLAY", "SKIP", "LIKE"]),
)


def event(number: int) -> Event:
    """Make an event that differs from others."""
    return Event(1_700_000_000_000_000 + number, 101, 7, "a", "PLAY")


def today(folder: Path) -> Path:
    """Return the file of today."""
    return folder / f"events-{datetime.now(UTC):%Y-%m-%d}.jsonl"


def followed(follower: Follower) -> list[Event]:
    """Return everything that is new."""
    return [one for some in follower.events() for one in some]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(EVENTS, max_size=5))
def test_events_are_read_as_they_were_written(events: list[Event]):
    """By whoever follows the log, and by the reader of the tables, which finds nothing wrong."""
    assert decode(encode(events)) == events
    assert check(encode(events).splitlines(), TRACKS.__contains__) == (events, [])


LINES = st.fixed_dictionaries(
    {
        "timestamp": st.sampled_from(
            [
                "2025-01-01T00:00:00Z",
                "2025-01-01T00:00:00",
                "2025-01-01T02:00:00.123456789+02:00",
                "1999-01-01T00:00:00Z",
                "2999-01-01T00:00:00Z",
                "2025-02-30T00:00:00Z",
                1735689600,
                None,
                "",
                "2025-01-01t00:00:00.5z",
            ]
        ),
        "user_id": st.sampled_from([101, -1, -7, "101", 1.0, 2**63, 2**63 - 1, None, True]),
        "event_type": st.sampled_from(["PLAY", "SKIP", "play", "ADVERTISMENT", "BUY_PREMIUM", "x", None]),
        "session_id": st.sampled_from([5, -1, "5", "text", 2**64, None]),
    },
    optional={
        "track_id": st.sampled_from(["a", "ü b", "-1", "", "b", None, 5, "a\\u0000"]),
        "x": st.just(1),
    },
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LINES)
def test_a_plain_event_is_what_the_reader_of_the_tables_makes_of_it(fields: dict[str, object]):
    """The fast way takes a line only where the exact one finds the same event, and nothing wrong."""

    line = json.dumps(fields).encode()
    found = plain(line, TRACKS.__contains__)
    if found is not None:
        assert check([line], TRACKS.__contains__) == ([found], [])


def test_the_plain_way_is_taken_by_what_is_written_as_it_should_be():
    """Else every event would take the slow way; a key that occurs twice does."""
    line = b'{"timestamp":"2025-01-01T00:00:00Z","user_id":1,"track_id":"a","event_type":"PLAY","session_id":2}'
    assert plain(line, TRACKS.__contains__) == Event(1_735_689_600_000_000, 1, 2, "a", "PLAY")
    assert plain(line.replace(b'"user_id":1', b'"user_id":3,"user_id":1'), TRACKS.__contains__) is None
    assert plain(line.replace(b'"user_id":1', b'"user_id":3,"user\\u005fid":1'), TRACKS.__contains__) is None


def test_followers_see_every_event_once_in_the_order_of_the_log(tmp_path: Path):
    """From the beginning, or from the end of what was read before."""
    log, first = EventLog(tmp_path, fsync=False), Follower(tmp_path, {})
    log.append([event(1), event(2), event(3)])
    assert followed(first) == [event(1), event(2), event(3)]
    assert followed(first) == []
    read = Input("sessions/" + today(tmp_path).name, "", today(tmp_path).stat().st_size, 3)
    log.append([event(4)])
    later = Follower.after(tmp_path / "sessions", [read, Input("users.jsonl", "", 5, 1)])
    later.folder = tmp_path
    assert followed(first) == followed(later) == [event(4)]


def test_the_files_of_earlier_days_come_first(tmp_path: Path):
    """A worker that starts late reads yesterday's events, too."""
    (tmp_path / "events-2001-01-01.jsonl").write_bytes(encode([event(1)]))
    EventLog(tmp_path, fsync=True).append([event(2)])
    assert followed(Follower(tmp_path, {})) == [event(1), event(2)]


def test_what_a_killed_writer_has_left_of_a_line_is_cut_off(tmp_path: Path):
    """It was never acknowledged; nobody reads it, and the next event follows the last whole line."""
    log, follower = EventLog(tmp_path, fsync=True), Follower(tmp_path, {})
    log.append([event(1)])
    with today(tmp_path).open("ab") as stream:
        stream.write(encode([event(2)])[:-20])
    assert followed(follower) == [event(1)]
    log.append([event(3)])
    assert followed(follower) == [event(3)]
    assert decode(today(tmp_path).read_bytes()) == [event(1), event(3)]


def test_a_full_disk_leaves_the_log_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The events are refused, and none of their bytes stays."""

    log = EventLog(tmp_path, fsync=True)
    log.append([event(1)])
    before = today(tmp_path).read_bytes()

    def full(handle: int, at: int, size: int) -> None:
        os.pwrite(handle, b"\0", at + size - 1)
        raise OSError(28, "No space left on device")

    follower = Follower(tmp_path, {})
    assert followed(follower) == [event(1)]
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(StorageError, match="No space"):
        log.append([event(2), event(3)])
    assert today(tmp_path).read_bytes() == before
    monkeypatch.undo()
    log.append([event(4)])
    assert followed(follower) == [event(4)]


@pytest.mark.parametrize("content", [b"", b"not json\n", b'{"timestamp": 1}\n'])
def test_a_log_that_was_altered_is_named(tmp_path: Path, content: bytes):
    """It became shorter, or has a line that is no event."""
    path = tmp_path / "events-2001-01-01.jsonl"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=path.name):
        followed(Follower(tmp_path, {} if content else {path.name: 5}))


def test_an_event_that_is_logged_just_before_midnight_is_seen_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Though the follower has looked at the files of the new day before."""
    midnight = 1_796_083_200  # of a day
    follower, log = Follower(tmp_path, {}), EventLog(tmp_path, fsync=False)
    old = tmp_path / "events-2026-11-30.jsonl"
    old.write_bytes(encode([event(1)]))
    monkeypatch.setattr(time, "time", lambda: midnight + 1.0)
    assert followed(follower) == [event(1)]
    log._append(old, encode([event(2)]))
    assert followed(follower) == [event(2)]
    assert followed(follower) == []


def test_a_line_whose_time_has_no_zone_is_named(tmp_path: Path):
    """It is no line that the log has written."""
    path = tmp_path / "events-2001-01-01.jsonl"
    path.write_bytes(encode([event(1)]).replace(b'Z"', b'"'))
    with pytest.raises(ArtifactError, match=path.name):
        followed(Follower(tmp_path, {}))


def test_a_new_day_completes_the_file_of_the_day_before(tmp_path: Path):
    """What a killed writer has left of a line there would be an error of the table for ever."""
    old = tmp_path / "events-2001-01-01.jsonl"
    old.write_bytes(encode([event(1), event(2)])[:-5])
    EventLog(tmp_path, fsync=True).append([event(3)])
    assert decode(old.read_bytes()) == [event(1)]
