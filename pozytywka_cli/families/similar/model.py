"""The artifact of both variants: a direction for every artist, and the names it is found by."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts import Version
from pozytywka_cli.artifacts.manifest import MEND
from pozytywka_cli.catalogue import names
from pozytywka_cli.catalogue.string_index import Index
from pozytywka_cli.catalogue.string_table import Strings
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families.similar.excluded import NOBODY, Rare

RARE = "rare.bin"


@dataclass(frozen=True)
class Factors:
    """Artists by falling number of listeners, then by id: of two that tie, the first is the one to take.

    factors: (artists, k) float32, rows of length 1; one constant column in the variant `popularity`, so that all tie
    listeners: (artists,) int64
    names, ids, keys: (artists,); keys are `names.key` of the names
    rare: the artists that were left out
    """

    factors: NDArray[np.float32]
    listeners: NDArray[np.int64]
    names: Strings
    ids: Index
    keys: Index
    rare: Rare = NOBODY

    @classmethod
    def of(
        cls,
        factors: NDArray[np.float32],
        listeners: NDArray[np.int64],
        ids: list[str],
        titles: list[str],
        rare: Rare = NOBODY,
    ) -> "Factors":
        """From artists in the order of their ids; `titles` are their names."""
        order = np.argsort(-listeners, kind="stable")
        ordered = [titles[row] for row in order]
        return cls(
            np.ascontiguousarray(factors[order], dtype=np.float32),
            listeners[order],
            Strings.of(ordered),
            Index.of([ids[row] for row in order]),
            Index.of([names.key(title) for title in ordered]),
            rare,
        )

    def save(self, folder: Path) -> None:
        """Write factors.npy, listeners.npy, names.bin, ids.bin, keys.bin and rare.bin into `folder`."""
        np.save(folder / "factors.npy", self.factors, allow_pickle=False)
        np.save(folder / "listeners.npy", self.listeners, allow_pickle=False)
        self.names.save(folder / "names.bin")
        self.ids.save(folder / "ids.bin")
        self.keys.save(folder / "keys.bin")
        self.rare.save(folder / RARE)

    @classmethod
    def load(cls, version: Version) -> "Factors":
        """The factors of a version, memory-mapped, so that only what is used gets read.

        Raises:
            ArtifactError: a file is missing or damaged, or they do not belong together.
        """
        folder = version.folder
        factors = _array(folder / "factors.npy", np.dtype(np.float32), 2)
        listeners = _array(folder / "listeners.npy", np.dtype(np.int64), 1)
        titles = Strings.load(folder / "names.bin")
        ids, keys = Index.load(folder / "ids.bin"), Index.load(folder / "keys.bin")
        lengths = [len(part) for part in (factors, listeners, titles, ids, keys)]
        if len(set(lengths)) > 1:
            problem = f"factors, listeners, names, ids and keys have {', '.join(map(str, lengths))} entries"
            raise ArtifactError(f"{folder} is damaged: {problem}", MEND)
        # artifacts made before there was such a file are read as well
        rare = Rare.load(folder / RARE) if RARE in version.manifest.files else NOBODY
        return cls(factors, listeners, titles, ids, keys, rare)


def _array(path: Path, dtype: np.dtype[Any], dimensions: int) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # what numpy's parser of a damaged header meets first: a TokenError, an OverflowError …
        raise ArtifactError(f"{path} is damaged: {error}", MEND) from None
    if array.dtype != dtype or array.ndim != dimensions:
        problem = f"it is {array.dtype} {array.shape}, not {dtype} of {dimensions} dimensions"
        raise ArtifactError(f"{path} is damaged: {problem}", MEND)
    return array
