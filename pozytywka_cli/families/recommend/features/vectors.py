"""Vectors of the tracks that a model knows, of which there may be few among all tracks."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Flags, Floats, Ints

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class TrackVectors:
    """A vector for each track, 0 for those that the model does not know.

    known: (tracks,) whether the vector is not 0
    rows: (known tracks, k) the vectors of those, in the order of the tracks
    """

    known: Flags
    rows: Matrix

    @classmethod
    def of(cls, tracks: int, numbers: Ints, rows: NDArray[np.floating]) -> "TrackVectors":
        """Take the vectors, (n, k), of some of so many tracks; `numbers` (n,) are ascending."""
        some = rows.any(axis=1)
        known = np.zeros(tracks, dtype=np.bool_)
        known[numbers[some]] = True
        return cls(known, rows[some].astype(np.float64))

    def __getitem__(self, tracks: Ints) -> Matrix:
        """Return the vectors of some tracks: (n, k)."""
        vectors = np.zeros((len(tracks), self.rows.shape[1]))
        known = self.known[tracks]
        vectors[known] = self.rows[self._places[tracks[known]]]
        return vectors

    def products(self, query: Floats) -> Floats:
        """Return the product of each track's vector with another one, (k,): (tracks,)."""
        products = np.zeros(len(self.known))
        products[self.known] = self.rows @ query
        return products

    @cached_property
    def _places(self) -> Ints:
        """The row of each known track: (tracks,)."""
        return np.cumsum(self.known) - 1
