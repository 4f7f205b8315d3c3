"""What a file may be wrapped in, and what is no text at all."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from codecs import BOM_UTF8
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_cli.dataset.checking import quarantine
from pozytywka_cli.dataset.reading import line_blocks
from pozytywka_cli.dataset.reading.containers import is_ordinary, open_source, read_source
from pozytywka_cli.dataset.reading.json_array import elements, is_array
from pozytywka_cli.dataset.reading.line_blocks import numbered_lines, read_blocks
from pozytywka_cli.dataset.reading.line_reader import read_lines
from pozytywka_cli.dataset.reading.read import Reading, read
from pozytywka_cli.dataset.tables import ARTISTS
from pozytywka_cli.errors import StorageError

MIB = 1 << 20


def artists(place: Path, content: bytes) -> Reading:
    path = place / "artists.jsonl"
    path.write_bytes(content)
    return read(ARTISTS, (path,))


def archive(names: list[str], content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files:
        for name in names:
            files.writestr(name, content)
    return packed.getvalue()


def tar(content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as files:
        member = tarfile.TarInfo("artists.jsonl")
        member.size = len(content)
        files.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def parquet() -> bytes:
    packed = io.BytesIO()
    pl.DataFrame({"id": ["a1"]}).write_parquet(packed)
    return packed.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, zstandard.compress])
def test_a_byte_order_mark_at_the_start(pack: Any, line: Callable[..., str], tmp_path: Path) -> None:
    """A UTF-8 byte order mark before the first line is left out, in an archive too; line numbers stay."""
    text = BOM_UTF8 + f"{line('artists')}\r\n{{\n".encode()
    reading = artists(tmp_path, pack(text))
    assert reading.frame.select("id", "line").rows() == [("a1", 1)]
    assert reading.findings.select("line", "rule").rows() == [(2, "json")]


@pytest.mark.parametrize(
    "pack",
    [
        lambda text: gzip.compress(text) + bytes(700),
        lambda text: gzip.compress(text[:30]) + gzip.compress(text[30:]) + bytes(1),
        lambda text: bz2.compress(text[:30]) + bz2.compress(text[30:]),
        lambda text: zstandard.compress(text[:30]) + zstandard.compress(b"") + zstandard.compress(text[30:]),
        lambda text: zstandard.compress(text) + b"\x50\x2a\x4d\x18\x02\0\0\0xx",
        lambda text: archive(["artists.jsonl"], text),
        lambda text: archive(["folder/", "folder/artists.jsonl"], text),
    ],
    ids=["padded gzip", "gzip", "bzip2", "Zstandard", "Zstandard with a skippable frame", "zip", "zip with a folder"],
)
def test_archives(pack: Any, line: Callable[..., str], tmp_path: Path) -> None:
    """Members and frames of an archive are joined, also within a line; zeros behind a gzip archive are no lines."""
    text = f"{line('artists')}\n{line('artists', id=chr(34) + 'a2' + chr(34))}\n".encode()
    reading = artists(tmp_path, pack(text))
    assert (reading.frame["id"].to_list(), reading.lines) == (["a1", "a2"], 2)
    assert read_source(tmp_path / "artists.jsonl") == text


@pytest.mark.parametrize(
    ("pack", "problem"),
    [
        (lambda text: text.decode().encode("utf-16"), "UTF-16"),
        (lambda text: text.decode().encode("utf-16-le"), "UTF-16"),
        (lambda text: text.decode().encode("utf-16-be"), "UTF-16"),
        (lambda text: gzip.compress(text.decode().encode("utf-16-be")), "UTF-16"),
        (lambda text: text.decode().encode("utf-32"), "UTF-32"),
        (lambda text: text.decode().encode("utf-32-be"), "UTF-32"),
        (lzma.compress, "xz"),
        (tar, "tar"),
        (lambda text: gzip.compress(tar(text)), "tar"),
        (lambda text: gzip.compress(gzip.compress(text)), "gzip"),
        (lambda text: bz2.compress(zstandard.compress(text)), "Zstandard"),
        (lambda _: parquet(), "Parquet"),
        (lambda text: archive(["a.jsonl", "b.jsonl"], text), "2 files"),
        (lambda text: archive([], text), "0 files"),
        (lambda text: archive(["a.jsonl"], text)[:-30], "zip"),
        (lambda text: archive(["a.jsonl"], text).replace(b"\0\0\x08\0", b"\1\0\x08\0"), "encrypted"),
    ],
)
def test_what_is_no_text_is_named(pack: Any, problem: str, line: Callable[..., str], tmp_path: Path) -> None:
    """A file that cannot be read at all is one error, with what it is and what to do."""
    with pytest.raises(StorageError, match=problem) as raised:
        artists(tmp_path, pack(line("artists").encode() + b"\n"))
    assert str(tmp_path / "artists.jsonl") in raised.value.message
    assert (raised.value.exit_code, bool(raised.value.hint)) == (74, True)


OBJECTS = [{"id": "a1", "name": 'a "]},\\', "genres": ["x", "y"]}, {"id": "a2", "name": "ł", "genres": []}]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (json.dumps(OBJECTS), [1, 2]),
        (json.dumps(OBJECTS, indent=2), [2, 10]),
        (json.dumps(OBJECTS, indent=2).replace("\n", "\r\n"), [2, 10]),
        ("\n[\n" + ",\n".join(map(json.dumps, OBJECTS)) + "\n]\n\n", [3, 4]),
        ("\ufeff[" + "\n,".join(map(json.dumps, OBJECTS)) + "]", [1, 2]),
    ],
)
def test_one_array_is_read(text: str, lines: list[int], tmp_path: Path) -> None:
    """Its objects are rows, with the line on which each begins, or their position where they share a line."""
    reading = artists(tmp_path, text.encode())
    assert reading.frame.select("id", "name", "genres", "line").rows() == [
        (one["id"], one["name"], one["genres"], line) for one, line in zip(OBJECTS, lines, strict=True)
    ]
    assert (reading.lines, reading.findings.rows()) == (2, [])


def test_elements_of_an_array_are_checked_like_lines(tmp_path: Path) -> None:
    """Each element is good or bad by itself, and a bad one can be found again, on one line."""
    text = b'[\n{"id": "a1", "id": "a2"},\n 5,\n {\n"id": "a\xff"},\n{"id": "a3", "name": "A", "genres": []}]'
    reading = artists(tmp_path, text)
    assert reading.findings.select("line", "rule").rows() == [(2, "json"), (3, "json"), (4, "json")]
    assert (reading.frame["id"].to_list(), reading.lines) == (["a3"], 4)
    assert list(numbered_lines(tmp_path / "artists.jsonl", {3, 4})) == [(3, b"5"), (4, b'{ "id": "a\xff"}')]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[\n{"id": "a1"},\n{"id": \n', 3),
        ('[\n{"id": "a1"},\n{"id": }]', 3),
        ('[\n{"id": "a1"},\n]', 3),
        ('[\n{"id": "a1"}\n{"id": "a2"}]', 2),
        ('[\n{"id": "a1"}\n] and more', 2),
        ("[\n" + "{" * 5000, 2),
        ('[\n{"id": "a1"', 2),
    ],
)
def test_a_damaged_array_is_refused(text: str, line: int, tmp_path: Path) -> None:
    """Nothing behind the fault can be told apart, so nothing is read; the line is named."""
    with pytest.raises(StorageError, match=f"line {line}:") as raised:
        artists(tmp_path, text.encode())
    assert raised.value.exit_code == 74


def test_an_empty_array_has_no_lines(tmp_path: Path) -> None:
    """It is an empty table, like an empty file."""
    assert artists(tmp_path, b"[\n]\n").lines == 0


def test_lines_that_are_arrays_make_no_array(line: Callable[..., str], tmp_path: Path) -> None:
    """A first line that is an array does not take the lines behind it with it."""
    reading = artists(tmp_path, f'[{{"id": "a0"}}]\n{line("artists")}\n'.encode())
    assert (reading.lines, reading.frame["line"].to_list()) == (2, [2])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.dictionaries(st.text(max_size=3), st.recursive(st.integers() | st.text(max_size=4), st.lists))),
    st.sampled_from([None, 0, 3]),
)
def test_elements_come_back(objects: list[dict[str, Any]], indent: int | None) -> None:
    """However an array is laid out, its elements are those that Python's own parser finds, in their order."""
    text = json.dumps(objects, indent=indent, ensure_ascii=False).encode(errors="replace")
    assert is_array(text)
    found = list(elements(io.BytesIO(text)))
    assert [json.loads(element) for _, element in found] == json.loads(text)
    starts = [number for number, _ in found]
    assert starts == sorted(starts)


