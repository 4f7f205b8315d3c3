"""Artists with too few listeners: their names are known, so that a lookup does not take them for misspelt others."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts.manifest import MEND
from pozytywka_cli.catalogue import names
from pozytywka_cli.catalogue.string_table import StringTable
from pozytywka_cli.errors import ArtifactError

NUMBER = np.dtype("<u4")


@dataclass(frozen=True)
class Excluded:
    """Names of artists that a model leaves out.

    keys: (n,) `names.key` of the names, ascending, without repetition
    numbers: (1 + n,) uint32: the model's `min_listeners`, and for each key the most listeners of an artist with it
    """

    keys: StringTable
    numbers: NDArray[np.uint32]

    @classmethod
    def of(cls, artists: Iterable[tuple[str, int]], min_listeners: int) -> "Excluded":
        """Make a table of names and numbers of listeners."""
        most: dict[str, int] = {}
        for name, listeners in artists:
            key = names.key(name)
            most[key] = max(listeners, most.get(key, 0))
        keys = sorted(most)
        return cls(StringTable.of(keys), np.array([min_listeners, *map(most.__getitem__, keys)], NUMBER))

    @classmethod
    def load(cls, path: Path) -> "Excluded":
        """Memory-map a file: the keys, then the numbers.

        Raises:
            ArtifactError: it cannot be read, or is damaged.
        """
        keys = StringTable.load(path)
        if keys.trailer.nbytes != (1 + len(keys)) * NUMBER.itemsize:
            raise ArtifactError(f"{path} is damaged: it does not have one number for each key", MEND)
        return cls(keys, np.frombuffer(keys.trailer, NUMBER))

    def save(self, path: Path) -> None:
        """Write the file."""
        path.write_bytes(bytes(self.keys) + self.numbers.tobytes())

    def normalized(self) -> "Excluded":
        """Return the table with keys of today's normalisation."""
        return Excluded.of(zip(self.keys.list(), self.numbers[1:].tolist(), strict=True), self.min_listeners)

    @property
    def min_listeners(self) -> int:
        """The number of listeners that an artist of the model has at least."""
        return int(self.numbers[0])

    def listeners(self, key: str) -> int | None:
        """Return the number of listeners of the artist with this key; None if there is none."""
        row = bisect_left(range(len(self.keys)), key, key=self.keys.__getitem__)
        return int(self.numbers[1 + row]) if row < len(self.keys) and self.keys[row] == key else None


NOBODY = Excluded.of([], 0)
