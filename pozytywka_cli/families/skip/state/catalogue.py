"""The tracks as the features of a play see them: arrays with a row for each track, and a last one for unknown ids."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Ints
from pozytywka_cli.families.skip.features.attributes import PAIRS, STEPS, Codes

NO_GENRE, NO_FAVOURITE = -1, -2


@dataclass(frozen=True)
class Catalogue:
    """What is known of tracks.

    ids: (tracks,); the first row of an id counts
    durations: µs, or NEVER: (tracks + 1,)
    attributes, codes: values (not a number where unknown) and bins: (tracks + 1, 8) each
    steps, products: of the first three attributes, and those of `PAIRS` but the first: (tracks + 1, 3 and 9)
    main_genres: numbers of genres, or −1: (tracks + 1,)
    genres: the names that are numbered
    """

    ids: Sequence[str]
    durations: Ints
    attributes: NDArray[np.float32]
    codes: Codes
    steps: Ints
    products: Ints
    main_genres: Ints
    genres: Sequence[str]

    def rows(self, tracks: Ints) -> Ints:
        """Return the rows of tracks in the records of plays, of which unknown ones are negative: the same shape."""
        return np.where(tracks < 0, len(self.ids), tracks)

    def number(self, track_id: str) -> int:
        """Return the row of a track, or for an unknown one −1 less a digest of the id, which takes 31 bits."""
        row = self._rows.get(track_id)
        return -1 - (crc32(track_id.encode()) >> 1) if row is None else row

    def find(self, track_ids: Iterable[str | None]) -> Ints:
        """Return the rows of tracks, and for unknown ones the last: (tracks,)."""
        return np.array([self._rows.get(one, len(self.ids)) for one in track_ids], np.int64)

    @cached_property
    def _rows(self) -> dict[str | None, int]:
        last = len(self.ids) - 1
        return {one: last - row for row, one in enumerate(reversed(self.ids))}  # backwards: the first row counts


def products(steps: Ints) -> Ints:
    """Return the products of `PAIRS` but the first, of the level and the steps, (tracks, 3), of tracks: (tracks, 9)."""
    level = np.insert(steps, 0, STEPS, axis=1)
    return np.stack([level[:, one] * level[:, other] for one, other in PAIRS[1:]], axis=1)
