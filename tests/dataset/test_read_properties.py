"""What holds of any bytes, and of any good lines: nothing is lost, and the two paths of reading agree."""

import json
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pozytywka_cli.dataset.json_array import is_array
from pozytywka_cli.dataset.line_decoder import decode
from pozytywka_cli.dataset.read import Reading, read
from pozytywka_cli.dataset.tables import ARTISTS, SESSIONS, TABLES, Kind, Table
from pozytywka_cli.dataset.validate import check
from pozytywka_cli.errors import StorageError

QUICK = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def reading_of(table: Table, content: bytes) -> Reading:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{table.name}.jsonl"
        path.write_bytes(content)
        return read(table, (path,), counts=True)


def pieces(content: bytes) -> list[bytes]:
    """The lines of a file: without a byte order mark before them, and blank ones behind them."""
    found = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    while found and not found[-1].strip():
        found.pop()
    return found


ARTIST = b'{"id": "a", "name": "A", "genres": []}'
ODD = [b"\n", b"\r\n", b"\r", b"{", b"}", b'"', b"\\", b"\xef\xbb\xbf", b"\xff", b"\x00", b"x\x01", b"(\xb5/\xfd"]
TEXTS = [ARTIST, ARTIST[:20], b'{"id": "a", "id": "b"}', b'"id": ', b"[1]", b"-1", b"NaN", b"\\ud800", b"\xe2\x80\xa8"]
SCRAPS = st.sampled_from([*ODD, *TEXTS])


