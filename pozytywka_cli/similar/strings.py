"""A long list of strings in one file that loads as fast as its bytes are read."""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.artifacts.manifest import MEND
from pozytywka_cli.errors import ArtifactError

EDGE = b"\xff"  # never a part of UTF-8, so nothing needs escaping


class Strings:
    """Strings as UTF-8, each between two EDGE bytes; nothing is decoded until it is asked for."""

    def __init__(self, blob: bytes) -> None:
        self.blob = blob

    @classmethod
    def of(cls, strings: Iterable[str]) -> "Strings":
        """From Python strings."""
        return cls(b"".join((EDGE, *(string.encode() + EDGE for string in strings))))

    @classmethod
    def load(cls, path: Path) -> "Strings":
        """From a file.

        Raises:
            ArtifactError: it cannot be read, or is cut off.
        """
        try:
            blob = path.read_bytes()
        except OSError as error:
            raise ArtifactError(f"cannot read {path}: {error.strerror}", MEND) from None
        if not (blob.startswith(EDGE) and blob.endswith(EDGE)):
            raise ArtifactError(f"{path} is damaged: it does not begin and end between two strings", MEND)
        return cls(blob)

    def save(self, path: Path) -> None:
        """Write the file."""
        path.write_bytes(self.blob)

    def __len__(self) -> int:
        """How many strings there are."""
        return self.blob.count(EDGE) - 1

    def __getitem__(self, index: int) -> str:
        """One of them, decoded."""
        # replaced, not refused: a large file is size-checked only, and one bad byte must not stop a lookup
        return self.blob[self._edges[index] + 1 : self._edges[index + 1]].decode(errors="replace")

    def list(self) -> list[str]:
        """All of them, decoded."""
        # decoded at once, which is twice as fast as one by one: there an EDGE becomes a lone surrogate
        return self.blob[1:-1].decode(errors="surrogateescape").split(EDGE.decode(errors="surrogateescape"))

    def find(self, string: str) -> int | None:
        """The index of the first one that equals `string`, if any."""
        # the command line may hold lone surrogates, which no stored string does
        place = self.blob.find(EDGE + string.encode(errors="surrogatepass") + EDGE)
        return None if place < 0 else self.blob.count(EDGE, 0, place)

    @cached_property
    def _edges(self) -> NDArray[np.intp]:
        return np.flatnonzero(np.frombuffer(self.blob, dtype=np.uint8) == EDGE[0])
