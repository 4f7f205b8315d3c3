"""Raw logs to plays on disk: what is refused, what is dropped, and when plays are stale."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl
import pytest

from pozytywka_cli import files
from pozytywka_cli.dataset import plays_file
from pozytywka_cli.dataset.loading import load
from pozytywka_cli.dataset.plays_file import Metadata, read_metadata, stale
from pozytywka_cli.dataset.transform import transform
from pozytywka_cli.errors import ArtifactError, RefusedError, StorageError
from pozytywka_cli.records import Input


@pytest.fixture
def dirty(line: Callable[..., str], folder: Callable[..., Path]) -> Path:
    """Three bad lines of sessions, one of tracks."""
    return folder(
        sessions=[
            line("sessions"),
            line("sessions", event_type='"SKIP"', timestamp='"2023-05-01T10:00:04"'),
            line("sessions", event_type='"STOP"'),
            line("sessions", event_type='"BUY_PREMIUM"', track_id='""', timestamp='"2023-05-01T10:00:09"'),
            line("sessions", event_type='"buy_premium"', track_id='""', timestamp='"2023-05-01T10:00:07"'),
            "{",
            line("sessions", timestamp="0"),
        ],
        tracks=[line("tracks"), line("tracks", id='"t2"', name='"Two"', duration_ms="0")],
    )


def test_errors_are_refused(dirty: Path, tmp_path: Path) -> None:
    """One line says how many lines are bad and shows the first, and the hint says what to do; nothing is written."""
    with pytest.raises(RefusedError) as raised:
        transform(dirty, tmp_path / "out" / "plays.parquet")
    assert raised.value.exit_code == 3
    assert raised.value.message == f"4 bad lines, first {dirty}/tracks.jsonl:2: duration_ms breaks `range`: 0"
    assert (
        raised.value.hint
        == "See `pozytywka validate`, or drop bad lines with `pozytywka transform --on-invalid quarantine`."
    )
    assert not (tmp_path / "out").exists()


def test_a_whole_bad_line_is_shown(folder: Callable[..., Path], tmp_path: Path) -> None:
    """Where no column is at fault, the line is."""
    with pytest.raises(RefusedError) as raised:
        transform(folder(sessions=["5"]), tmp_path / "plays.parquet")
    assert raised.value.message == (
        f"1 bad line, first {tmp_path}/data/sessions.jsonl:1: "
        "line breaks `json`: a single value instead of an object: 5"
    )


@pytest.mark.parametrize("table", ["sessions", "tracks"])
@pytest.mark.parametrize("on_invalid", ["fail", "quarantine"])
def test_a_missing_table_is_refused(table: str, on_invalid: str, folder: Callable[..., Path], tmp_path: Path) -> None:
    """Plays need sessions and tracks, whatever is done with bad lines."""
    place = folder(**{table: None})
    with pytest.raises(RefusedError) as raised:
        transform(place, tmp_path / "plays.parquet", on_invalid=on_invalid)  # type: ignore[arg-type]
    assert raised.value.message == f"{place}/{table}.jsonl is missing"
    assert raised.value.hint == "Check --data-dir; see `pozytywka validate`."


@pytest.mark.parametrize("table", ["users", "artists", "track_storage"])
def test_other_tables_are_not_needed(table: str, folder: Callable[..., Path], tmp_path: Path) -> None:
    """Plays come from sessions and tracks alone."""
    assert transform(folder(**{table: None}), tmp_path / "plays.parquet").rows == 1


def test_bad_lines_are_dropped_counted_and_kept(dirty: Path, tmp_path: Path) -> None:
    """With `quarantine` the good lines become plays and purchases, and the bad ones are counted and set aside."""
    output = tmp_path / "out" / "plays.parquet"
    made = transform(dirty, output, on_invalid="quarantine", quarantine_dir=tmp_path / "q")
    assert (made.plays, made.rows) == (output, 1)
    assert made.dropped == {"tracks": 1, "sessions": 3}
    assert made.quarantine == tmp_path / "q"
    assert len((tmp_path / "q/bad/sessions.jsonl").read_bytes().splitlines()) == 3
    plays, purchases, _ = plays_file.read(output)
    start, skip = datetime(2023, 5, 1, 10, tzinfo=UTC), datetime(2023, 5, 1, 10, 0, 4, tzinfo=UTC)
    assert plays.rows() == [(1, 7, "t1", start, False, True, False, 4000, skip, None)]
    assert purchases.rows() == [(1, datetime(2023, 5, 1, 10, 0, 7, tzinfo=UTC))]
    assert list(output.parent.iterdir()) == [output]


def test_good_rows_are_not_copied_to_the_quarantine(folder: Callable[..., Path], tmp_path: Path) -> None:
    """`transform` sets aside bad lines only: the good ones are plays already."""
    made = transform(folder(), tmp_path / "plays.parquet", on_invalid="quarantine", quarantine_dir=tmp_path / "q")
    assert made.quarantine is None
    assert not (tmp_path / "q" / "good").exists()


def test_a_track_with_a_bad_line_still_plays(
    line: Callable[..., str], folder: Callable[..., Path], tmp_path: Path
) -> None:
    """Nothing cascades: an event of a track whose line is bad is a play of an unknown duration."""
    place = folder(tracks=[line("tracks", duration_ms="0")])
    made = transform(place, tmp_path / "plays.parquet", on_invalid="quarantine")
    assert made.dropped == {"tracks": 1, "sessions": 0}
    assert pl.read_parquet(made.plays)["listened_ms"].to_list() == [None]


def test_plays_know_what_they_were_made_from(folder: Callable[..., Path], tmp_path: Path) -> None:
    """The file holds the transform's version and each input's hash, size, rows and time range."""
    place = folder()
    transform(place, tmp_path / "plays.parquet")
    paths = (place / "tracks.jsonl", place / "sessions.jsonl")
    moment = "2023-05-01T10:00:00Z"
    inputs = [Input(p.name, files.sha256(p), p.stat().st_size, 1) for p in paths]
    inputs[1] = msgspec.structs.replace(inputs[1], first=moment, last=moment)
    expected = Metadata(plays_file.VERSION, inputs, [])
    assert read_metadata(tmp_path / "plays.parquet") == expected
    assert stale(place, tmp_path / "plays.parquet") is None


def test_the_same_data_give_the_same_bytes(dirty: Path, tmp_path: Path) -> None:
    """Files are compared with files."""
    for name in ("one", "two"):
        transform(dirty, tmp_path / name / "plays.parquet", on_invalid="quarantine")
    one, two = (tmp_path / name / "plays.parquet" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_stale_plays(
    line: Callable[..., str], folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plays are stale where there are none, and when the data or the transform changed."""
    place, output = folder(), tmp_path / "plays.parquet"
    assert stale(place, output) == "there are no plays yet"
    transform(place, output)
    assert stale(place, output) is None

    (place / "users.jsonl").write_text("changed, and not used")
    assert stale(place, output) is None

    (place / "sessions.jsonl").write_text(line("sessions", user_id="2"))
    assert stale(place, output) == "the data have changed"
    transform(place, output)
    (place / "sessions-2.jsonl").write_text(line("sessions"))
    assert stale(place, output) == "the data have changed"
    (place / "sessions-2.jsonl").unlink()
    assert stale(place, output) is None

    monkeypatch.setattr(plays_file, "VERSION", plays_file.VERSION + 1)
    assert stale(place, output) == "they are damaged, or were made by another version"
    assert read_metadata(output) is None


