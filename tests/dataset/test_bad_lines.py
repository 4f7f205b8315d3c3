"""Every kind of bad line: its exact rule, column, level, count, place and value, wherever in the file it stands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pozytywka_cli.dataset.line_decoder import decode
from pozytywka_cli.dataset.read import read
from pozytywka_cli.dataset.tables import ARTISTS, TABLES, TRACKS

E, W = "error", "warning"
DEEP = "[" * 100_000 + "]" * 100_000
LONG = "9" * 5000

# (table, line as bytes or as changes of a good line, (rule, column, level, value) of each violation)
CASES: dict[str, tuple[str, bytes | dict[str, str | None], list[tuple[str, str | None, str, str]]]] = {
    "malformed": (
        "artists",
        b'{"id": "a2", name}',
        [
            (
                "json",
                None,
                E,
                'Expecting property name enclosed in double quotes at character 14: {"id": "a2", name}',
            )
        ],
    ),
    "truncated": (
        "artists",
        b'{"id": "a2", "name": "B',
        [("json", None, E, 'Unterminated string starting at character 22: {"id": "a2", "name": "B')],
    ),
    "two objects": ("artists", b"{}{}", [("json", None, E, "Extra data at character 3: {}{}")]),
    "single quotes": (
        "artists",
        b"{'id': 'a2'}",
        [("json", None, E, "Expecting property name enclosed in double quotes at character 2: {'id': 'a2'}")],
    ),
    "bad UTF-8": (
        "artists",
        b'{"id": "a2", "name": "B\xff", "genres": []}',
        [("json", None, E, 'not UTF-8 at byte 24: {"id": "a2", "name": "B\ufffd", "genres": []}')],
    ),
    "bad UTF-8 after a backslash": (
        "artists",
        b'{"id": "a2", "name": "B\\\xff", "genres": []}',
        [("json", None, E, 'not UTF-8 at byte 25: {"id": "a2", "name": "B\\\ufffd", "genres": []}')],
    ),
    "surrogates in UTF-8": (
        "artists",
        b'{"id": "\xed\xa0\x80"}',
        [("json", None, E, 'not UTF-8 at byte 9: {"id": "\ufffd\ufffd\ufffd"}')],
    ),
    "array": ("artists", b'["a2"]', [("json", None, E, 'an array instead of an object: ["a2"]')]),
    "text": ("artists", b'"a2"', [("json", None, E, 'a single value instead of an object: "a2"')]),
    "number": ("artists", b"5", [("json", None, E, "a single value instead of an object: 5")]),
    "null": ("artists", b"null", [("json", None, E, "a single value instead of an object: null")]),
    "one key twice": (
        "artists",
        b'{"id": "a2", "id": "a3", "name": "B", "genres": []}',
        [("json", "id", E, 'the key \'id\' occurs twice: {"id": "a2", "id": "a3", "name": "B", "genres": []}')],
    ),
    "one key twice with one value": (
        "artists",
        b'{"id": "a2", "id": "a2", "name": "B", "genres": []}',
        [("json", "id", E, 'the key \'id\' occurs twice: {"id": "a2", "id": "a2", "name": "B", "genres": []}')],
    ),
    "one key in two spellings": (
        "artists",
        b'{"id": "a2", "\\u0069d": "a2", "name": "B", "genres": []}',
        [
            (
                "json",
                "id",
                E,
                'the key \'id\' occurs twice: {"id": "a2", "\\u0069d": "a2", "name": "B", "genres": []}',
            )
        ],
    ),
    "an unknown key twice": (
        "artists",
        b'{"x": 1, "x": 1}',
        [("json", "x", E, 'the key \'x\' occurs twice: {"x": 1, "x": 1}')],
    ),
    "a key twice further in": (
        "artists",
        b'{"id": "a2", "x": {"y": 1, "y": 2}}',
        [("json", "y", E, 'the key \'y\' occurs twice: {"id": "a2", "x": {"y": 1, "y": 2}}')],
    ),
    "NaN": (
        "track_storage",
        {"track_id": '"t2"', "daily_cost": "NaN"},
        [("optional", "daily_cost", W, "NaN")],
    ),
    "Infinity": (
        "track_storage",
        {"track_id": '"t2"', "daily_cost": "Infinity"},
        [("optional", "daily_cost", W, "Infinity")],
    ),
    "-Infinity": (
        "track_storage",
        {"track_id": '"t2"', "daily_cost": "-Infinity"},
        [("optional", "daily_cost", W, "-Infinity")],
    ),
    "1e999": ("tracks", {"id": '"t2"', "tempo": "1e999"}, [("optional", "tempo", W, "Infinity")]),
    "-1e999": ("tracks", {"id": '"t2"', "loudness": "-1e999"}, [("optional", "loudness", W, "-Infinity")]),
    "half a surrogate pair": (
        "artists",
        b'{"id": "a2", "name": "\\ud800", "genres": []}',
        [("json", None, E, 'half a surrogate pair: {"id": "a2", "name": "\\ud800", "genres": []}')],
    ),
    "half a surrogate pair in an unknown key": (
        "artists",
        b'{"id": "a2", "name": "B", "genres": [], "\\udfff": 1}',
        [("json", None, E, 'half a surrogate pair: {"id": "a2", "name": "B", "genres": [], "\\udfff": 1}')],
    ),
    "a control character": (
        "artists",
        b'{"id": "a\x002"}',
        [("json", None, E, 'Invalid control character at character 10: {"id": "a\x002"}')],
    ),
    "nested too deeply": (
        "artists",
        DEEP.encode(),
        [("json", None, E, "nested too deeply: " + "[" * 80)],
    ),
    "too many digits": (
        "artists",
        f'{{"id": {LONG}}}'.encode(),
        [("json", None, E, "a number with too many digits: " + ('{"id": ' + LONG)[:80])],
    ),
    "a number for text": ("artists", {"id": '"a2"', "name": "7"}, [("type", "name", E, "7")]),
    "an object for text": ("artists", {"id": '"a2"', "name": '{"en": "B"}'}, [("type", "name", E, '{"en": "B"}')]),
    "NaN as text": ("tracks", {"id": '"t2"', "tempo": '"nan"'}, [("optional", "tempo", W, '"nan"')]),
    "NaN for an integer": ("tracks", {"id": '"t2"', "popularity": "NaN"}, [("optional", "popularity", W, "NaN")]),
    "NaN where a value is needed": (
        "tracks",
        {"id": '"t2"', "duration_ms": "NaN"},
        [("type", "duration_ms", E, "NaN")],
    ),
    "Infinity for text": ("artists", {"id": '"a2"', "name": "Infinity"}, [("type", "name", E, "Infinity")]),
    "NaN in an unknown column": ("artists", {"id": '"a2"', "name": '"B"', "x": "NaN"}, [("extra", "x", W, "NaN")]),
    "a list as text": (
        "artists",
        {"id": '"a2"', "name": '"B"', "genres": """ "['rock']" """.strip()},
        [("type", "genres", E, """ "['rock']" """.strip())],
    ),
    "a list of numbers": ("artists", {"id": '"a2"', "name": '"B"', "genres": "[1]"}, [("type", "genres", E, "[1]")]),
    "a list with null": (
        "artists",
        {"id": '"a2"', "name": '"B"', "genres": '["x", null]'},
        [("type", "genres", E, '["x", null]')],
    ),
    "text for an integer": ("tracks", {"id": '"t2"', "popularity": '"12a"'}, [("type", "popularity", E, '"12a"')]),
    "a fraction for an integer": ("tracks", {"id": '"t2"', "popularity": "1.5"}, [("type", "popularity", E, "1.5")]),
    "a fraction as text for an integer": (
        "tracks",
        {"id": '"t2"', "popularity": '"1.5"'},
        [("type", "popularity", E, '"1.5"')],
    ),
    "true for an integer": ("tracks", {"id": '"t2"', "popularity": "true"}, [("type", "popularity", E, "true")]),
    "past int64": (
        "tracks",
        {"id": '"t2"', "duration_ms": "9223372036854775808"},
        [("type", "duration_ms", E, "9223372036854775808")],
    ),
    "before int64": (
        "tracks",
        {"id": '"t2"', "popularity": "-9223372036854775809"},
        [("type", "popularity", E, "-9223372036854775809")],
    ),
    "huge integer for a number": (
        "tracks",
        {"id": '"t2"', "tempo": "1" + "0" * 400},
        [("type", "tempo", E, "1" + "0" * 79)],
    ),
    "text for a number": ("tracks", {"id": '"t2"', "tempo": '"fast"'}, [("type", "tempo", E, '"fast"')]),
    "a number for a date": ("tracks", {"id": '"t2"', "release_date": "1999"}, [("type", "release_date", E, "1999")]),
    "2 for true": ("users", {"user_id": "2", "premium_user": "2"}, [("type", "premium_user", E, "2")]),
    "a session of a fraction": ("sessions", {"session_id": "1.5"}, [("type", "session_id", E, "1.5")]),
    "a session without a name": ("sessions", {"session_id": '""'}, [("required", "session_id", E, "-1")]),
    "true for a time": ("sessions", {"timestamp": "true"}, [("type", "timestamp", E, "true")]),
    "key -1": ("artists", {"id": "-1", "name": '"B"'}, [("required", "id", E, "-1")]),
    'key "-1"': ("artists", {"id": '"-1"', "name": '"B"'}, [("required", "id", E, "-1")]),
    "key empty": ("artists", {"id": '""', "name": '"B"'}, [("required", "id", E, "(empty)")]),
    "key null": ("artists", {"id": "null", "name": '"B"'}, [("required", "id", E, "null")]),
    "another number for a text key": ("artists", {"id": "7", "name": '"B"'}, [("type", "id", E, "7")]),
    "-1.0 for a text key": ("artists", {"id": "-1.0", "name": '"B"'}, [("type", "id", E, "-1.0")]),
    'integer "-1"': ("sessions", {"user_id": '"-1"'}, [("required", "user_id", E, "-1")]),
    "integer null": ("sessions", {"session_id": "null"}, [("required", "session_id", E, "null")]),
    "duration null": ("tracks", {"id": '"t2"', "duration_ms": "null"}, [("required", "duration_ms", E, "null")]),
    "duration -1": ("tracks", {"id": '"t2"', "duration_ms": "-1"}, [("required", "duration_ms", E, "-1")]),
    "time null": ("sessions", {"timestamp": "null"}, [("required", "timestamp", E, "null")]),
    "time empty": ("sessions", {"timestamp": '""'}, [("required", "timestamp", E, "(empty)")]),
    "time -1": ("sessions", {"timestamp": "-1"}, [("required", "timestamp", E, "-1")]),
    "event null": ("sessions", {"event_type": "null"}, [("required", "event_type", E, "null")]),
    "event empty": ("sessions", {"event_type": '""'}, [("required", "event_type", E, "(empty)")]),
    "track of a PLAY": ("sessions", {"track_id": "null"}, [("required", "track_id", E, "null")]),
    "track of a PLAY empty": ("sessions", {"track_id": '""'}, [("required", "track_id", E, "null")]),
    "below the range": ("tracks", {"id": '"t2"', "popularity": "-1"}, [("range", "popularity", E, "-1")]),
    "above the range": ("tracks", {"id": '"t2"', "energy": "1.01"}, [("range", "energy", E, "1.01")]),
    "key of 12": ("tracks", {"id": '"t2"', "key": "12"}, [("range", "key", E, "12")]),
    "explicit 2": ("tracks", {"id": '"t2"', "explicit": "2"}, [("range", "explicit", E, "2")]),
    "longer than a day": (
        "tracks",
        {"id": '"t2"', "duration_ms": "86400001"},
        [("range", "duration_ms", E, "86400001")],
    ),
    "2^62 ms": ("tracks", {"id": '"t2"', "duration_ms": str(2**62)}, [("range", "duration_ms", E, str(2**62))]),
    "longer than three hours": (
        "tracks",
        {"id": '"t2"', "duration_ms": "10800001"},
        [("unusual", "duration_ms", W, "10800001")],
    ),
    "no duration": ("tracks", {"id": '"t2"', "duration_ms": "0"}, [("range", "duration_ms", E, "0")]),
    "negative cost": (
        "track_storage",
        {"track_id": '"t2"', "daily_cost": "-0.5"},
        [("range", "daily_cost", E, "-0.5")],
    ),
    "unknown storage": (
        "track_storage",
        {"track_id": '"t2"', "storage_class": '"TAPE"'},
        [("range", "storage_class", E, "TAPE")],
    ),
    "unknown event": ("sessions", {"event_type": '"PAUSE"'}, [("event_type", "event_type", E, "PAUSE")]),
    "unreadable time": ("sessions", {"timestamp": '"yesterday"'}, [("time", "timestamp", E, "yesterday")]),
    "time with a slash": (
        "sessions",
        {"timestamp": '"2023-05-01/10:00:00"'},
        [("time", "timestamp", E, "2023-05-01/10:00:00")],
    ),
    "impossible date": (
        "sessions",
        {"timestamp": '"2023-02-30T10:00:00"'},
        [("time", "timestamp", E, "2023-02-30T10:00:00")],
    ),
    "negative milliseconds": ("sessions", {"timestamp": "-2"}, [("time", "timestamp", E, "-2")]),
    "year 0": (
        "sessions",
        {"timestamp": '"0000-01-01T00:00:00"'},
        [("time", "timestamp", E, "0000-01-01T00:00:00")],
    ),
    "a negative year": (
        "sessions",
        {"timestamp": '"-0001-01-01T00:00:00"'},
        [("time", "timestamp", E, "-0001-01-01T00:00:00")],
    ),
    "year 10000": (
        "sessions",
        {"timestamp": '"+10000-01-01T00:00:00"'},
        [("time", "timestamp", E, "+10000-01-01T00:00:00")],
    ),
    "year 0 by its offset": (
        "sessions",
        {"timestamp": '"0001-01-01T00:00:00+02:00"'},
        [("time", "timestamp", E, "0001-01-01T00:00:00+02:00")],
    ),
    "a time past int64": ("sessions", {"timestamp": str(2**63)}, [("time", "timestamp", E, str(2**63))]),
    "a time of 400 digits": ("sessions", {"timestamp": "1" * 400}, [("time", "timestamp", E, "1" * 80)]),
    "a time of 5,000 digits as text": ("sessions", {"timestamp": f'"{LONG}"'}, [("time", "timestamp", E, "9" * 80)]),
    "before 2000": (
        "sessions",
        {"timestamp": '"1999-12-31T23:59:59"'},
        [("time", "timestamp", E, "1999-12-31 23:59:59.000000+00:00")],
    ),
    "in the future": (
        "sessions",
        {"timestamp": "1704067200001"},
        [("time", "timestamp", E, "2024-01-01 00:00:00.001000+00:00")],
    ),
    "month 13": ("tracks", {"id": '"t2"', "release_date": '"2001-13"'}, [("time", "release_date", E, "2001-13")]),
    "name null": ("artists", {"id": '"a2"', "name": "null"}, [("optional", "name", W, "null")]),
    "genres null": ("artists", {"id": '"a2"', "name": '"B"', "genres": "null"}, [("optional", "genres", W, "null")]),
    "unknown column": ("artists", {"id": '"a2"', "name": '"B"', "x": "[1]"}, [("extra", "x", W, "[1]")]),
    "unknown column, plain": ("artists", {"id": '"a2"', "name": '"B"', "x": '"ż"'}, [("extra", "x", W, '"\\u017c"')]),
}


# a good line that shares no key and no name with the bad ones
COMPANION = {
    "artists": {"id": '"a0"', "name": '"Zero"'},
    "tracks": {"id": '"t0"', "name": '"Zero"'},
    "sessions": {"session_id": "8"},
}


@pytest.mark.parametrize("place", ["last", "first", "alone"])
@pytest.mark.parametrize("case", CASES)
def test_a_bad_line_is_named(
    case: str,
    place: str,
    line: Callable[..., str],
    folder: Callable[..., Path],
    found: Callable[..., list[Any]],
) -> None:
    """One bad line is reported with its place and value, whether good lines stand before it, after it or nowhere."""
    table, bad, expected = CASES[case]
    written = bad if isinstance(bad, bytes) else line(table, **bad)
    good = line(table, **COMPANION.get(table, {}))
    lines = {"last": [good, written], "first": [written, good], "alone": [written]}[place]
    number = 2 if place == "last" else 1
    assert found(folder(**{table: lines}), table, alone=True) == [
        (table, rule, column, level, 1, [(f"{table}.jsonl:{number}", value)]) for rule, column, level, value in expected
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"\ud83d\ude00"', "\U0001f600"),
        (r'"\u0000"', "\0"),
        (r'"\"\\\/\b\f\n\r\t\u017c"', '"\\/\b\f\n\r\tż'),
        ('"\U0001f600 \u2028 \x85 \x7f"', "\U0001f600 \u2028 \x85 \x7f"),
        (r'"a\\ud800"', r"a\ud800"),
        ('"\ufffd"', "\ufffd"),
    ],
)
def test_text_is_read_exactly(text: str, value: str, line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """Surrogate pairs, NUL, escapes and rare line ends are good text, and stay what they were."""
    place = folder(artists=[line("artists", name=text)])
    reading = read(ARTISTS, (place / "artists.jsonl",))
    assert reading.frame.rows() == [("a1", value, ["rock", "jazz"], 0, 1)]
    assert reading.findings.is_empty()


def test_carriage_returns_are_accepted(line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """CRLF line ends, also mixed with LF ones, are no fault."""
    one, two, three = (line("artists", id=f'"a{number}"') for number in (1, 2, 3))
    place = folder(artists=f"{one}\r\n{two}\n{three}\r\n".encode())
    reading = read(ARTISTS, (place / "artists.jsonl",))
    assert reading.frame.select("id", "line").rows() == [("a1", 1), ("a2", 2), ("a3", 3)]
    assert (reading.lines, reading.findings.rows()) == (3, [])


def test_the_last_line_needs_no_line_feed(line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """A file that does not end with a line feed loses nothing."""
    place = folder(artists=(line("artists") + "\n" + line("artists", id='"a2"')).encode())
    assert read(ARTISTS, (place / "artists.jsonl",)).frame["id"].to_list() == ["a1", "a2"]


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n\r\n", "\n \t\n\n", "\n  "])
def test_blank_lines_at_the_end_are_no_lines(end: str, line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """However many line feeds and blanks end a file, its last line is the one with content."""
    place = folder(artists=(line("artists") + end).encode())
    reading = read(ARTISTS, (place / "artists.jsonl",))
    assert (reading.lines, len(reading.frame), reading.findings.rows()) == (1, 1, [])


@pytest.mark.parametrize("before", [[], ["{}"], ["{}", ""]])
@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (b"", "blank line: "),
        (b" \t ", "blank line:  \t "),
        (b'\xef\xbb\xbf{"id": "a2"}', 'byte order mark at the start of the line: \ufeff{"id": "a2"}'),
    ],
)
def test_a_blank_line_or_a_byte_order_mark_inside_a_file_is_an_error(
    bad: bytes, problem: str, before: list[str], line: Callable[..., str], folder: Callable[..., Path]
) -> None:
    """They are forgiven only at the ends of a file, where nothing is in doubt."""
    lines = [line("artists"), *before, bad, line("artists", id='"a3"')]
    place = folder(artists=lines)
    reading = read(ARTISTS, (place / "artists.jsonl",))
    number = len(before) + 2
    assert reading.findings.filter(line=number).rows() == [(0, number, "json", None, problem)]
    assert reading.lines == len(lines)


def test_an_empty_file_is_an_error(folder: Callable[..., Path], found: Callable[..., list[Any]]) -> None:
    """An empty file is not a missing one: references to its rows are checked, and violations."""
    assert found(folder(users=b"")) == [
        ("users", "table", None, "error", 1, [("users.jsonl:None", "empty")]),
        ("sessions", "reference", "user_id", "warning", 1, [("sessions.jsonl:1", "1")]),
    ]


@pytest.mark.parametrize("table", TABLES)
def test_every_table_may_be_empty(table: str, folder: Callable[..., Path]) -> None:
    """An empty file gives the table's columns with their types."""
    place = folder(**{table: b""})
    reading = read(TABLES[table], (place / f"{table}.jsonl",))
    words = {column.name: pl.Enum(column.words) for column in TABLES[table].columns if column.words}
    assert reading.frame.schema == {**TABLES[table].schema, **words, "file": pl.UInt32, "line": pl.UInt32}
    assert reading.lines == 0


