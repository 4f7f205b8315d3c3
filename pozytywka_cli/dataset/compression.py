"""Open files that may be compressed: gzip, bzip2 or Zstandard, recognised by their first bytes, not by their names."""

import bz2
import gzip
import io
import re
import zlib
from pathlib import Path
from typing import IO

import zstandard

Source = Path | bytes  # a file, or plain content
GZIP, ZSTANDARD = b"\x1f\x8b", b"(\xb5/\xfd"
BZIP2 = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")
ERRORS = (OSError, EOFError, zlib.error, zstandard.ZstdError)  # that reading a damaged file raises


def open_source(source: Source) -> IO[bytes]:
    """Open a file or content for reading, decompressed where it is compressed.

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
