"""Open files that may be compressed: gzip, bzip2 or Zstandard, told by their first bytes and not by their names."""

import bz2
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

Source = Path | bytes  # a file, or plain content
GZIP, ZSTANDARD = b"\x1f\x8b", b"(\xb5/\xfd"
BZIP2 = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")
ERRORS = (OSError, EOFError, zlib.error)  # that reading a damaged file raises
CHUNK = 1 << 18


def open_source(source: Source) -> IO[bytes]:
    """Open a file or content for reading, decompressed where it is compressed."""
    if isinstance(source, bytes):
        return io.BytesIO(source)
    first = magic(source)
    if first.startswith(ZSTANDARD):
        return io.BufferedReader(_Chunks(_decompress(source)), CHUNK)
    if first.startswith(GZIP):
        return gzip.open(source)  # type: ignore[return-value]
    return bz2.open(source) if BZIP2.match(first) else source.open("rb")


def magic(path: Path) -> bytes:
    """Return the first ten bytes of a file, which name its compression."""
    with path.open("rb") as stream:
        return stream.read(10)


def _decompress(path: Path) -> Iterator[memoryview]:
    """Yield the content of all Zstandard frames.

    Raises:
        OSError: damaged, or cut short, which the library's own reader does not report.
    """
    import zstandard

    frame, packed = None, b""
    with path.open("rb") as stream:
        while packed := packed or stream.read(CHUNK):
            frame = frame or zstandard.ZstdDecompressor().decompressobj()
            try:
                yield memoryview(frame.decompress(packed))
            except zstandard.ZstdError as error:
                raise OSError(str(error)) from None
            packed, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
    if frame:
        raise OSError("incomplete frame")


class _Chunks(io.RawIOBase):
    """An iterator of chunks as a raw binary stream."""

    def __init__(self, chunks: Iterator[memoryview]) -> None:
        self.chunks = chunks
        self.rest = memoryview(b"")

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer with the next bytes and return how many they are; 0 at the end."""
        while not self.rest and (chunk := next(self.chunks, None)) is not None:
            self.rest = chunk
        count = min(len(buffer), len(self.rest))
        buffer[:count], self.rest = self.rest[:count], self.rest[count:]
        return count
