"""A long list of strings in one file, of which only what is asked for is read."""

import mmap
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts.manifest import MEND
from pozytywka_cli.errors import ArtifactError

OFFSET = np.dtype("<u4")  # enough for 4 GiB


class Strings:
    """Strings in one buffer: n + 1 offsets into it, then the text as UTF-8, then what somebody else wrote after it.

    The first offset is where the text begins, which tells how many there are, and the last one is where it ends.
    """

    def __init__(self, buffer: bytes | mmap.mmap, path: Path | None = None) -> None:
        self._buffer, self._path = buffer, path
        count = int.from_bytes(buffer[: OFFSET.itemsize], "little") // OFFSET.itemsize
        self._offsets: NDArray[np.uint32] = np.frombuffer(buffer, OFFSET, count)

    @classmethod
    def of(cls, strings: Iterable[str]) -> "Strings":
        """From Python strings."""
        encoded = [string.encode() for string in strings]
        offsets = OFFSET.itemsize * (len(encoded) + 1) + np.cumsum([0, *map(len, encoded)])
        return cls(offsets.astype(OFFSET).tobytes() + b"".join(encoded))

    @classmethod
    def load(cls, path: Path) -> "Strings":
        """From a file, memory-mapped.

        Raises:
            ArtifactError: it cannot be read, or its offsets do not belong to it.
        """
        try:
            with path.open("rb") as stream:
                strings = cls(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), path)
        except OSError as error:
            raise ArtifactError(f"cannot read {path}: {error.strerror}", MEND) from None
        except ValueError:  # of an empty file, or of one with fewer offsets than it tells of
            raise ArtifactError(f"{path} is damaged: it is cut off", MEND) from None
        begins, ends = strings._offsets[[0, -1]].tolist() if strings._offsets.size else (0, 0)
        if not 0 < begins == strings._offsets.nbytes <= ends <= len(strings._buffer):
            raise ArtifactError(f"{path} is damaged: its offsets do not belong to it", MEND)
        return strings

    def save(self, path: Path) -> None:
        """Write the file."""
        path.write_bytes(bytes(self))

    def __bytes__(self) -> bytes:
        """The offsets and the text."""
        return self._buffer[: self._offsets[-1]]

    @property
    def rest(self) -> memoryview:
        """What stands after the text."""
        return memoryview(self._buffer)[self._offsets[-1] :]

    def __len__(self) -> int:
        """How many strings there are."""
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> str:
        """One of them."""
        (string,) = self.take([row])
        return string

    def take(self, rows: Sequence[int] | NDArray[np.intp]) -> list[str]:
        """Some of them.

        Raises:
            ArtifactError: there is no such row, as where rows come from a damaged table.
        """
        where = np.asarray(rows, dtype=np.intp)
        try:
            edges = zip(self._offsets[where].tolist(), self._offsets[where + 1].tolist(), strict=True)
        except IndexError:
            problem = f"of its {len(self)} rows, one numbered {where.max()} is asked for"
            raise ArtifactError(f"{self._path} is damaged: {problem}", MEND) from None
        # replaced, not refused: a large file is size-checked only, and one bad byte must not stop a lookup
        return [self._buffer[start:end].decode(errors="replace") for start, end in edges]

    def list(self) -> list[str]:
        """All of them."""
        return self.take(range(len(self)))
