"""Requests for predictions: any struct, from JSONL, CSV or Parquet, strict and with the place of what is wrong."""

import bz2
import gzip
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import polars as pl
import pytest
import zstandard

from pozytywka_cli.dataset.requests import read_request_lines, read_requests, table_of
from pozytywka_cli.dataset.values import key
from pozytywka_cli.errors import RefusedError, StorageError

TEN = datetime(2026, 1, 5, 10, tzinfo=UTC)
BOM = b"\xef\xbb\xbf"


class Pair(msgspec.Struct):
    user_id: int
    track_id: str
    at: datetime | None = None
    session_id: int | None = None


class Everything(msgspec.Struct):
    name: str
    horizon: Annotated[int, msgspec.Meta(ge=1, le=13, description="weeks")] = 4
    share: float | None = None
    explain: bool = False
    genres: list[str] | None = None


ROWS = [(1, "a", TEN, None), (2, "b", None, 7)]
JSONL = (
    b'{"user_id": 1, "track_id": "a", "at": "2026-01-05T10:00:00"}\n{"user_id": 2, "track_id": "b", "session_id": 7}\n'
)
CSV = b"user_id,track_id,at,session_id\n1,a,2026-01-05 10:00:00,\n2,b,,7\n"


def parquet() -> bytes:
    stream = io.BytesIO()
    pl.DataFrame(ROWS, schema=["user_id", "track_id", "at", "session_id"], orient="row").write_parquet(stream)
    return stream.getvalue()


FORMS = {"pairs.jsonl": JSONL, "pairs.csv": CSV, "pairs.parquet": parquet(), "pairs.ndjson": JSONL}


@pytest.mark.parametrize("name", FORMS)
def test_each_format_gives_the_same_rows(name: str, tmp_path: Path) -> None:
    """A file by its suffix, a stream by its content."""
    (tmp_path / name).write_bytes(FORMS[name])
    for source in (tmp_path / name, io.BytesIO(FORMS[name])):
        frame = read_requests(source, name, Pair)
        assert frame.rows() == ROWS
        assert frame.schema == {
            "user_id": pl.Int64,
            "track_id": pl.String,
            "at": pl.Datetime("us", "UTC"),
            "session_id": pl.Int64,
        }


@pytest.mark.parametrize("content", [JSONL, CSV])
def test_a_byte_order_mark_is_accepted(content: bytes, tmp_path: Path) -> None:
    """Windows programs write one at the start of a file."""
    assert read_requests(io.BytesIO(BOM + content), "-", Pair).rows() == ROWS
    (tmp_path / "pairs").write_bytes(BOM + content)
    assert read_requests(tmp_path / "pairs", "pairs", Pair).rows() == ROWS


