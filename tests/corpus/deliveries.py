"""Cases: how files are delivered - containers, encodings, names, copies."""

import bz2
import gzip
import io
import json
import zipfile
from collections.abc import Callable

import polars as pl
import zstandard

from .case import Case, Data

EVENTS, DAY = 3876, 136  # of the sample, and of 5 November 2025
BOM = b"\xef\xbb\xbf"


def moved(name: str) -> Callable[[Data], None]:
    return lambda data: data.path("sessions").rename(data.folder / name) and None


def packed(suffix: str, pack: Callable[[bytes], bytes]) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        path = data.path("sessions")
        (data.folder / f"sessions.jsonl{suffix}").write_bytes(pack(path.read_bytes()))
        if suffix:
            path.unlink()

    return change


def halves(first: str, second: str) -> Callable[[Data], None]:
    """Cut the log into two files."""

    def change(data: Data) -> None:
        lines = data.lines("sessions")
        data.path("sessions").unlink()
        for name, part in ((first, lines[:2000]), (second, lines[2000:])):
            (data.folder / name).parent.mkdir(parents=True, exist_ok=True)
            data.write("sessions", part, name)

    return change


def added(name: str, content: bytes) -> Callable[[Data], None]:
    return lambda data: (data.folder / name).write_bytes(content) and None


def members(content: bytes) -> bytes:
    middle = content.index(b"\n", len(content) // 2) + 1
    return gzip.compress(content[:middle]) + gzip.compress(content[middle:])


def frames(content: bytes) -> bytes:
    middle = content.index(b"\n", len(content) // 2) + 1
    return b"".join(zstandard.ZstdCompressor().compress(part) for part in (content[:middle], content[middle:]))


def zipped(*names: str) -> Callable[[bytes], bytes]:
    def pack(content: bytes) -> bytes:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            for name in names:
                archive.writestr(name, content)
        return target.getvalue()

    return pack


def parquet(data: Data) -> None:
    rows = pl.DataFrame(data.rows("sessions"), infer_schema_length=None)
    rows.write_parquet(data.folder / "sessions.parquet")
    data.path("sessions").unlink()


def array(indent: int | None) -> Callable[[Data], None]:
    return lambda data: data.path("sessions").write_text(json.dumps(data.rows("sessions"), indent=indent)) and None


def copied(data: Data) -> None:
    data.write("sessions", data.lines("sessions"), "sessions-2.jsonl")


def repeated(first: int, last: int) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        lines = data.lines("sessions")
        data.write("sessions", [*lines, *lines[first:last]])

    return change


def resent_day(data: Data) -> None:
    lines = data.lines("sessions")
    day = [line for line in lines if b'"2025-11-05T' in line]
    data.write("sessions", day, "sessions-2025.11.05.jsonl")


CASES = [
    Case("gzip", packed(".gz", gzip.compress)),
    Case("gzip of two members", packed(".gz", members)),
    Case("gzip padded with zeros", packed(".gz", lambda content: gzip.compress(content) + bytes(512))),
    Case("bzip2", packed(".bz2", bz2.compress)),
    Case("zstandard", packed(".zst", zstandard.ZstdCompressor().compress)),
    Case("zstandard of two frames", packed(".zst", frames)),
    Case("gzip in a file without its suffix", packed("", gzip.compress)),
    Case("gzip cut short", packed(".gz", lambda content: gzip.compress(content)[:-100]), code=74, transform_code=74),
    Case("zip of two files", packed("", zipped("a.jsonl", "b.jsonl")), code=74, transform_code=74, says=("zip",)),
    Case(
        "UTF-16",
        packed("", lambda content: content.decode().encode("utf-16")),
        code=74,
        transform_code=74,
        says=("UTF-16",),
    ),
    Case(
        "UTF-16 without a byte order mark",
        packed("", lambda content: content.decode().encode("utf-16-le")),
        code=74,
        transform_code=74,
        says=("UTF-16",),
    ),
    Case("Parquet", parquet),
    Case("lines in a file named .json", moved("sessions.json")),
    Case("one JSON array on one line", array(None)),
    Case("one JSON array over many lines", array(2)),
    Case("a byte order mark at the start", packed("", lambda content: BOM + content)),
    Case("a blank last line", packed("", lambda content: content + b"\n")),
    Case("several blank last lines", packed("", lambda content: content + b"\r\n  \n\n")),
    Case("no line feed at the end", packed("", lambda content: content.removesuffix(b"\n"))),
    Case("CRLF line ends", packed("", lambda content: content.replace(b"\n", b"\r\n"))),
    Case("blanks after every line", packed("", lambda content: content.replace(b"\n", b"  \n"))),
    Case("two files", halves("sessions-1.jsonl", "sessions-2.jsonl")),
    Case("files named by days", halves("sessions-2026.01.05.jsonl", "sessions-2026.01.06.jsonl")),
    Case("nested folders, .ndjson", halves("sessions/2025/a.ndjson", "sessions/2026/b.ndjson")),
    Case(
        "an old copy of users beside it",
        added("users.old.jsonl", b'{"user_id": 101}\n'),
        {"unread": 1},
        says=("users.old.jsonl",),
    ),
    Case("a text file beside the log", added("sessions-notes.txt", b"hello"), {"unread": 1}, says=("notes",)),
    Case("the log copied", copied, {"duplicate": EVENTS, "order": 260}, says=("sessions-2.jsonl", f"{EVENTS:,}")),
    Case("a day sent again", resent_day, {"duplicate": DAY, "order": 4}, says=("sessions-2025.11.05.jsonl", f"{DAY}")),
    Case("a doubled line", repeated(100, 101), {"duplicate": 1, "order": 1}, says=("1 ",)),
    Case("a thousand lines twice", repeated(0, 1000), {"duplicate": 1000, "order": 61}, says=("1,000",)),
    Case("an empty log", lambda data: data.write("sessions", []), {"table": 1}, code=3, transform_code=3),
    Case(
        "no tracks", lambda data: data.path("tracks").unlink(), {"table": 1}, code=3, transform_code=3, says=("tracks",)
    ),
]
