"""Loading: plays that are made again, read while another run holds the lock, and cut to the log's dense part."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pozytywka_cli.dataset.loading import load
from pozytywka_cli.dataset.transform import transform
from pozytywka_cli.errors import ArtifactError, BusyError, RefusedError


@pytest.fixture
def service(line: Callable[..., str], folder: Callable[..., Path]) -> Path:
    """Four users with 100 plays and a purchase each in May 2023, and one of them with a play and a purchase in 2012."""
    events = [
        line("sessions", user_id=f"{user}", timestamp=f'"2023-05-{day:02}T10:{minute:02}:00"', event_type=event)
        for user in range(1, 5)
        for day in range(1, 11)
        for minute, event in ((0, '"BUY_PREMIUM"'), *((minute, '"PLAY"') for minute in range(1, 11)))
    ]
    early = [
        line("sessions", user_id="4", timestamp='"2012-05-01T10:00:00"', event_type=f'"{event}"')
        for event in ("PLAY", "BUY_PREMIUM")
    ]
    return folder(sessions=[*events, *early])


def test_the_dense_part_of_the_log_is_loaded(service: Path, tmp_path: Path) -> None:
    """Plays and purchases outside are left out, with one message: how many, where the others are, and the rule."""
    messages: list[str] = []
    dataset = load(service, tmp_path / "plays.parquet", messages.append)
    assert len(dataset.plays) == 400
    assert dataset.purchases["user_id"].to_list() == [1, 2, 3]
    assert len(messages) == 2
    assert [word for word in ("1 play ", "2023-05-01", "2023-05-10", "time_gap") if word not in messages[-1]] == []


def test_the_dense_part_is_that_of_the_log_as_it_was_known(service: Path, tmp_path: Path) -> None:
    """Before the moment of `until`, what is stray later may be all that there is."""
    messages: list[str] = []
    dataset = load(service, tmp_path / "plays.parquet", messages.append, until=datetime(2023, 1, 1, tzinfo=UTC))
    assert dataset.plays["started_at"].dt.year().to_list() == [2012]
    assert not any("time_gap" in message for message in messages)


def test_damaged_plays_are_made_again(service: Path, tmp_path: Path) -> None:
    """With a message; the dataset is that of the data."""
    path, messages = tmp_path / "plays.parquet", list[str]()
    expected = load(service, path, messages.append)
    whole = path.read_bytes()
    path.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
    messages.clear()
    assert load(service, path, messages.append).plays.equals(expected.plays)
    assert path.read_bytes() == whole
    assert str(path) in messages[0]
    assert "damaged" in messages[0]


def test_damaged_plays_that_cannot_be_made_again_are_an_error(
    service: Path, line: Callable[..., str], tmp_path: Path
) -> None:
    """It names the file, what is wrong with it and with the data; plays that are only stale leave the data's error."""
    path = tmp_path / "plays.parquet"
    transform(service, path)
    (service / "sessions-2.jsonl").write_text(line("sessions", user_id="null") + "\n")
    with pytest.raises(RefusedError, match="1 bad line"):
        load(service, path, lambda _: None)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ArtifactError) as raised:
        load(service, path, lambda _: None)
    assert raised.value.exit_code == 4
    assert [word for word in (str(path), "sessions-2.jsonl:1") if word not in raised.value.message] == []
    path.unlink()
    with pytest.raises(RefusedError, match="1 bad line"):
        load(service, path, lambda _: None)


def test_reading_needs_no_lock(service: Path, line: Callable[..., str], tmp_path: Path) -> None:
    """Up-to-date plays are read without it; stale ones are read, with a message, while another run holds it."""

    @contextmanager
    def held() -> Iterator[None]:
        raise BusyError("another run is writing", "Try again.")
        yield

    path, messages = tmp_path / "plays.parquet", list[str]()
    with pytest.raises(BusyError):
        load(service, path, messages.append, held)
    expected = load(service, path, messages.append)
    messages.clear()
    assert load(service, path, messages.append, held).plays.equals(expected.plays)
    assert len(messages) == 1
    (service / "sessions-2.jsonl").write_text(line("sessions") + "\n")
    assert load(service, path, messages.append, held).plays.equals(expected.plays)
    assert "another run is writing" in messages[-2]
    path.write_bytes(b"damaged")
    with pytest.raises(BusyError):
        load(service, path, messages.append, held)


def test_what_is_left_out_of_new_plays_is_said(service: Path, line: Callable[..., str], tmp_path: Path) -> None:
    """As `transform` says it."""
    (service / "sessions-2.jsonl").write_text((line("sessions") + "\n") * 3)
    messages: list[str] = []
    load(service, tmp_path / "plays.parquet", messages.append)
    assert any("2 events" in message and "duplicate" in message for message in messages)
