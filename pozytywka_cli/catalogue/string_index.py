"""A string table that can be searched: a sorted order for exact search, lengths and letters for fuzzy search."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts.manifest import MEND
from pozytywka_cli.catalogue.string_table import StringTable
from pozytywka_cli.errors import ArtifactError

# `order`: rows sorted by their strings, then by row; of each string: `length` in code points, and `letters`, a bit for
# each code point in it, modulo 64
ENTRY = np.dtype([("order", "<u4"), ("length", "<u4"), ("letters", "<u8")])


@dataclass(frozen=True)
class StringIndex:
    """Strings (n,), and a table (n,) of ENTRY to search them."""

    strings: StringTable
    table: NDArray[Any]

    @classmethod
    def of(cls, strings: Sequence[str]) -> "StringIndex":
        """Index Python strings."""
        table = np.empty(len(strings), ENTRY)
        table["order"] = sorted(range(len(strings)), key=strings.__getitem__)
        table["length"] = [len(string) for string in strings]
        table["letters"] = letter_bits(strings)
        return cls(StringTable.of(strings), table)

    @classmethod
    def load(cls, path: Path) -> "StringIndex":
        """Memory-map a file: the strings, then the table.

        Raises:
            ArtifactError: it cannot be read, or is damaged.
        """
        strings = StringTable.load(path)
        if strings.trailer.nbytes != len(strings) * ENTRY.itemsize:
            raise ArtifactError(f"{path} is damaged: its table has another length", MEND)
        return cls(strings, np.frombuffer(strings.trailer, ENTRY))

    def save(self, path: Path) -> None:
        """Write the strings and the table."""
        path.write_bytes(bytes(self.strings) + self.table.tobytes())

    def __len__(self) -> int:
        """The number of strings."""
        return len(self.table)

    def find(self, string: str) -> list[int]:
        """Return the rows of all strings equal to `string`, ascending."""
        order = self.table["order"]
        first = bisect_left(order, string, key=self.strings.__getitem__)
        last = bisect_right(order, string, first, key=self.strings.__getitem__)
        rows: list[int] = order[first:last].tolist()
        return rows


def letter_bits(strings: Sequence[str]) -> NDArray[np.uint64]:
    """Return for each string (n,) a bit for each code point in it, modulo 64."""
    terminated = "".join(f"{string}\0" for string in strings)  # so that no segment is empty
    points = np.frombuffer(terminated.encode("utf-32-le", "surrogatepass"), "<u4")
    starts = np.cumsum([0, *(len(string) + 1 for string in strings)])[:-1]
    return np.bitwise_or.reduceat(np.uint64(1) << (points % 64).astype(np.uint64), starts)
