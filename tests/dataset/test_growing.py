"""A service logs events while its data are read."""

import gzip
import hashlib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pozytywka_cli.dataset import plays_file, transform
from pozytywka_cli.dataset.checking.validate import Checked, check
from pozytywka_cli.dataset.events import Event, encode, file_name
from pozytywka_cli.dataset.loading import load
from pozytywka_cli.dataset.plays_file import describe_inputs, hash_inputs
from pozytywka_cli.records import Input
from pozytywka_cli.serving.event_log import EventLog, Follower


def event(number: int) -> Event:
    """A PLAY of the one track."""
    return Event(1_700_000_000_000_000 + number, 1, 7, "t1", "PLAY")


def day(ago: int) -> date:
    """Today (UTC), or some days ago."""
    return datetime.now(UTC).date() - timedelta(ago)


def followed(place: Path, inputs: list[Input]) -> list[Event]:
    """The events that come after these inputs."""
    return [one for some in Follower.after(place / "sessions", inputs).events() for one in some]


def errors(place: Path) -> list[str]:
    """The rules of level error that the events break."""
    return [one.rule for one in check(place, ["tracks", "sessions"]).violations if one.level == "error"]


@pytest.fixture
def log(folder: Callable[..., Path]) -> Iterator[EventLog]:
    """The log of a data folder, with one event of today."""
    made = EventLog(folder(sessions=None) / "sessions", fsync=False)
    made.append([event(0)])
    return made


def test_events_that_come_while_plays_are_made_are_followed(
    log: EventLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """They are not in the plays, so they come after the inputs, which tell that the file has changed since."""
    place, output, was_read = log.folder.parent, tmp_path / "plays.parquet", threading.Event()

    def read(*words: Any, **options: Any) -> Checked:
        checked = check(*words, **options)
        log.append([event(1)])
        was_read.set()
        return checked

    def hash_later(*words: Any) -> dict[Path, str]:
        assert was_read.wait(10)
        return hash_inputs(*words)

    def describe_later(*words: Any) -> list[Input]:
        log.append([event(2)])
        return describe_inputs(*words)

    with monkeypatch.context() as patch:
        patch.setattr(transform, "check", read)
        patch.setattr(plays_file, "hash_inputs", hash_later)
        patch.setattr(plays_file, "describe_inputs", describe_later)
        transform.transform(place, output)
    stored, content = plays_file.read(output), encode([event(0)])
    assert len(stored.plays) == 1
    assert followed(place, stored.inputs) == [event(1), event(2)]
    assert (stored.inputs[-1].sha256, stored.inputs[-1].bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert plays_file.changed(place, stored)
    loaded = load(place, output, lambda _: None)
    assert len(loaded.plays) == 3
    assert followed(place, loaded.inputs) == []


@pytest.mark.parametrize("ago", [0, 1])
def test_a_line_that_is_being_written_is_for_later(ago: int, log: EventLog, tmp_path: Path):
    """It breaks no rule, changes nothing, and is followed once it is whole; it may also be all that there is."""
    place, path, output = log.folder.parent, log.folder / file_name(day(ago)), tmp_path / "plays.parquet"
    whole = encode([event(1), event(2)])
    path.write_bytes(whole[:-20])
    assert errors(place) == []
    transform.transform(place, output)
    stored = plays_file.read(output)
    path.write_bytes(whole[:-10])
    assert not plays_file.changed(place, stored)
    path.write_bytes(whole)
    assert plays_file.changed(place, stored)
    assert followed(place, stored.inputs) == [event(2)]
    path.write_bytes(whole[:20])
    assert check(place).readings["sessions"].lines == 1 - (ago == 0)


def test_a_file_that_no_longer_grows_is_read_as_any_other(log: EventLog):
    """Its last line needs no line feed, and half of one is an error; so is one in a folder of another name."""
    place, good = log.folder.parent, encode([event(1)])
    for path in (log.folder / file_name(day(2)), log.folder / "nested" / file_name(day(0))):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(good + good[:-1])
        assert check(place, ["tracks", "sessions"]).readings["sessions"].lines == 3
        path.write_bytes(good + good[:20])
        assert errors(place) == ["json"]
        path.unlink()


def test_another_file_of_the_same_name_is_read_whole(log: EventLog):
    """An array, or an archive, is not what a service writes."""
    lines, path = encode([event(1), event(2)]), log.folder / file_name(day(0))
    for content in (b"[" + lines.strip().replace(b"\n", b",") + b"]", gzip.compress(lines)):
        path.write_bytes(content)
        assert check(log.folder.parent, ["tracks", "sessions"]).readings["sessions"].lines == 2
