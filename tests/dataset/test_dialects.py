"""Spellings, formats and files that all must be read without a flag."""

import bz2
import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard

from pozytywka_cli.dataset.data_files import locate, unread
from pozytywka_cli.dataset.read import Reading, read
from pozytywka_cli.dataset.tables import ARTISTS, SESSIONS, TABLES, TRACK_STORAGE, TRACKS, Table
from pozytywka_cli.dataset.validate import Checked
from pozytywka_cli.errors import RefusedError, StorageError

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
        ("1682935200000", TEN),
        ("1682935200123", TEN + timedelta(milliseconds=123)),
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("253402300799999", datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("spaces", ["", "  "])
def test_times(text: str, moment: datetime, spaces: str, line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """ISO 8601 with and without fraction and offset, and milliseconds, on the fast path and on the slow one."""
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


def sessions(line: Callable[..., str], start: int, stop: int) -> bytes:
    return b"".join(line("sessions", session_id=str(number)).encode() + b"\n" for number in range(start, stop))


@pytest.mark.parametrize("end", ["", ".gz"])
def test_compressed_and_not(end: str, line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """`.jsonl.gz` is read like `.jsonl`; what is compressed is seen from the bytes, not from the name."""
    content = sessions(line, 0, 300) + b"\n" + sessions(line, 300, 302)
    for name, packed in (("packed", gzip.compress(content)), ("plain", content)):
        place = folder(name, sessions=None)
        (place / f"sessions.jsonl{end}").write_bytes(packed)
        reading = whole(SESSIONS, place)
        assert reading.frame["session_id"].to_list() == list(range(302))
        assert reading.lines == 303
        assert reading.findings.drop("file").rows() == [(301, "json", None, "blank line: ")]


def test_a_gz_of_several_parts(line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """Logs that were compressed apart and joined are one log."""
    place = folder(sessions=None)
    parts = [gzip.compress(sessions(line, start, start + 2)) for start in (0, 2, 4)]
    (place / "sessions.jsonl.gz").write_bytes(b"".join(parts))
    assert whole(SESSIONS, place).frame["session_id"].to_list() == list(range(6))


@pytest.mark.parametrize("pack", [bz2.compress, zstandard.compress])
def test_archives_of_several_parts(pack: Any, line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """The same holds of the other formats, also where a line takes the slow path."""
    place = folder(sessions=None)
    parts = [sessions(line, 0, 2), b" " + sessions(line, 2, 3) + b"\xff\n", sessions(line, 3, 5)]
    (place / "sessions.jsonl.zst").write_bytes(b"".join(map(pack, parts)))
    reading = whole(SESSIONS, place)
    assert reading.frame["session_id"].to_list() == list(range(5))
    assert (reading.lines, len(reading.findings)) == (6, 1)


@pytest.mark.parametrize("pack", [bz2.compress, zstandard.compress])
@pytest.mark.parametrize("bad", [b"", b"\xff\n"])
def test_an_archive_that_is_cut_short_is_named(
    pack: Any, bad: bytes, line: Callable[..., str], folder: Callable[..., Path]
) -> None:
    """Half a log is no log, on the fast path and on the slow one."""
    place = folder(sessions=None)
    path = place / "sessions.jsonl.bz2"
    path.write_bytes(pack(bad + sessions(line, 0, 5000))[:-20])
    with pytest.raises(StorageError, match=r"sessions\.jsonl\.bz2"):
        whole(SESSIONS, place)


@pytest.mark.parametrize("damage", ["cut in the tail", "cut in the middle", "checksum", "middle", "head"])
def test_a_damaged_gz_is_named(damage: str, line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """Nothing of a damaged archive is believed: the error names the file."""
    place = folder(sessions=None)
    whole_gz = gzip.compress(sessions(line, 0, 5000), mtime=0)
    flipped = bytearray(whole_gz)
    flipped[{"checksum": -7, "middle": len(whole_gz) // 2, "head": 2}.get(damage, 0)] ^= 1
    cut = {"cut in the tail": -4, "cut in the middle": len(whole_gz) // 2}
    path = place / "sessions.jsonl.gz"
    path.write_bytes(whole_gz[: cut[damage]] if damage in cut else bytes(flipped))
    with pytest.raises(StorageError) as raised:
        whole(SESSIONS, place)
    assert raised.value.message.startswith(f"cannot read {path}: ")
    assert raised.value.hint == "Check the file, or copy it again."
    assert raised.value.exit_code == 74


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
        "sessions-2.json",
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


def parquet(place: Path, table: str, frame: pl.DataFrame) -> Reading:
    (place / f"{table}.jsonl").unlink()
    frame.write_parquet(place / f"{table}.parquet")
    return whole(TABLES[table], place)


@pytest.mark.parametrize("table", TABLES)
def test_parquet_is_read_like_json_lines(table: str, folder: Callable[..., Path]) -> None:
    """A table that was read, written as Parquet and read again is the same table."""
    place = folder()
    before = whole(TABLES[table], place)
    after = parquet(place, table, before.frame.drop("file", "line"))
    assert after.frame.equals(before.frame)
    assert after.frame.schema == before.frame.schema
    assert (after.lines, after.findings.rows(), after.counts) == (before.lines, [], before.counts)


def test_parquet_integers_that_were_stored_as_floats(folder: Callable[..., Path]) -> None:
    """Whole floats are integers, as pandas stores a column with nulls; NaN, fractions and infinities are not."""
    given = [1.0, None, 2.5, float("nan"), float("inf"), 1e19]
    frame = pl.DataFrame({"id": list("abcdef"), "popularity": given})
    reading = parquet(folder(), "tracks", frame)
    assert reading.frame["popularity"].to_list() == [1, None, None, None, None, None]
    assert reading.findings.drop("file").rows() == [
        (3, "type", "popularity", "2.5"),
        (4, "type", "popularity", "nan"),
        (5, "type", "popularity", "inf"),
        (6, "type", "popularity", "1e+19"),
    ]


def test_parquet_numbers_of_any_width(folder: Callable[..., Path]) -> None:
    """Small integers, unsigned ones and single floats become the schema's types."""
    frame = pl.DataFrame(
        {"id": ["a"], "popularity": [5], "duration_ms": [6], "tempo": [7], "energy": [0.5]},
        schema={
            "id": pl.String,
            "popularity": pl.Int8,
            "duration_ms": pl.UInt64,
            "tempo": pl.Int16,
            "energy": pl.Float32,
        },
    )
    reading = parquet(folder(), "tracks", frame)
    row = reading.frame.select("popularity", "duration_ms", "tempo", "energy")
    assert row.rows() == [(5, 6, 7.0, 0.5)]
    assert row.dtypes == [pl.Int64, pl.Int64, pl.Float64, pl.Float64]
    assert reading.findings.is_empty()


def test_parquet_of_wrong_types(folder: Callable[..., Path]) -> None:
    """A column of another type is a finding for each of its values; -1 says "no value" in any type."""
    frame = pl.DataFrame({"id": [7, -1], "name": [True, None], "genres": ["rock", None], "x": [None, date(2023, 1, 1)]})
    reading = parquet(folder(), "artists", frame)
    assert reading.frame.drop("file").rows() == [(None, None, None, 1), (None, None, None, 2)]
    assert sorted(reading.findings.drop("file").rows()) == [
        (1, "type", "genres", "rock"),
        (1, "type", "id", "7"),
        (1, "type", "name", "True"),
        (2, "extra", "x", "2023-01-01"),
        (2, "required", "id", "-1"),
    ]
    assert reading.unknown == {"x": 1}


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Warsaw"])
def test_parquet_times(unit: Any, zone: str | None, folder: Callable[..., Path]) -> None:
    """Times of any unit; without a zone they are UTC, with one they are converted."""
    naive = pl.Series("timestamp", [datetime(2023, 5, 1, 10, 0, 0, 250_000), None], dtype=pl.Datetime(unit))
    times = naive.dt.replace_time_zone(zone) if zone else naive
    reading = parquet(folder(), "sessions", pl.DataFrame({"timestamp": times}))
    hour = timedelta(hours=2 if zone == "Europe/Warsaw" else 0)
    assert reading.frame["timestamp"].to_list() == [TEN + timedelta(milliseconds=250) - hour, None]
    assert reading.findings.is_empty()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1682935200000], [TEN]),
        (["2023-05-01T12:00:00+02:00"], [TEN]),
        ([date(2023, 5, 1)], [None]),
        ([1682935200000.0], [None]),
    ],
)
def test_parquet_times_written_otherwise(values: list[Any], expected: list[Any], folder: Callable[..., Path]) -> None:
    """Milliseconds and text as in JSON lines; dates and floats are no times."""
    reading = parquet(folder(), "sessions", pl.DataFrame({"timestamp": values}))
    assert reading.frame["timestamp"].to_list() == expected
    assert reading.findings["rule"].to_list() == (["type"] if expected == [None] else [])


def test_a_damaged_parquet_is_named(folder: Callable[..., Path]) -> None:
    """A file that is no Parquet is an error of storage."""
    place = folder(artists=None)
    (place / "artists.parquet").write_bytes(b"PAR1 but no more than that")
    with pytest.raises(StorageError, match=r"^cannot read .*artists\.parquet: "):
        whole(ARTISTS, place)


def test_a_reader_that_breaks_down_is_an_error_of_storage(
    folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some damaged Parquet files make the frame library panic, which is no ordinary exception."""
    place = folder(artists=None)
    (place / "artists.parquet").write_bytes(b"")

    def panic(*_: object, **__: object) -> None:
        raise pl.exceptions.PanicException("offset + length <= self.length")

    monkeypatch.setattr(pl, "read_parquet", panic)
    with pytest.raises(StorageError, match=r"^cannot read .*artists\.parquet: offset \+ length"):
        whole(ARTISTS, place)


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
