"""Find the files of each table in a data folder, and open files that may be compressed."""

import bz2
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

import zstandard

from pozytywka_cli.dataset.tables import Table
from pozytywka_cli.errors import RefusedError

PACKED = ("", ".gz", ".zst", ".bz2")
SUFFIXES = (".parquet", *(f"{kind}{packed}" for kind in (".jsonl", ".ndjson") for packed in PACKED))
NOT_DATA = ("_", "readme")  # markers such as _SUCCESS, and notes

Source = Path | bytes  # a file, or plain content
GZIP, ZSTANDARD = b"\x1f\x8b", b"(\xb5/\xfd"
BZIP2 = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")
ERRORS = (OSError, EOFError, zlib.error, zstandard.ZstdError)  # that reading a damaged file raises


def locate(folder: Path, table: Table) -> tuple[Path, ...]:
    """Return the files of a table, in the order in which people number them.

    They are `sessions.jsonl`, `sessions-*.jsonl`, `sessions_*.jsonl`, `sessions.*.jsonl` and all files in the folder
    `sessions/`, nested ones too; `.ndjson` is the same as `.jsonl`. Both may be packed (`.gz`, `.zst`, `.bz2`), or all
    may be `.parquet`.

    Raises:
        RefusedError: a file stands there in two formats; reading both would count every line twice.
    """
    if not folder.is_dir():
        return ()
    named = [path for path in folder.iterdir() if re.match(rf"{table.name}[-_.]", path.name)]
    inside = _walk(folder / table.name) if (folder / table.name).is_dir() else ()
    paths = [path for path in (*named, *inside) if path.name.endswith(SUFFIXES) and path.is_file()]
    stems = Counter(map(_stem, paths))
    for path in sorted(paths, key=_natural):
        if stems[_stem(path)] > 1:
            raise RefusedError(f"{path} stands beside the same file in another format", "Keep one of the two.")
    return tuple(sorted(paths, key=_natural))


def unread(folder: Path, tables: Collection[Table]) -> dict[str, list[Path]]:
    """Return, by table, the files that are named like it, or lie in a folder that is, but are none of its files.

    Hidden files, notes and the folder `truth` of a sample are left out.
    """
    read = {path for table in tables for path in locate(folder, table)}
    by_table: dict[str, list[Path]] = {table.name: [] for table in tables}
    for path in sorted(set(_walk(folder)) - read, key=_natural):
        parts = path.relative_to(folder).parts
        if path.name.lower().startswith(NOT_DATA) or (parts[0] == "truth" and (folder / "truth/sample.json").exists()):
            continue
        owners = [name for part in parts for name in by_table if part.lower().startswith(name)]
        for name in owners[:1]:
            by_table[name].append(path)
    return {name: paths for name, paths in by_table.items() if paths}


def unread_messages(folder: Path, tables: Collection[Table]) -> list[str]:
    """Return a sentence for each table that has files which look like its data and are not read."""
    return [
        f"{len(paths):,} {'file looks' if len(paths) == 1 else 'files look'} like {name} and "
        f"{'is' if len(paths) == 1 else 'are'} not read: {', '.join(map(str, paths[:3]))}{', …' * (len(paths) > 3)}."
        for name, paths in unread(folder, tables).items()
    ]


def _walk(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield everything in a folder that is no folder, hidden entries left out; a link to a folder above ends there."""
    here = folder.resolve()
    if here in above:
        return
    for path in folder.iterdir():
        if path.is_dir() and not path.name.startswith("."):
            yield from _walk(path, above | {here})
        elif not path.name.startswith("."):
            yield path


def _stem(path: Path) -> Path:
    """Return the path without the suffix that names its format; dots before it belong to the name."""
    return path.with_name(path.name.removesuffix(max((s for s in SUFFIXES if path.name.endswith(s)), key=len)))


def _natural(path: Path) -> list[list[tuple[int, str]]]:
    """Sort numbers in names by value: 2.jsonl before 10.jsonl."""
    pieces = [re.split(r"([0-9]+)", part) for part in path.parts]  # text and numbers in turn
    return [[(int(piece) if at % 2 else 0, piece) for at, piece in enumerate(part)] for part in pieces]


def open_source(source: Source) -> IO[bytes]:
    """Open a file or content for reading, decompressed where its first bytes (not its name) say that it is compressed.

    Lines of a Zstandard file that is cut short just end; `read_source` reports it.
    """
    if isinstance(source, bytes):
        return io.BytesIO(source)
    first = magic(source)
    if first.startswith(ZSTANDARD):
        frames = zstandard.ZstdDecompressor().stream_reader(source.open("rb"), read_across_frames=True)
        return io.BufferedReader(frames)
    if first.startswith(GZIP):
        return gzip.open(source)  # type: ignore[return-value]
    return bz2.open(source) if BZIP2.match(first) else source.open("rb")


def read_source(source: Source) -> bytes:
    """Return the whole content, decompressed.

    Raises:
        OSError, EOFError, zlib.error, ZstdError: it is damaged or cut short.
    """
    if isinstance(source, bytes) or not magic(source).startswith(ZSTANDARD):
        with open_source(source) as stream:
            return stream.read()
    frames, packed = [], source.read_bytes()
    while packed:
        frame = zstandard.ZstdDecompressor().decompressobj()
        frames.append(frame.decompress(packed))
        packed = frame.unused_data
        if not frame.eof:
            raise EOFError("incomplete frame")
    return b"".join(frames)


def magic(path: Path) -> bytes:
    """Return the first ten bytes of a file, which name its compression."""
    with path.open("rb") as stream:
        return stream.read(10)
