"""Compressed files, whole and damaged."""

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from pozytywka_cli.dataset.data_files import locate
from pozytywka_cli.dataset.read import Reading, read
from pozytywka_cli.dataset.tables import SESSIONS, Table
from pozytywka_cli.errors import StorageError


def whole(table: Table, place: Path) -> Reading:
    return read(table, locate(place, table), counts=True)


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
