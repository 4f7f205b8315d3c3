"""The artifact of every variant: what is known of every artist, and the names to find it by."""

import mmap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts import Version
from pozytywka_cli.artifacts.arrays import array
from pozytywka_cli.artifacts.manifest import DAMAGED_HINT
from pozytywka_cli.catalogue import names
from pozytywka_cli.catalogue.string_table import StringIndex, StringTable, encoded, row_of
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families.similar.models.arrays import Weighted, verifying

NUMBER = np.dtype("<u4")
EXCLUDED = "rare.bin"
COMPUTED_FROM = ("factors.npy", "contexts_artists.npy", "contexts_values.npy")  # an answer that is not stored


class Excluded(StringTable):
    """Names of artists with too few listeners, so that a lookup does not take them for misspelt others.

    The strings (n,) are `names.key` of the names, ascending, without repetition.

    numbers: (1 + n,) uint32: the model's `min_listeners`, and for each key the most listeners of an artist with it
    """

    def __init__(self, buffer: bytes | mmap.mmap, path: Path | None = None) -> None:
        super().__init__(buffer, path)
        self.numbers = self._array(NUMBER, 1 + len(self))
        self.min_listeners = int(self.numbers[0])

    @classmethod
    def counted(cls, artists: Iterable[tuple[str, int]], min_listeners: int) -> "Excluded":
        """Make a table of names and numbers of listeners."""
        ascending = sorted(artists, key=lambda artist: artist[1])
        most = {names.key(name): listeners for name, listeners in ascending}  # of equal keys, the last one's listeners
        keys = sorted(most)
        return cls(encoded(keys) + np.array([min_listeners, *map(most.__getitem__, keys)], NUMBER).tobytes())

    def listeners(self, key: str) -> int | None:
        """Return the number of listeners of the artist with this key; None if there is none."""
        row = row_of(self, key)
        return None if row is None else int(self.numbers[1 + row])


NOBODY = Excluded.counted([], 0)


@dataclass(frozen=True)
class Factors:
    """Artists by falling number of listeners, then by id: of two that tie, the first one is preferred.

    factors: (artists, k) float32, rows of length 1; one constant column in `popularity` and `ppmi`, so that all tie
    listeners: (artists,) int64
    names, ids, keys: (artists,); keys are `names.key` of the names
    excluded: the artists that were left out
    contexts: PPMI's (artists, most contexts), rows of weights of length 1 or 0; None in `als` and `popularity`
    neighbours: the most similar artists (those with the most listeners, n), best first, with scores; None without
        contexts
    verify: checks the hashes of the arrays that answers are `COMPUTED_FROM`, where loading has left them; an
        ArtifactError if one is damaged
    """

    factors: NDArray[np.float32]
    listeners: NDArray[np.int64]
    names: StringTable
    ids: StringIndex
    keys: StringIndex
    excluded: Excluded = NOBODY
    contexts: Weighted | None = None
    neighbours: Weighted | None = None
    verify: Callable[[], None] = lambda: None

    @classmethod
    def of(
        cls,
        factors: NDArray[np.float32],
        listeners: NDArray[np.int64],
        ids: list[str],
        titles: list[str],
        excluded: Excluded = NOBODY,
    ) -> "Factors":
        """Make the artifact of artists in the order of their ids; `titles` are their names."""
        order = by_listeners(listeners)
        ordered = [titles[row] for row in order]
        return cls(
            np.ascontiguousarray(factors[order], dtype=np.float32),
            listeners[order],
            StringTable.of(ordered),
            StringIndex.of([ids[row] for row in order]),
            StringIndex.of([names.key(title) for title in ordered]),
            excluded,
        )

    def save(self, folder: Path) -> None:
        """Write factors.npy, listeners.npy, names.bin, ids.bin, keys.bin, rare.bin and what else there is."""
        np.save(folder / "factors.npy", self.factors, allow_pickle=False)
        np.save(folder / "listeners.npy", self.listeners, allow_pickle=False)
        self.names.save(folder / "names.bin")
        self.ids.save(folder / "ids.bin")
        self.keys.save(folder / "keys.bin")
        self.excluded.save(folder / EXCLUDED)
        if self.contexts is not None and self.neighbours is not None:
            self.contexts.save(folder, "contexts")
            self.neighbours.save(folder, "neighbours")

    @classmethod
    def load(cls, version: Version) -> "Factors":
        """Memory-map the files of a version, so that only the requested parts are read.

        Raises:
            ArtifactError: a file is missing or damaged, or the files do not belong together.
        """
        factors = array(version.path("factors.npy"), np.dtype(np.float32), 2)
        listeners = array(version.path("listeners.npy"), np.dtype(np.int64), 1)
        titles = StringTable.load(version.path("names.bin"))
        ids, keys = StringIndex.load(version.path("ids.bin")), StringIndex.load(version.path("keys.bin"))
        lengths = [len(part) for part in (factors, listeners, titles, ids, keys)]
        if len(set(lengths)) > 1:
            problem = f"factors, listeners, names, ids and keys have {', '.join(map(str, lengths))} entries"
            raise ArtifactError(f"{version.folder} is damaged: {problem}", DAMAGED_HINT)
        # the first artifacts of format 1 do not have the file
        excluded = Excluded.load(version.path(EXCLUDED)) if EXCLUDED in version.manifest.files else NOBODY
        contexts, neighbours = _two_cosines(version, len(factors))
        used = (factors, contexts.artists, contexts.values) if contexts else (factors,)
        verify = verifying(version, dict(zip(COMPUTED_FROM, used, strict=False)))
        loaded = cls(factors, listeners, titles, ids, keys, excluded, contexts, neighbours, verify)
        return loaded.normalized() if version.manifest.format == 1 else loaded

    def normalized(self) -> "Factors":
        """Return the artists with keys of today's normalisation, which differ in letters outside of ASCII only.

        Format 1 did not fold Latin letters (ł, ø).
        """
        pairs = zip(self.names.list(), self.keys.list(), strict=True)
        keys = [key if key.isascii() else names.key(title) for title, key in pairs]
        excluded = zip(self.excluded.list(), self.excluded.numbers[1:].tolist(), strict=True)
        counted = Excluded.counted(excluded, self.excluded.min_listeners)
        return replace(self, keys=StringIndex.of(keys), excluded=counted)


def by_listeners(listeners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the order of an artifact of artists that are in the order of their ids."""
    return np.argsort(-listeners, kind="stable")


def _two_cosines(version: Version, artists: int) -> tuple[Weighted | None, Weighted | None]:
    """Memory-map contexts and neighbours, if the variant has them."""
    contexts, neighbours = (Weighted.load(version, name) for name in ("contexts", "neighbours"))
    if contexts and neighbours and (len(contexts) != artists or len(neighbours) > artists):
        problem = f"{artists} artists, {len(contexts)} contexts and {len(neighbours)} neighbours"
        raise ArtifactError(f"{version.folder} is damaged: it has {problem}", DAMAGED_HINT)
    return contexts, neighbours