@QUICK
@given(st.one_of(st.binary(max_size=60), st.lists(st.one_of(SCRAPS, st.binary(max_size=3)), max_size=12).map(b"".join)))
@example(b"")
@example(b"\n")
@example(b"x\x01\n" + ARTIST)
@example(b"x\x9c\n" + ARTIST)
@example(ARTIST + b'\n{"id": "a\\\xff", "name": "A", "genres": []}')
@example(b'{"id": "a", "\\ud800": 1}')
def test_any_bytes_are_read_and_no_line_is_lost(content: bytes) -> None:
    """Good lines + bad lines = all lines, where lines are what stands between line feeds, whatever the bytes."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "artists.jsonl").write_bytes(content)
        try:
            checked = check(Path(folder), ["artists"])
        except StorageError:  # a damaged archive or array, or UTF-16
            assert not content.startswith(ARTIST)
            return
    if is_array(content):
        return
    lines = pieces(content)
    good, bad = checked.good("artists"), checked.bad("artists")
    assert checked.readings["artists"].lines == len(lines)
    assert len(good) + len(bad) == len(lines)
    decoded = [decode(ARTISTS, line) for line in lines]
    assert len(checked.readings["artists"].frame) == sum(values is not None for values, _ in decoded)
    unreadable = {number for number, (values, _) in enumerate(decoded, start=1) if values is None}
    assert unreadable <= set(bad["line"].to_list())


# text as JSON, also with surrogates written as escapes
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBER = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.from_regex(r"\A-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?\Z"),
)


def json_text(kind: Kind) -> st.SearchStrategy[str]:
    """JSON of a column's kind, or of none."""
    escaped = st.tuples(TEXT, st.booleans()).map(lambda pair: json.dumps(pair[0], ensure_ascii=pair[1]))
    texts = st.one_of(escaped, st.sampled_from(['""', '"-1"', r'"\/"', r'"\ud83d\ude00"', '"\\ud800"', '"2023"']))
    time = st.one_of(
        st.integers(-2, 253_402_300_800_001).map(str),
        st.floats(0, 1e17).map(repr),
        st.integers(0, 10**20).map(lambda number: f'"{number}"'),
        st.datetimes().map(lambda moment: f'"{moment.isoformat()}"'),
        st.datetimes().map(lambda moment: f'"{moment.isoformat()}+02:00"'),
    )
    of_kind = {
        Kind.INTEGER: st.integers(-(2**63) - 1, 2**63).map(str),
        Kind.KEY: st.one_of(st.integers(-(2**63) - 1, 2**64).map(str), texts),
        Kind.NUMBER: NUMBER,
        Kind.TEXT: texts,
        Kind.DATE: texts,
        Kind.TEXTS: st.lists(texts, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        Kind.FLAG: st.sampled_from(["true", "false"]),
        Kind.TIME: time,
    }[kind]
    return st.one_of(
        of_kind, of_kind, of_kind, st.sampled_from(["null", "-1", "1.5", "7.0", "true", '"x"', '"7"', "NaN", "[]"])
    )


@st.composite
def some_lines(draw: st.DrawFn, table: Table) -> list[str]:
    """Lines of a table, mostly with its keys in order."""
    lines = []
    for _ in range(draw(st.integers(1, 6))):
        cells = [f'"{column.name}": {draw(json_text(column.kind))}' for column in table.columns]
        if draw(st.integers(0, 5)) == 0:
            cells.append(f'"extra": {draw(NUMBER)}')
        lines.append("{" + ", ".join(cells) + "}")
    return lines


def slowly(table: Table, lines: list[str]) -> Reading:
    """The reading with every line forced through the exact decoder: a space behind the brace is not canonical."""
    return reading_of(table, "".join(f"{line.replace('{', '{ ', 1)}\n" for line in lines).encode())


@pytest.mark.parametrize("name", TABLES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_fast_path_and_the_slow_path_agree(name: str, data: st.DataObject) -> None:
    """The same rows, findings, spellings and blanks, whether polars or the exact decoder read a line."""
    lines = data.draw(some_lines(TABLES[name]))
    fast, slow = reading_of(TABLES[name], "".join(f"{line}\n" for line in lines).encode()), slowly(TABLES[name], lines)
    assert fast.frame.equals(slow.frame)
    by = ["line", "rule", "column", "value"]
    plain = pl.when(pl.col("rule") != "json").then("value").alias("value")  # a bad line is shown with its space
    assert fast.findings.with_columns(plain).sort(by).rows() == slow.findings.with_columns(plain).sort(by).rows()
    assert fast.unknown == slow.unknown
    assert (fast.lines, fast.counts) == (slow.lines, slow.counts)


@settings(max_examples=150, deadline=None)
@given(st.lists(NUMBER, min_size=1, max_size=30))
def test_numbers_are_read_to_the_last_bit(numbers: list[str]) -> None:
    """Both paths give the float that Python's own parser gives."""
    lines = [f'{{"track_id": "t", "storage_class": "FAST", "daily_cost": {number}}}' for number in numbers]
    found = reading_of(TABLES["track_storage"], "\n".join(lines).encode()).frame["daily_cost"].to_list()
    assert found == [float(number) for number in numbers]


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=10), st.booleans())
def test_text_is_read_to_the_last_character(texts: list[str], escape: bool) -> None:
    """Any text comes back, written in ASCII with escapes or as it is."""
    lines = [json.dumps({"id": "a", "name": text, "genres": [text]}, ensure_ascii=escape) for text in texts]
    frame = reading_of(ARTISTS, "\n".join(lines).encode()).frame
    assert frame["name"].to_list() == texts
    assert frame["genres"].to_list() == [[text] for text in texts]


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_a_table_does_not_depend_on_how_its_lines_are_cut(data: st.DataObject) -> None:
    """Lines in one file or in many give the same rows and violations in the same order."""
    lines = data.draw(some_lines(SESSIONS))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(lines)), max_size=3)) | {0, len(lines)})
    one = reading_of(SESSIONS, "".join(f"{line}\n" for line in lines).encode())
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number in range(len(cuts) - 1):
            paths.append(Path(folder) / f"sessions-{number}.jsonl")
            paths[-1].write_text("".join(f"{line}\n" for line in lines[cuts[number] : cuts[number + 1]]))
        many = read(SESSIONS, tuple(paths), counts=True)
    assert many.frame.drop("file", "line").equals(one.frame.drop("file", "line"))
    found = [reading.findings.filter(pl.col("rule") != "extra").drop("file", "line").rows() for reading in (many, one)]
    assert sorted(found[0], key=str) == sorted(found[1], key=str)
    assert (many.lines, many.counts, many.unknown) == (one.lines, one.counts, one.unknown)


def test_slow_reading_is_slow(line: Any) -> None:
    """The comparison above compares two paths: with a space behind the brace no line is canonical."""
    from pozytywka_cli.dataset.line_decoder import canonical

    pattern = canonical(ARTISTS, line("artists"))
    assert pattern is not None
    texts = pl.Series([line("artists"), line("artists").replace("{", "{ ")])
    assert texts.str.contains(pattern.pattern).to_list() == [True, False]
