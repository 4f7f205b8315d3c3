"""Open files of text that may be compressed, and refuse those that hold something else, by what it is."""

import bz2
import gzip
import io
import re
import zipfile
from codecs import BOM_UTF8
from pathlib import Path
from typing import IO, Never, cast

import zstandard

from pozytywka_cli.dataset.reading.guard import shown
from pozytywka_cli.errors import StorageError

Source = Path | bytes  # a file, or plain content
GZIP, ZSTANDARD, ZIP = b"\x1f\x8b", b"(\xb5/\xfd", (b"PK\x03\x04", b"PK\x05\x06")
BZIP2 = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")
HEAD = 512  # bytes that tell what a file is
BUFFER = 1 << 16
HIGHEST_RATIO = 40  # of gzip on logs of events it is 6; on zeros 1000
WIDE = (  # encodings of two or four bytes a letter, with a byte order mark or without
    (re.compile(rb"\xff\xfe\0\0|\0\0\xfe\xff|([^\0]\0\0\0){2}|(\0\0\0[^\0]){2}"), "UTF-32"),
    (re.compile(rb"\xff\xfe|\xfe\xff|([^\0]\0){4}|(\0[^\0]){4}"), "UTF-16"),
)
# what a file may be in place of text: its first bytes, the name of its format
OTHERS = (
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x04\x22\x4d\x18", "an LZ4 archive"),
    (b"LZIP\x01", "an lzip archive"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
    (b"ARROW1", "an Arrow file"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (GZIP, "a gzip archive inside of another archive"),
    (ZSTANDARD, "a Zstandard archive inside of another archive"),
    (ZIP[0], "a zip archive inside of another archive"),
)
TAR = (257, b"ustar")  # where it stands, what it is
PACK = "Unpack it, or compress the text with gzip, zstd or bzip2."
STEP = 1024  # compressed bytes at a time: Zstandard turns them into 32 MiB at most


def open_source(source: Source) -> IO[bytes]:
    """Open a file or content for reading, decompressed where its first bytes (not its name) say that it is compressed.

    A byte order mark at the start of a file is left out. Plain content is taken as it is.

    Raises:
        StorageError: the file holds no text in UTF-8, but UTF-16, another format, or an archive of several files.
        OSError, EOFError, zlib.error, ZstdError, BadZipFile: it is damaged or cut short; also while it is read.
    """
    if isinstance(source, bytes):
        return io.BytesIO(source)
    stream = io.BufferedReader(cast(io.RawIOBase, _decompressed(source)), BUFFER)
    try:
        _check_is_text(source, stream.peek(HEAD)[:HEAD])
    except BaseException:
        stream.close()
        raise
    if stream.peek(HEAD).startswith(BOM_UTF8):
        stream.read(len(BOM_UTF8))
    return stream


def read_source(source: Source) -> bytes:
    """Return the whole content, decompressed.

    Raises:
        StorageError, OSError, EOFError, zlib.error, ZstdError, BadZipFile: see `open_source`.
    """
    with open_source(source) as stream:
        return stream.read()


def is_ordinary(path: Path) -> bool:
    """Return whether a file starts like JSON lines or, by the size at its end, is one gzip member and no bomb.

    Polars may read such a file by itself: it is faster, but keeps a whole line in memory, however long.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        first = file.read(len(GZIP))
        file.seek(max(size - 4, 0))
        unpacked = int.from_bytes(file.read(), "little")
    return first.startswith(b"{") or (first == GZIP and 1 < unpacked / size < HIGHEST_RATIO)


def _decompressed(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        first = file.read(10)
    if first.startswith(ZSTANDARD):
        return cast(IO[bytes], _ZstandardFrames(path))
    if first.startswith(GZIP):
        return cast(IO[bytes], gzip.open(path))
    if first.startswith(ZIP):
        return _only_member(path)
    return cast(IO[bytes], bz2.open(path)) if BZIP2.match(first) else path.open("rb")


def _only_member(path: Path) -> IO[bytes]:
    """Open the one file in a zip archive."""
    with zipfile.ZipFile(path) as archive:
        members = [name for name in archive.namelist() if not name.endswith("/")]
        if len(members) != 1:
            _refuse(path, f"it is a zip archive of {len(members):,} files", PACK)
        try:
            return archive.open(members[0])
        except (RuntimeError, NotImplementedError) as error:  # encrypted, or an unknown compression
            _refuse(path, f"it is a zip archive: {error}", PACK)


def _check_is_text(path: Path, head: bytes) -> None:
    for pattern, encoding in WIDE:
        if pattern.match(head):
            _refuse(path, f"the text is {encoding}", "Save it as UTF-8.")
    for magic, name in OTHERS:
        if head.startswith(magic):
            _refuse(path, f"it is {name}", PACK)
    if head.startswith(TAR[1], TAR[0]):
        _refuse(path, "it is a tar archive", PACK)


def _refuse(path: Path, problem: str, hint: str) -> Never:
    raise StorageError(f"cannot read {shown(path)}: {problem}", hint)


class _ZstandardFrames(io.RawIOBase):
    """Decompress the frames of a Zstandard file one after another, and notice where the last one is cut short."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._packed, self._ready = b"", memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._ready and (packed := self._packed or self._file.read(STEP)):
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._ready = memoryview(self._frame.decompress(packed))
            self._packed = self._frame.unused_data
        if not self._ready and not self._frame.eof:
            raise EOFError("incomplete frame")
        count = min(len(buffer), len(self._ready))
        buffer[:count], self._ready = self._ready[:count], self._ready[count:]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()