def test_a_line_that_is_too_long_is_one_bad_line(line: Callable[..., str], tmp_path: Path) -> None:
    """A small archive that unpacks to one huge line is read in bounded memory, and the lines around it are good."""
    content = b"".join(
        [
            gzip.compress(line("artists").encode() + b"\n"),
            *[gzip.compress(bytes(MIB))] * 40,
            gzip.compress(f"\n{line('artists', id=chr(34) + 'a3' + chr(34))}\n".encode()),
        ]
    )
    reading = artists(tmp_path, content)
    assert reading.frame.select("id", "line").rows() == [("a1", 1), ("a3", 3)]
    [(number, rule, value)] = reading.findings.select("line", "rule", "value").rows()
    assert (number, rule) == (2, "json")
    assert "16 MiB" in value
    [(_, kept)] = numbered_lines(tmp_path / "artists.jsonl", {2})
    assert 16 * MIB < len(kept) < 17 * MIB


@pytest.mark.parametrize(
    ("content", "ordinary"),
    [
        (b"", False),
        (b"{", True),
        (BOM_UTF8 + b"{}", False),
        (b"[{}]", False),
        (b"x\x01", False),
        (b"\x1f\x8b", False),
        (gzip.compress(json.dumps(list(range(1000))).encode()), True),
        (gzip.compress(json.dumps(list(range(1000))).encode()) + bytes(8), False),
        (gzip.compress(bytes(MIB)), False),
    ],
)
def test_what_polars_may_read_by_itself(content: bytes, ordinary: bool, tmp_path: Path) -> None:
    """Text that starts like an object, and gzip whose size at the end fits; no bomb, no padding, nothing else."""
    path = tmp_path / "artists.jsonl"
    path.write_bytes(content)
    assert is_ordinary(path) is ordinary


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("odd", ["", "{", '{"id": "a1", "x": 1}', "\n", "\ufeff{}"])
def test_a_clean_file_is_read_like_any_other(pack: Any, odd: str, line: Callable[..., str], tmp_path: Path) -> None:
    """Read by polars at once or in blocks, a file gives the same rows, findings and counts."""
    lines = [line("artists", id=f'"{number * 7919}"') for number in range(300)]
    content = "\n".join([*lines, *([odd] if odd else []), line("artists")]).encode()
    path = tmp_path / "artists.jsonl"
    path.write_bytes(pack(content))
    assert is_ordinary(path)
    at_once, in_blocks = read_lines(ARTISTS, path), read_lines(ARTISTS, content)
    assert at_once.columns.equals(in_blocks.columns)
    assert at_once.findings.rows() == in_blocks.findings.rows()
    assert (at_once.unknown, at_once.lines) == (in_blocks.unknown, in_blocks.lines)