def test_unknown_columns_on_all_lines(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """A column that is on every line is counted on every line and its first values are shown."""
    place = folder(artists=[line("artists", id=f'"a{i}"', name=f'"{i}"', x=f"{i}", y="null") for i in range(1, 6)])
    assert found(place, "artists") == [
        ("artists", "extra", column, "warning", 5, [(f"artists.jsonl:{i}", value or str(i)) for i in (1, 2, 3)])
        for column, value in (("x", ""), ("y", "null"))
    ]


def test_unknown_columns_on_some_lines(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """A column that only some lines have is counted there only."""
    lines = [line("artists", id=f'"a{i}"', name=f'"{i}"', **({"x": '"v"'} if i % 2 else {})) for i in range(1, 6)]
    assert found(folder(artists=lines), "artists") == [
        ("artists", "extra", "x", "warning", 3, [(f"artists.jsonl:{i}", '"v"') for i in (1, 3, 5)])
    ]


def test_a_thousand_unknown_columns(line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """More columns than a regular expression can hold are read all the same."""
    extras = {f"x{number}": "1" for number in range(1000)}
    place = folder(artists=[line("artists", id=f'"a{i}"', **extras) for i in (1, 2)])
    reading = read(ARTISTS, (place / "artists.jsonl",))
    assert reading.frame["id"].to_list() == ["a1", "a2"]
    assert set(reading.findings["rule"]) == {"extra"}
    assert reading.unknown == dict.fromkeys(extras, 2)


def test_columns_may_come_in_any_order(line: Callable[..., str], folder: Callable[..., Path]) -> None:
    """Lines with other orders of keys, other spacing or fewer keys are read alike."""
    lines = [
        line("artists", id='"a1"'),
        '{"genres":["rock","jazz"],"name":"Ada","id":"a2"}',
        ' { "name" : "Ada" , "id" : "a3" , "genres" : [ "rock" , "jazz" ] } ',
    ]
    reading = read(ARTISTS, (folder(artists=lines) / "artists.jsonl",))
    assert reading.frame.drop("file").rows() == [(f"a{i}", "Ada", ["rock", "jazz"], i) for i in (1, 2, 3)]


def test_many_faults_of_one_line_are_all_found(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """A line is not left at its first fault."""
    bad = line("tracks", id='"t2"', name="1", popularity="101", duration_ms="0", key='"C"', tempo="-1", x="1")
    assert found(folder(tracks=[line("tracks"), bad]), "tracks") == [
        ("tracks", "type", "key", "error", 1, [("tracks.jsonl:2", '"C"')]),
        ("tracks", "type", "name", "error", 1, [("tracks.jsonl:2", "1")]),
        ("tracks", "range", "duration_ms", "error", 1, [("tracks.jsonl:2", "0")]),
        ("tracks", "range", "popularity", "error", 1, [("tracks.jsonl:2", "101")]),
        ("tracks", "range", "tempo", "error", 1, [("tracks.jsonl:2", "-1.0")]),
        ("tracks", "storage", "id", "warning", 1, [("tracks.jsonl:2", "t2")]),
        ("tracks", "extra", "x", "warning", 1, [("tracks.jsonl:2", "1")]),
    ]


def test_decoding_gives_each_column_its_type(line: Callable[..., str]) -> None:
    """The exact decoder's values: integers stay integers, and a number column's integers become floats."""
    values, findings = decode(TRACKS, line("tracks").encode())
    assert findings == []
    assert values == json.loads(line("tracks"))
    assert isinstance(values["valence"], float)
    assert isinstance(values["popularity"], int)
