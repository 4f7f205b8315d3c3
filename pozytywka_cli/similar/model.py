"""The artifact of both variants: a direction for every artist, and the names it is found by."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts import Version
from pozytywka_cli.artifacts.manifest import MEND
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.similar import names
from pozytywka_cli.similar.strings import Strings


@dataclass(frozen=True)
class Factors:
    """Artists by falling number of listeners, then by id: of two that tie, the first is the one to take.

    factors: (artists, k) float32, rows of length 1; one constant column in the variant `popularity`, so that all tie
    listeners: (artists,) int64
    ids, names, keys: (artists,); keys are `names.key` of the names
    """

    factors: NDArray[np.float32]
    listeners: NDArray[np.int64]
    ids: Strings
    names: Strings
    keys: Strings

    @classmethod
    def of(
        cls, factors: NDArray[np.float32], listeners: NDArray[np.int64], ids: list[str], titles: list[str]
    ) -> "Factors":
        """From artists in the order of their ids; `titles` are their names."""
        order = np.argsort(-listeners, kind="stable")
        ordered = [titles[row] for row in order]
        return cls(
            np.ascontiguousarray(factors[order], dtype=np.float32),
            listeners[order],
            Strings.of(ids[row] for row in order),
            Strings.of(ordered),
            Strings.of(names.key(title) for title in ordered),
        )

    def save(self, folder: Path) -> None:
        """Write factors.npy, listeners.npy, ids.bin, names.bin and keys.bin into `folder`."""
        np.save(folder / "factors.npy", self.factors, allow_pickle=False)
        np.save(folder / "listeners.npy", self.listeners, allow_pickle=False)
        for part in ("ids", "names", "keys"):
            getattr(self, part).save(folder / f"{part}.bin")

    @classmethod
    def load(cls, version: Version) -> "Factors":
        """The factors of a version; arrays are memory-mapped, so only what is used gets read.

        Raises:
            ArtifactError: a file is missing or damaged, or they do not belong together.
        """
        folder = version.folder
        factors, listeners = _array(folder / "factors.npy"), _array(folder / "listeners.npy")
        ids, titles, keys = (Strings.load(folder / f"{part}.bin") for part in ("ids", "names", "keys"))
        if factors.ndim != 2 or factors.dtype != np.float32 or listeners.dtype != np.int64:
            found = f"{factors.dtype} {factors.shape} and {listeners.dtype} {listeners.shape}"
            raise ArtifactError(f"{folder} is damaged: factors and listeners are {found}", MEND)
        lengths = [len(factors), len(listeners), len(ids), len(titles), len(keys)]
        if len(set(lengths)) > 1:
            problem = f"factors, listeners, ids, names and keys have {', '.join(map(str, lengths))} entries"
            raise ArtifactError(f"{folder} is damaged: {problem}", MEND)
        return cls(factors, listeners, ids, titles, keys)


def _array(path: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ArtifactError(f"{path} is damaged: {error}", MEND) from None
    return array
