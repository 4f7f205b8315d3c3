"""Every kind of bad input, as a user meets it: a message with file, line and column, and exit code 3."""

import gzip
import json
from pathlib import Path

import pytest

GOOD = {"timestamp": "2023-01-02T10:00:00", "user_id": 1, "track_id": "t", "event_type": "PLAY", "session_id": 1}
TABLES = {
    "users": '{"user_id": 1, "name": "N", "city": "C", "street": "S", "favourite_genres": ["g"], "premium_user": true}',
    "artists": '{"id": "a", "name": "A", "genres": ["g"]}',
    "tracks": json.dumps(
        {"id": "t", "name": "T", "popularity": 1, "duration_ms": 1000, "explicit": 0, "id_artist": "a"}
        | {"release_date": "2001", "key": 0, "loudness": -7.5, "tempo": 120.0}
        | dict.fromkeys(("danceability", "energy", "speechiness", "acousticness"), 0.5)
        | dict.fromkeys(("instrumentalness", "liveness", "valence"), 0.5)
    ),
    "track_storage": '{"track_id": "t", "storage_class": "FAST", "daily_cost": 0.1}',
}


def event(**changes: object) -> bytes:
    """A good event with some fields changed."""
    return json.dumps({**GOOD, **changes}).encode()


BAD = [
    (b'{"timestamp": }', 'line breaks `json`: Expecting value at character 15: {"timestamp": }'),
    (event()[:40], "line breaks `json`: "),
    (b"\xef\xbb\xbf" + event(), "line breaks `json`: byte order mark at the start of the line: "),
    (event(track_id="@").replace(b"@", b"\xff"), "line breaks `json`: not UTF-8 at byte 65: "),
    (b"[1, 2]", "line breaks `json`: an array instead of an object: [1, 2]"),
    (b"7", "line breaks `json`: a single value instead of an object: 7"),
    (event()[:-1] + b', "user_id": 1}', "user_id breaks `json`: the key 'user_id' occurs twice: "),
    (event(user_id=float("nan")), "user_id breaks `type`: NaN"),
    (event(user_id=float("inf")), "user_id breaks `type`: Infinity"),
    (event(user_id=2**63), "user_id breaks `type`: 9223372036854775808"),
    (event(user_id="one"), 'user_id breaks `type`: "one"'),
    (event(track_id=7), "track_id breaks `type`: 7"),
    (event(session_id=1.5), "session_id breaks `type`: 1.5"),
    (event(user_id=None), "user_id breaks `required`: null"),
    (event(user_id=-1), "user_id breaks `required`: -1"),
    (event(track_id=""), "track_id breaks `required`: "),
    (event(event_type="PAUSE"), "event_type breaks `event_type`: PAUSE"),
    (event(timestamp="yesterday"), "timestamp breaks `time`: yesterday"),
    (event(timestamp="1999-12-31T23:59:59"), "timestamp breaks `time`: 1999-12-31"),
    (event(timestamp="2999-01-01T00:00:00"), "timestamp breaks `time`: 2999-01-01"),
    (event(track_id="unknown"), "track_id breaks `track`: unknown"),
]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One row in each table and one good event; commands run beside the folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data"
    folder.mkdir()
    for name, row in TABLES.items():
        (folder / f"{name}.jsonl").write_text(row + "\n")
    (folder / "sessions.jsonl").write_bytes(event() + b"\n")
    return folder


