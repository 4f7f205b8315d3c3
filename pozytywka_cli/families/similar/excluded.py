"""The artists that a model leaves out, for they have too few listeners: by what names they are asked for."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts.manifest import MEND
from pozytywka_cli.catalogue import names
from pozytywka_cli.catalogue.string_table import Strings
from pozytywka_cli.errors import ArtifactError

NUMBER = np.dtype("<u4")


@dataclass(frozen=True)
class Rare:
    """Names that are known, so that a lookup of one is not taken for a misspelt other.

    keys: (n,) `names.key` of the names, ascending, each once
    numbers: (1 + n,) uint32: how many listeners a model asks for, and for each key the most that an artist of it has
    """

    keys: Strings
    numbers: NDArray[np.uint32]

    @classmethod
    def of(cls, artists: Iterable[tuple[str, int]], floor: int) -> "Rare":
        """From names and numbers of listeners; `floor` is how many a model asks for."""
        most: dict[str, int] = {}
        for name, listeners in artists:
            key = names.key(name)
            most[key] = max(listeners, most.get(key, 0))
        keys = sorted(most)
        return cls(Strings.of(keys), np.array([floor, *map(most.__getitem__, keys)], NUMBER))

    @classmethod
    def load(cls, path: Path) -> "Rare":
        """From a file, memory-mapped: the keys, then the numbers.

        Raises:
            ArtifactError: it cannot be read, or is damaged.
        """
        keys = Strings.load(path)
        if keys.rest.nbytes != (1 + len(keys)) * NUMBER.itemsize:
            raise ArtifactError(f"{path} is damaged: its numbers are not one for each key", MEND)
        return cls(keys, np.frombuffer(keys.rest, NUMBER))

    def save(self, path: Path) -> None:
        """Write the file."""
        path.write_bytes(bytes(self.keys) + self.numbers.tobytes())

    @property
    def floor(self) -> int:
        """How many listeners a model asks for."""
        return int(self.numbers[0])

    def listeners(self, key: str) -> int | None:
        """How many listeners the artist with this key has; None where there is none."""
        row = bisect_left(range(len(self.keys)), key, key=self.keys.__getitem__)
        return int(self.numbers[1 + row]) if row < len(self.keys) and self.keys[row] == key else None


NOBODY = Rare.of([], 0)