@pytest.mark.parametrize(
    ("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".zst", zstandard.compress)]
)
def test_a_file_may_be_compressed(suffix: str, pack: Any, tmp_path: Path) -> None:
    """The suffix before that of the compression names the format."""
    for name, content in (("pairs.jsonl", JSONL), ("pairs.csv", CSV)):
        (tmp_path / f"{name}{suffix}").write_bytes(pack(content))
        assert read_requests(tmp_path / f"{name}{suffix}", name, Pair).rows() == ROWS


@pytest.mark.parametrize(
    ("content", "place", "column", "value"),
    [
        (b'{"user_id": 1, "track_id": "a"}\n{"user_id": "x", "track_id": "a"}', ":2:", "user_id", '"x"'),
        (b'{"user_id": 1, "track_id": "a"}\n{"user_id": 1}', ":2:", "track_id", "null"),
        (b'{"user_id": 1, "track_id": ""}', ":1:", "track_id", ""),
        (b'{"user_id": 1, "track_id": "a", "at": "soon"}', ":1:", "at", "soon"),
        (b'{"user_id": 1, "track_id": "a", "at": "1999-01-01T00:00:00"}', ":1:", "at", "1999"),
        (b'{"user_id": 1, "user_id": 2, "track_id": "a"}', ":1:", "user_id", "twice"),
        (b"{", ":1:", "line", "{"),
        (b"[1]", ":1:", "line", "array"),
        (b"user_id,track_id\n1,a\nx,b\n", ":3:", "user_id", "x"),
        (b'user_id,track_id\n1,"a\nb"\n,c\n', ":4:", "user_id", "null"),
        (b"user_id,track_id,at\n1,a,\n1,a,later\n", ":3:", "at", "later"),
        (b"user_id\n1\n", ":1:", "track_id", ""),
        (b"user_id,track_id,user_id\n1,a,2\n", ":1:", "user_id", "twice"),
        (b"user_id,track_id\n1,a,9\n", ":2:", "3", "2"),
        (b"user_id,track_id\n1,\xff\n", ":2:", "UTF-8", ""),
    ],
)
def test_what_is_wrong_is_named(content: bytes, place: str, column: str, value: str) -> None:
    """File, line, column and value; the exit code is 3, and the hint tells what a request has."""
    with pytest.raises(RefusedError) as raised:
        read_requests(io.BytesIO(content), "pairs", Pair)
    assert raised.value.exit_code == 3
    assert raised.value.hint
    for part in (f"pairs{place}", column, value):
        assert part in raised.value.message


def test_a_hint_names_the_fields() -> None:
    """Required and optional ones, with their kinds."""
    with pytest.raises(RefusedError) as raised:
        read_requests(io.BytesIO(b"{}"), "-", Pair)
    for part in ("user_id", "track_id", "optional", "at (time)", "session_id (integer or text)"):
        assert part in raised.value.hint


def test_all_kinds_of_fields_and_their_defaults(tmp_path: Path) -> None:
    """Text, integers, numbers, flags and lists; a field that is missing has its default."""
    lines = b'{"name": "x", "share": 0.5, "explain": true, "genres": ["a"]}\n{"name": "y", "horizon": 2}\n'
    frame = read_requests(io.BytesIO(lines), "-", Everything)
    assert frame.rows() == [("x", 4, 0.5, True, ["a"]), ("y", 2, None, False, None)]
    csv = b"name,share,explain\nx,0.5,TRUE\ny,,\n"
    assert read_requests(io.BytesIO(csv), "-", Everything).drop("genres").rows() == [
        ("x", 4, 0.5, True),
        ("y", 4, None, False),
    ]
    with pytest.raises(RefusedError, match="horizon"):
        read_requests(io.BytesIO(b'{"name": "x", "horizon": 14}'), "-", Everything)


def test_a_field_that_no_column_can_have_is_an_error_of_the_program() -> None:
    """A request of nested objects has no table."""

    class Nested(msgspec.Struct):
        inner: Pair

    with pytest.raises(TypeError, match="inner"):
        table_of(Nested)


def test_epoch_milliseconds_and_other_columns_are_accepted() -> None:
    """As in the logs; what is not a field of the request is left out."""
    moment = int(TEN.timestamp() * 1000)
    jsonl = f'{{"user_id": 1, "track_id": "a", "at": {moment}, "x": 1}}'.encode()
    csv = f"x,track_id,user_id,at\n,a,1,{moment}\n".encode()
    for content in (jsonl, csv):
        assert read_requests(io.BytesIO(content), "-", Pair).rows() == [(1, "a", TEN, None)]


@pytest.mark.parametrize("content", [b"", BOM, b"user_id,track_id\n"])
def test_no_requests(content: bytes) -> None:
    """Nothing gives an empty frame of the right types."""
    frame = read_requests(io.BytesIO(content), "-", Pair)
    assert frame.is_empty()
    assert frame.columns == ["user_id", "track_id", "at", "session_id"]


@pytest.mark.parametrize("name", ["missing.jsonl", "damaged.parquet", "damaged.jsonl.gz", "damaged.csv.zst"])
def test_a_file_that_cannot_be_read_is_an_error_of_storage(name: str, tmp_path: Path) -> None:
    """Missing, or damaged: the file is named."""
    if name.startswith("damaged"):
        packed = {"gz": gzip.compress(JSONL)[:-9], "st": zstandard.compress(JSONL)[:-9]}
        (tmp_path / name).write_bytes(packed.get(name[-2:], b"PAR1 but no more"))
    with pytest.raises(StorageError, match=name):
        read_requests(tmp_path / name, name, Pair)


def test_lines_as_they_come() -> None:
    """Good lines become requests, and each problem has the number of its line in the whole stream."""
    lines = [JSONL.splitlines()[0], b"{", b'{"user_id": "x"}', b"", JSONL.splitlines()[1]]
    requests, problems = read_request_lines(lines, Pair, first_line=11)
    assert requests.rows() == ROWS
    assert [(problem.line, problem.column) for problem in problems] == [
        (12, None),
        (13, "user_id"),
        (13, "track_id"),
        (14, None),
    ]


def test_only_the_first_line_of_a_stream_may_have_a_byte_order_mark() -> None:
    """Further in it is a fault like in any file."""
    lines = [BOM + JSONL.splitlines()[0]]
    assert read_request_lines(lines, Pair)[0].rows() == ROWS[:1]
    requests, problems = read_request_lines(lines, Pair, first_line=2)
    assert requests.is_empty()
    assert [problem.line for problem in problems] == [2]


@pytest.mark.parametrize("line", [b"\x1f\x8b{", b"(\xb5/\xfd{", b"BZh91AY&SY", b"x\x9c", b"\xff\x01"])
def test_a_line_that_looks_compressed_is_a_bad_line(line: bytes) -> None:
    """Lines of a stream are never unpacked."""
    requests, problems = read_request_lines([line, JSONL.splitlines()[0]], Pair)
    assert requests.rows() == ROWS[:1]
    assert [problem.line for problem in problems] == [1]


@pytest.mark.parametrize("name", ["a1b2", "6f9619ff-8b86-d011-b42d-00cf4fc964ff", "7"])
def test_a_session_named_by_text_is_that_of_the_log(name: str) -> None:
    """The same text means the same session in JSONL, CSV, Parquet and the log."""
    jsonl = f'{{"user_id": "1", "track_id": "a", "session_id": "{name}"}}'.encode()
    csv = f"user_id,track_id,session_id\n1,a,{name}\n".encode()
    stream = io.BytesIO()
    pl.DataFrame({"user_id": [1.0], "track_id": ["a"], "session_id": [name]}).write_parquet(stream)
    for content in (jsonl, csv, stream.getvalue()):
        assert read_requests(io.BytesIO(content), "-", Pair).rows() == [(1, "a", None, key(name))]


@pytest.mark.parametrize("moment", ["9" * 5000, "0000-01-01T00:00:00", "99999-01-01T00:00:00", str(2**64)])
def test_a_moment_beyond_the_calendar_is_refused(moment: str) -> None:
    """In JSONL, as text or number, and in CSV: the line, the column and the beginning of the value are named."""
    contents = [f'{{"user_id": 1, "track_id": "a", "at": "{moment}"}}', f"user_id,track_id,at\n1,a,{moment}\n"]
    contents += [f'{{"user_id": 1, "track_id": "a", "at": {moment}}}'] if moment.isdecimal() else []
    for content in contents:
        with pytest.raises(RefusedError) as raised:
            read_requests(io.BytesIO(content.encode()), "pairs", Pair)
        assert "pairs:" in raised.value.message
        assert moment[:20] in raised.value.message
        assert len(raised.value.message) < 200


def test_numbers_since_1970_of_any_unit() -> None:
    """As in the logs, in JSONL and CSV."""
    for text in ("1767607200", "1767607200.0", "1767607200000", "1767607200000000"):
        jsonl = f'{{"user_id": 1, "track_id": "a", "at": {text}}}'.encode()
        csv = f"user_id,track_id,at\n1,a,{text}\n".encode()
        assert [read_requests(io.BytesIO(content), "-", Pair)["at"].item() for content in (jsonl, csv)] == [TEN, TEN]