@pytest.mark.parametrize("size", [16 * MIB, 16 * MIB + 1, 20 * MIB])
def test_the_longest_line(size: int, line: Callable[..., str], tmp_path: Path) -> None:
    """The bound is exact, wherever the line stands: one byte more is too long, though it is good JSON."""
    filled = line("artists", name='"' + "x" * (size - len(line("artists", name='""'))) + '"')
    reading = artists(tmp_path, f"{line('artists')}\n{filled}\n{line('artists')}".encode())
    assert reading.frame["line"].to_list() == ([1, 2, 3] if size == 16 * MIB else [1, 3])
    assert reading.lines == 3


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60).map(lambda content: content.replace(b"\0", b"\n")), st.integers(1, 20))
def test_blocks_are_the_lines_of_a_file(content: bytes, size: int) -> None:
    """Wherever blocks end, their lines and numbers are those of the whole, without the blank lines at its end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_blocks, "BLOCK", size)
        found = [pair for block in read_blocks(content) for pair in line_blocks.lines_of(block, set(block.numbers))]
    lines = content.split(b"\n")
    while lines and not lines[-1].strip():
        lines.pop()
    assert found == list(enumerate(lines, start=1))


def test_one_bad_byte_costs_one_line(line: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a block is not UTF-8, its other lines are still read, and so are the other blocks."""
    monkeypatch.setattr(line_blocks, "BLOCK", 200)
    lines = [line("artists", id=f'"a{number}"').encode() for number in range(100)]
    lines[40] = b'{"id": "\xff"}'
    reading = artists(tmp_path, b"\n".join(lines))
    assert reading.frame["line"].to_list() == [number for number in range(1, 101) if number != 41]
    assert reading.findings.select("line", "rule").rows() == [(41, "json")]


def test_unknown_columns_are_counted_over_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first few lines show the values, all lines are counted, wherever blocks end."""
    monkeypatch.setattr(line_blocks, "BLOCK", 100)
    lines = [f'{{"id": "a{number}", "name": "A", "genres": [], "x": {number}}}' for number in range(50)]
    reading = artists(tmp_path, "\n".join(lines).encode())
    assert reading.unknown["x"] == 50
    assert reading.findings.select("line", "rule", "column", "value").rows() == [
        (number + 1, "extra", "x", str(number)) for number in range(3)
    ]


def test_a_file_is_closed(line: Callable[..., str], tmp_path: Path) -> None:
    """Also one that is refused, or of which only a few lines are wanted."""
    path = tmp_path / "artists.jsonl"
    path.write_bytes(zstandard.compress(line("artists").encode() * 2))
    stream = open_source(path)
    assert stream.read(1) == b"{"
    stream.close()
    assert stream.closed


def test_quarantine_of_parquet_with_bytes(folder: Callable[..., Path], checked: Callable[..., Any]) -> None:
    """Bytes in a bad row are written as Base64, and times that no calendar has do not matter."""
    place = folder(artists=None)
    columns = {
        "id": [None, "a1"],
        "name": ["A", "B"],
        "genres": [["x"], []],
        "cover": [b"\xff\x00", b""],
        "parts": [[b"\xff"], []],
        "since": pl.Series([10**18, 0]).cast(pl.Datetime("us")),
    }
    pl.DataFrame(columns).write_parquet(place / "artists.parquet")
    assert quarantine.write(checked(place), place / "out")["artists"] == 1
    [bad] = (place / "out" / "bad" / "artists.jsonl").read_text().splitlines()
    assert json.loads(bad)["cover"] == "/wA="
    assert json.loads(bad)["id"] is None