def test_files_of_nested_folders_are_told_apart(
    line: Callable[..., str], folder: Callable[..., Path], tmp_path: Path
) -> None:
    """Inputs are named by their paths in the data folder, so that two of one name do not stand for each other."""
    place, output = folder(sessions=None), tmp_path / "plays.parquet"
    for number in (1, 2):
        (place / "sessions" / str(number)).mkdir(parents=True)
        (place / "sessions" / str(number) / "a.jsonl").write_text(line("sessions", session_id=str(number)))
    transform(place, output)
    names = [record.name for record in plays_file.read(output)[2]]
    assert names == ["tracks.jsonl", "sessions/1/a.jsonl", "sessions/2/a.jsonl"]
    assert stale(place, output) is None


def test_data_that_are_not_read_are_named(folder: Callable[..., Path], tmp_path: Path) -> None:
    """A log in another format is named by `transform`, and whenever the dataset is loaded."""
    place = folder()
    (place / "sessions-2.csv").write_text("user_id")
    made = transform(place, tmp_path / "plays.parquet")
    assert len(made.unread) == 1
    assert str(place / "sessions-2.csv") in made.unread[0]
    messages: list[str] = []
    load(place, tmp_path / "plays.parquet", messages.append)
    assert messages == made.unread


def test_damaged_plays_are_refused(folder: Callable[..., Path], tmp_path: Path) -> None:
    """A file whose metadata are whole and whose rows are not is an error of the artifact, with the way out."""
    place, output = folder(), tmp_path / "plays.parquet"
    transform(place, output)
    content = bytearray(output.read_bytes())
    content[4:40] = bytes(36)
    output.write_bytes(content)
    with pytest.raises(ArtifactError) as raised:
        load(place, output, lambda _: None)
    assert str(output) in raised.value.message
    assert "pozytywka transform" in raised.value.hint


@pytest.mark.parametrize("damage", ["empty", "text", "no metadata"])
def test_plays_that_cannot_be_vouched_for(damage: str, folder: Callable[..., Path], tmp_path: Path) -> None:
    """A file that is no Parquet, or not one of ours, has no provenance and is made again."""
    place, output = folder(), tmp_path / "plays.parquet"
    transform(place, output)
    if damage == "no metadata":
        pl.read_parquet(output).write_parquet(output)
    else:
        output.write_text("" if damage == "empty" else "plays")
    assert read_metadata(output) is None
    assert stale(place, output) == "they are damaged, or were made by another version"


def test_a_failure_leaves_the_old_plays(
    folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that fails half way leaves the old file and no temporary one."""
    place, output = folder(), tmp_path / "out" / "plays.parquet"
    transform(place, output)
    before = output.read_bytes()

    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "flush", full)
    with pytest.raises(StorageError, match=r"^cannot write .*: No space left"):
        transform(place, output)
    assert output.read_bytes() == before
    assert list(output.parent.iterdir()) == [output]
