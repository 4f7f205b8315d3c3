"""The files that make a table, and those that only look like it."""

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pozytywka_cli.dataset.checking.validate import Checked
from pozytywka_cli.dataset.reading.data_files import locate, unread
from pozytywka_cli.dataset.reading.read import Reading, read
from pozytywka_cli.dataset.tables import ARTISTS, SESSIONS, TABLES, Table
from pozytywka_cli.errors import RefusedError, StorageError


def whole(table: Table, place: Path) -> Reading:
    return read(table, locate(place, table), counts=True)


def sessions(line: Callable[..., str], start: int, stop: int) -> bytes:
    return b"".join(line("sessions", session_id=str(number)).encode() + b"\n" for number in range(start, stop))


def test_many_files_are_one_table(line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """`sessions.jsonl`, `sessions-*.jsonl` and the files in `sessions/`, in any format, make one table."""
    place = folder(sessions=sessions(line, 0, 1))
    (place / "sessions-02.jsonl.gz").write_bytes(gzip.compress(sessions(line, 2, 3)))
    (place / "sessions-01.jsonl").write_bytes(sessions(line, 1, 2))
    (place / "sessions").mkdir()
    (place / "sessions" / "2023-05-02.jsonl").write_bytes(sessions(line, 4, 5))
    (place / "sessions" / "2023-05-01.jsonl").write_bytes(sessions(line, 3, 4))
    (place / "sessions" / ".2023-05-03.jsonl").write_bytes(b"half written")
    (place / "sessions" / "notes.txt").write_bytes(b"not data")
    reading = whole(SESSIONS, place)
    assert [str(path.relative_to(place)) for path in reading.paths] == [
        "sessions/2023-05-01.jsonl",
        "sessions/2023-05-02.jsonl",
        "sessions-01.jsonl",
        "sessions-02.jsonl.gz",
        "sessions.jsonl",
    ]
    assert reading.frame.select("file", "line", "session_id").rows() == [
        (0, 1, 3),
        (1, 1, 4),
        (2, 1, 1),
        (3, 1, 2),
        (4, 1, 0),
    ]


def test_a_fault_is_found_in_its_own_file(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """Line numbers start again in each file, and a key of one file counts in the next."""
    place = folder(artists=[line("artists")])
    lines = [line("artists", id='"a2"', name='"B"'), "{", line("artists", name='"C"')]
    (place / "artists-2.jsonl").write_text("\n".join(lines))
    text = "Expecting property name enclosed in double quotes at character 2: {"
    assert found(place, "artists") == [
        ("artists", "json", None, "error", 1, [("artists-2.jsonl:2", text)]),
        ("artists", "key", "id", "error", 1, [("artists.jsonl:1", "a1")]),
    ]


@pytest.mark.parametrize("other", ["sessions.jsonl.gz", "sessions.parquet"])
def test_two_formats_of_one_file_are_refused(other: str, folder: Callable[..., Path]) -> None:
    """The same file twice would count every line twice."""
    place = folder()
    (place / other).write_bytes(b"")
    with pytest.raises(RefusedError) as raised:
        locate(place, SESSIONS)
    assert str(place / "sessions.jsonl") in raised.value.message or str(place / other) in raised.value.message
    assert raised.value.hint


def test_dots_in_a_name_are_no_format(line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """Days written with dots are two files, and all of their formats are distinguished after the last part."""
    place = folder(sessions=None)
    for day in ("05", "06"):
        (place / f"sessions-2026.01.{day}.jsonl").write_bytes(sessions(line, 0, 1))
    assert whole(SESSIONS, place).lines == 2
    (place / "sessions-2026.01.06.parquet").write_bytes(b"")
    with pytest.raises(RefusedError, match=r"2026\.01\.06"):
        locate(place, SESSIONS)


@pytest.mark.parametrize(
    "name",
    [
        "sessions-2.ndjson",
        "sessions_2.ndjson",
        "sessions.2.jsonl",
        "sessions-2.jsonl.bz2",
        "sessions/2026/b.jsonl",
        "sessions/2026/01/b.ndjson.gz",
        "sessions/b.jsonl.zst",
    ],
)
def test_every_file_of_a_table_is_read(name: str, line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """In nested folders, with either suffix, packed or not."""
    place = folder()
    content = sessions(line, 10, 12)
    pack = {".gz": gzip.compress, ".bz2": bz2.compress, ".zst": zstandard.compress}.get(Path(name).suffix, bytes)
    (place / name).parent.mkdir(parents=True, exist_ok=True)
    (place / name).write_bytes(pack(content))
    assert sorted(whole(SESSIONS, place).frame["session_id"]) == [7, 10, 11]
    assert unread(place, TABLES.values()) == {}


@pytest.mark.parametrize(
    "name",
    [
        "sessions.csv",
        "sessions-2.xml",
        "sessions2.jsonl",
        "Sessions-2.jsonl",
        "sessions-2.jsonl~",
        "sessions/notes.txt",
        "sessions/2026/a.csv",
        "sessions-2026/a.jsonl",
        "more/sessions.jsonl",
        "truth/sessions.parquet",
    ],
)
def test_what_looks_like_data_and_is_not_read_is_named(
    name: str, folder: Callable[..., Path], checked: Callable[..., Checked]
) -> None:
    """A file that is named like a table, or lies in a folder that is, is in a warning: no silence."""
    place = folder()
    (place / name).parent.mkdir(parents=True, exist_ok=True)
    (place / name).write_text("x")
    [violation] = checked(place).violations
    assert (violation.table, violation.rule, violation.level, violation.count) == ("sessions", "unread", "warning", 1)
    assert [example.file for example in violation.examples] == [str(place / name)]


def test_a_link_to_nothing_is_named(folder: Callable[..., Path]) -> None:
    """A part of the log whose disk is not mounted is missed."""
    place = folder()
    (place / "sessions-2.jsonl").symlink_to(place / "nowhere")
    assert unread(place, TABLES.values()) == {"sessions": [place / "sessions-2.jsonl"]}


def test_notes_hidden_files_and_the_truth_of_a_sample_are_no_data(folder: Callable[..., Path]) -> None:
    """They are neither read nor named."""
    place = folder()
    for name in ("README.md", "sessions/README", "sessions/_SUCCESS", "sessions/.a.jsonl", ".git/sessions.jsonl"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text("x")
    (place / "truth").mkdir()
    (place / "truth" / "sample.json").write_text("{}")
    (place / "truth" / "artists.parquet").write_text("x")
    assert unread(place, TABLES.values()) == {}
    assert [path.name for path in locate(place, SESSIONS)] == ["sessions.jsonl"]


def test_folders_that_link_in_a_circle_are_read_once(line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """A link to a folder is followed, one to a folder above it is not."""
    place = folder(sessions=None)
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / "a.jsonl").write_bytes(sessions(line, 0, 1))
    (place / "elsewhere" / "again").symlink_to(place / "elsewhere")
    (place / "sessions").symlink_to(place / "elsewhere")
    assert whole(SESSIONS, place).lines == 1


def test_a_missing_folder_is_named(tmp_path: Path, checked: Callable[..., Checked]) -> None:
    """The error names the folder and the two ways on."""
    with pytest.raises(StorageError) as raised:
        checked(tmp_path / "nowhere")
    assert raised.value.message == f"there is no folder {tmp_path / 'nowhere'}"
    assert raised.value.hint == "Name the data with --data-dir, or make some: `pozytywka sample`."


def test_numbered_files_are_read_in_the_order_of_their_numbers(folder: Callable[..., Path]) -> None:
    """2 before 10: a log that is cut into more than ten files is in time order as it was."""
    place = folder(sessions=None)
    for number in (10, 2, 1):
        (place / f"sessions-{number}.jsonl").write_text("")
    assert [path.stem for path in locate(place, SESSIONS)] == ["sessions-1", "sessions-2", "sessions-10"]


def test_a_folder_whose_name_looks_like_a_pattern_is_a_folder(tmp_path: Path) -> None:
    """Brackets and stars in a path are letters like any other."""
    place = tmp_path / "we[i]rd*dir"
    place.mkdir()
    (place / "artists[1].jsonl").write_text("")
    (place / "artists.jsonl").write_text('{"id": "a", "name": "A", "genres": []}\n')
    assert whole(ARTISTS, place).lines == 1
