"""The arrays of an artifact, memory-mapped so that only the requested parts are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from mmap import mmap
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts import Version
from pozytywka_cli.artifacts.arrays import array
from pozytywka_cli.artifacts.manifest import DAMAGED_HINT
from pozytywka_cli.errors import ArtifactError


@dataclass(frozen=True)
class Weighted:
    """For each of some artists others, by their rows in the artifact, with a number each.

    artists: (rows, others) int32; values: (rows, others) float32
    """

    artists: NDArray[np.int32]
    values: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.values)

    def save(self, folder: Path, name: str) -> None:
        """Write both arrays into `folder`."""
        np.save(folder / f"{name}_artists.npy", self.artists, allow_pickle=False)
        np.save(folder / f"{name}_values.npy", self.values, allow_pickle=False)

    @classmethod
    def load(cls, version: Version, name: str) -> "Weighted | None":
        """Memory-map both arrays; None if the variant does not have them."""
        if f"{name}_values.npy" not in version.manifest.files:
            return None
        artists = array(version.path(f"{name}_artists.npy"), np.dtype(np.int32), 2)
        values = array(version.path(f"{name}_values.npy"), np.dtype(np.float32), 2)
        if artists.shape != values.shape:
            problem = f"{name} have the shapes {artists.shape} and {values.shape}"
            raise ArtifactError(f"{version.folder} is damaged: {problem}", DAMAGED_HINT)
        return cls(artists, values)


def verifying(version: Version, arrays: Mapping[str, NDArray[Any]]) -> Callable[[], None]:
    """Return a function that checks the hashes that `version` has left to be checked, when it is first called.

    arrays: the mapped arrays of these files, and perhaps of others
    """

    @cache
    def verify() -> None:
        for name in version.unhashed:
            version.verify(name, cast(mmap, arrays[name].base))

    return verify