@pytest.mark.parametrize(("line", "message"), BAD, ids=[message[:50] for _, message in BAD])
def test_a_bad_line_is_named_and_nothing_is_made(pozytywka, data, line, message):
    """`transform` refuses it: file, line, column, rule and value, exit 3; `validate` exits 3, too."""
    (data / "sessions.jsonl").write_bytes(event() + b"\n" + line + b"\n")
    answer = pozytywka("transform")
    assert (answer.code, answer.out) == (3, "")
    first, hint = answer.err.splitlines()
    assert first.startswith(f"error: 1 bad line, first data/sessions.jsonl:2: {message}")
    assert "--on-invalid quarantine" in hint
    assert not Path("artifacts/plays.parquet").exists()
    checked = pozytywka("validate")
    assert checked.code == 3
    assert "1 of 2 lines of sessions" in checked.err
    assert "--quarantine" in checked.err
    assert pozytywka("transform", "--on-invalid", "quarantine").code == 0
    assert Path("artifacts/quarantine/bad/sessions.jsonl").read_bytes() == line + b"\n"


def test_lines_that_end_as_on_windows_are_good(pozytywka, data):
    """CRLF is accepted."""
    (data / "sessions.jsonl").write_bytes(event() + b"\r\n")
    assert pozytywka("validate").code == 0


def test_an_unknown_column_is_a_warning(pozytywka, data):
    """It is shown with its line, and fails only --fail-on warning."""
    (data / "sessions.jsonl").write_bytes(event(device="phone") + b"\n")
    answer = pozytywka("validate", "--json")
    [violation] = json.loads(answer.out)["rows"]
    assert answer.code == 0
    assert (violation["rule"], violation["column"], violation["count"]) == ("extra", "device", 1)
    assert violation["examples"] == [{"file": "data/sessions.jsonl", "line": 1, "value": '"phone"'}]
    failed = pozytywka("validate", "--fail-on", "warning")
    assert failed.code == 3
    assert "--fail-on" in failed.err
    assert "--data-dir" not in failed.err


def test_half_of_a_log_is_not_lost_in_silence(pozytywka, data):
    """A file beside the log is read, or named by `validate` and `transform`."""
    (data / "sessions-2.ndjson").write_bytes(event(session_id=2) + b"\n")
    (data / "sessions" / "2026").mkdir(parents=True)
    (data / "sessions" / "2026" / "b.jsonl").write_bytes(event(session_id=3) + b"\n")
    (data / "sessions-3.csv").write_text("user_id\n")
    [violation] = json.loads(pozytywka("validate", "--json").out)["rows"]
    assert (violation["table"], violation["rule"]) == ("sessions", "unread")
    made = pozytywka("transform", "--json")
    assert json.loads(made.out)["rows"][0]["rows"] == 3
    assert "data/sessions-3.csv" in made.err


def test_times_as_pandas_writes_them_are_good(pozytywka, data):
    """With a space in place of the T."""
    (data / "sessions.jsonl").write_bytes(event(timestamp="2026-01-05 10:00:00") + b"\n")
    assert pozytywka("validate").code == 0


def test_the_table_tells_what_the_broken_rules_mean(pozytywka, data):
    """Of the rules that are broken, and of no others."""
    (data / "sessions.jsonl").write_bytes(event(event_type="PAUSE") + b"\n")
    out = pozytywka("validate").out
    assert "the event is not one of PLAY" in out
    assert "the value has the wrong type" not in out


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda path: path.unlink(), 3, "error: sessions is missing"),
        (lambda path: path.write_bytes(b""), 3, "error: sessions is empty"),
        (lambda path: (path.unlink(), path.mkdir()), 3, "error: sessions is a folder"),
    ],
    ids=["missing", "empty", "folder"],
)
def test_a_table_without_events_fails(pozytywka, data, change, code, message):
    """Missing, empty, or no file at all."""
    change(data / "sessions.jsonl")
    answer = pozytywka("validate")
    assert (answer.code, answer.err.splitlines()[0]) == (code, message)


def test_a_damaged_archive_exits_74(pozytywka, data):
    """Half a .gz: the file is named."""
    (data / "sessions.jsonl").rename(data / "whole")
    (data / "sessions.jsonl.gz").write_bytes(gzip.compress((data / "whole").read_bytes() * 100)[:60])
    answer = pozytywka("validate")
    assert answer.code == 74
    assert answer.err.startswith("error: cannot read data/sessions.jsonl.gz: ")
