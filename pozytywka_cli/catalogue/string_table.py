"""Many strings in one memory-mapped file, of which only the requested ones are read, and an index to search them."""

import mmap
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts.manifest import DAMAGED_HINT
from pozytywka_cli.errors import ArtifactError

OFFSET = np.dtype("<u4")  # enough for 4 GiB
# `order`: rows sorted by their strings, then by row; of each string: `length` in code points, and `letters`, a bit for
# each code point in it, modulo 64
ENTRY = np.dtype([("order", "<u4"), ("length", "<u4"), ("letters", "<u8")])

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Rows(Protocol[T_co]):
    """Values by row: a list or an array in memory, or a table in a file."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def __getitem__(self, row: int, /) -> T_co:
        """Return the value of a row."""


def take(values: Rows[T], rows: Sequence[int] | NDArray[np.intp]) -> list[T]:
    """Return the values of some rows."""
    return [values[row] for row in np.asarray(rows, dtype=np.intp).tolist()]


def row_of(ascending: Rows[Any], value: Any) -> int | None:
    """Return the first row of a value among ascending ones; None if it is not among them."""
    row = bisect_left(range(len(ascending)), value, key=ascending.__getitem__)
    return row if row < len(ascending) and ascending[row] == value else None


class StringTable:
    """Strings in one buffer: n + 1 offsets into it, the text as UTF-8, and the array of a subclass.

    The first offset is the start of the text, and so tells how many strings there are; the last one is its end.
    """

    def __init__(self, buffer: bytes | mmap.mmap, path: Path | None = None) -> None:
        self._buffer, self._path = buffer, path
        count = int.from_bytes(buffer[: OFFSET.itemsize], "little") // OFFSET.itemsize
        self._offsets: NDArray[np.uint32] = np.frombuffer(buffer, OFFSET, count)
        start, end = self._offsets[[0, -1]].tolist() if count else (0, 0)
        if not 0 < start == self._offsets.nbytes <= end <= len(buffer):
            raise self._damaged("its offsets do not fit it")

    @classmethod
    def of(cls, strings: Sequence[str]) -> Self:
        """Make a table of Python strings."""
        return cls(encoded(strings))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Memory-map a file.

        Raises:
            ArtifactError: it cannot be read, or its offsets or the length of its array do not fit it.
        """
        try:
            with path.open("rb") as stream:
                return cls(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ), path)
        except OSError as error:
            raise ArtifactError(f"cannot read {path}: {error.strerror}", DAMAGED_HINT) from None
        except ValueError:  # the file is empty, or shorter than its offsets
            raise ArtifactError(f"{path} is damaged: it is truncated", DAMAGED_HINT) from None

    def save(self, path: Path) -> None:
        """Write the buffer."""
        path.write_bytes(self._buffer)

    def __len__(self) -> int:
        """The number of strings."""
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> str:
        """Return one string, with less overhead than `take`; an ArtifactError as there."""
        edges = self._offsets[row : row + 2].tolist()
        if len(edges) < 2:
            raise self._missing(row)
        return self._text(*edges)

    def take(self, rows: Sequence[int] | NDArray[np.intp]) -> list[str]:
        """Return the strings of some rows.

        Raises:
            ArtifactError: there is no such row, as when rows come from a damaged table.
        """
        where = np.asarray(rows, dtype=np.intp)
        try:
            edges = zip(self._offsets[where].tolist(), self._offsets[where + 1].tolist(), strict=True)
        except IndexError:
            raise self._missing(where.max()) from None
        return [self._text(start, end) for start, end in edges]

    def list(self) -> list[str]:
        """Return all strings."""
        return self.take(range(len(self)))

    def _array(self, dtype: np.dtype[Any], length: int) -> NDArray[Any]:
        """Return the array after the text; an ArtifactError if it has another length."""
        rest = memoryview(self._buffer)[self._offsets[-1] :]
        if rest.nbytes != length * dtype.itemsize:
            raise self._damaged(f"its table does not have {length} entries")
        return np.frombuffer(rest, dtype)

    def _text(self, start: int, end: int) -> str:
        # replaced, not refused: the hash of a large file is not checked, and one bad byte must not stop a lookup
        return self._buffer[start:end].decode(errors="replace")

    def _missing(self, row: int) -> ArtifactError:
        return self._damaged(f"row {row} was requested, and there are {len(self)}")

    def _damaged(self, problem: str) -> ArtifactError:
        return ArtifactError(f"{self._path} is damaged: {problem}", DAMAGED_HINT)


class StringIndex(StringTable):
    """A string table with a table (n,) of ENTRY: an order for exact search, lengths and letters for fuzzy search."""

    def __init__(self, buffer: bytes | mmap.mmap, path: Path | None = None) -> None:
        super().__init__(buffer, path)
        self.table = self._array(ENTRY, len(self))

    @classmethod
    def of(cls, strings: Sequence[str]) -> Self:
        """Index Python strings."""
        table = np.empty(len(strings), ENTRY)
        table["order"] = sorted(range(len(strings)), key=strings.__getitem__)
        table["length"] = [len(string) for string in strings]
        table["letters"] = letter_bits(strings)
        return cls(encoded(strings) + table.tobytes())

    def find(self, string: str) -> list[int]:
        """Return the rows of all strings equal to `string`, ascending."""
        order = self.table["order"]
        first = bisect_left(order, string, key=self.__getitem__)
        last = bisect_right(order, string, first, key=self.__getitem__)
        rows: list[int] = order[first:last].tolist()
        return rows


def encoded(strings: Sequence[str]) -> bytes:
    """Return offsets and text."""
    texts = [string.encode() for string in strings]
    offsets = OFFSET.itemsize * (len(texts) + 1) + np.cumsum([0, *map(len, texts)])
    return offsets.astype(OFFSET).tobytes() + b"".join(texts)


def letter_bits(strings: Sequence[str]) -> NDArray[np.uint64]:
    """Return for each string (n,) a bit for each code point in it, modulo 64."""
    terminated = "".join(f"{string}\0" for string in strings)  # so that no segment is empty
    points = np.frombuffer(terminated.encode("utf-32-le", "surrogatepass"), "<u4")
    starts = np.cumsum([0, *(len(string) + 1 for string in strings)])[:-1]
    return np.bitwise_or.reduceat(np.uint64(1) << (points % 64).astype(np.uint64), starts)
