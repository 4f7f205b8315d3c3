"""Many strings in one memory-mapped file, of which only the requested ones are read."""

import mmap
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts.manifest import MEND
from pozytywka_cli.errors import ArtifactError

OFFSET = np.dtype("<u4")  # enough for 4 GiB


class StringTable:
    """Strings in one buffer: n + 1 offsets into it, the text as UTF-8, and any bytes that a caller wrote after it.

    The first offset is the start of the text, and so tells how many strings there are; the last one is its end.
    """

    def __init__(self, buffer: bytes | mmap.mmap, path: Path | None = None) -> None:
        self._buffer, self._path = buffer, path
        count = int.from_bytes(buffer[: OFFSET.itemsize], "little") // OFFSET.itemsize
        self._offsets: NDArray[np.uint32] = np.frombuffer(buffer, OFFSET, count)

    @classmethod
    def of(cls, strings: Iterable[str]) -> "StringTable":
        """Make a table of Python strings."""
        encoded = [string.encode() for string in strings]
        offsets = OFFSET.itemsize * (len(encoded) + 1) + np.cumsum([0, *map(len, encoded)])
        return cls(offsets.astype(OFFSET).tobytes() + b"".join(encoded))

    @classmethod
    def load(cls, path: Path) -> "StringTable":
        """Memory-map a file.

        Raises:
            ArtifactError: it cannot be read, or its offsets do not fit it.
        """
        try:
            with path.open("rb") as stream:
                table = cls(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), path)
        except OSError as error:
            raise ArtifactError(f"cannot read {path}: {error.strerror}", MEND) from None
        except ValueError:  # the file is empty, or shorter than its offsets
            raise ArtifactError(f"{path} is damaged: it is truncated", MEND) from None
        start, end = table._offsets[[0, -1]].tolist() if table._offsets.size else (0, 0)
        if not 0 < start == table._offsets.nbytes <= end <= len(table._buffer):
            raise ArtifactError(f"{path} is damaged: its offsets do not fit it", MEND)
        return table

    def save(self, path: Path) -> None:
        """Write the offsets and the text."""
        path.write_bytes(bytes(self))

    def __bytes__(self) -> bytes:
        """The offsets and the text."""
        return self._buffer[: self._offsets[-1]]

    @property
    def trailer(self) -> memoryview:
        """The bytes after the text."""
        return memoryview(self._buffer)[self._offsets[-1] :]

    def __len__(self) -> int:
        """The number of strings."""
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> str:
        """Return one string."""
        (string,) = self.take([row])
        return string

    def take(self, rows: Sequence[int] | NDArray[np.intp]) -> list[str]:
        """Return the strings of some rows.

        Raises:
            ArtifactError: there is no such row, as when rows come from a damaged table.
        """
        where = np.asarray(rows, dtype=np.intp)
        try:
            edges = zip(self._offsets[where].tolist(), self._offsets[where + 1].tolist(), strict=True)
        except IndexError:
            problem = f"row {where.max()} was requested, and there are {len(self)}"
            raise ArtifactError(f"{self._path} is damaged: {problem}", MEND) from None
        # replaced, not refused: the hash of a large file is not checked, and one bad byte must not stop a lookup
        return [self._buffer[start:end].decode(errors="replace") for start, end in edges]

    def list(self) -> list[str]:
        """Return all strings."""
        return self.take(range(len(self)))
