"""Finding one string among a million, literally or but for typos, without a look at most of them."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts.manifest import MEND
from pozytywka_cli.catalogue.string_table import Strings
from pozytywka_cli.errors import ArtifactError

# For each string: `order`, the rows sorted by their strings, then by row; `length`, its code points; `letters`, a bit
# for each code point that it holds, modulo 64.
ENTRY = np.dtype([("order", "<u4"), ("length", "<u4"), ("letters", "<u8")])
FLOORS = np.arange(9, -1, -1) / 10


@dataclass(frozen=True)
class Index:
    """Strings (n,), and a table (n,) of ENTRY by which they are found."""

    strings: Strings
    table: NDArray[Any]

    @classmethod
    def of(cls, strings: Sequence[str]) -> "Index":
        """From Python strings."""
        table = np.empty(len(strings), ENTRY)
        table["order"] = sorted(range(len(strings)), key=strings.__getitem__)
        table["length"] = [len(string) for string in strings]
        table["letters"] = _letters(strings)
        return cls(Strings.of(strings), table)

    @classmethod
    def load(cls, path: Path) -> "Index":
        """From a file, memory-mapped: the strings, then the table.

        Raises:
            ArtifactError: it cannot be read, or is damaged.
        """
        strings = Strings.load(path)
        if strings.rest.nbytes != len(strings) * ENTRY.itemsize:
            raise ArtifactError(f"{path} is damaged: its table has another length", MEND)
        return cls(strings, np.frombuffer(strings.rest, ENTRY))

    def save(self, path: Path) -> None:
        """Write the file."""
        path.write_bytes(bytes(self.strings) + self.table.tobytes())

    def __len__(self) -> int:
        """How many strings there are."""
        return len(self.table)

    @property
    def longest(self) -> int:
        """How many code points the longest one has."""
        return int(self.table["length"].max(initial=0))

    def find(self, string: str) -> list[int]:
        """The rows of all that equal `string`, ascending."""
        order = self.table["order"]
        first = bisect_left(order, string, key=self.strings.__getitem__)
        last = bisect_right(order, string, first, key=self.strings.__getitem__)
        rows: list[int] = order[first:last].tolist()
        return rows

    def nearest(self, string: str, n: int, least: float = 0) -> list[tuple[int, float]]:
        """Rows and similarities (`least` to 1) of the `n` nearest, best and first rows first.

        A similarity is 1 - distance / length of the longer string; the distance counts letters added, lost, replaced
        and swapped, no part being edited twice (optimal string alignment: Boytsov, 2011). It finds what a scan of all
        of them would: only those are left out that cannot be as near as the last one kept.
        """
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        most, above, found = self._most(string), np.inf, list[tuple[int, float]]()
        for floor in FLOORS:
            rows = np.flatnonzero((most >= floor) & (most < above))
            scored = process.extract(
                string, self.strings.take(rows), scorer=OSA.normalized_similarity, limit=n, score_cutoff=least
            )
            found += [(int(rows[place]), score) for _, score, place in scored]
            found = sorted(found, key=lambda one: (-one[1], one[0]))[:n]
            if floor <= least or (len(found) == n and found[-1][1] >= floor):
                break
            above = floor
        return found

    def _most(self, string: str) -> NDArray[np.float64]:
        """How similar each one can be at most, 0 to 1.

        An edit adds one code point, takes one away, replaces one, or swaps two: it changes the length by one at most,
        and takes at most one letter away and brings at most one in.
        """
        length, letters = self.table["length"].astype(np.int64), self.table["letters"]
        (asked,) = _letters([string])
        edits = np.abs(length - len(string))
        for gone in (letters & ~asked, asked & ~letters):
            np.maximum(edits, np.bitwise_count(gone), out=edits)
        most: NDArray[np.float64] = 1 - edits / np.maximum(length, max(len(string), 1))
        return most


def _letters(strings: Sequence[str]) -> NDArray[np.uint64]:
    ended = "".join(f"{string}\0" for string in strings)  # none is empty, so that each has a segment to reduce
    points = np.frombuffer(ended.encode("utf-32-le", "surrogatepass"), "<u4")
    starts = np.cumsum([0, *(len(string) + 1 for string in strings)])[:-1]
    return np.bitwise_or.reduceat(np.uint64(1) << (points % 64).astype(np.uint64), starts)
