"""The tracks: artists, genres and attributes, whoever plays them.

It imports no frames, for a service that answers without them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pozytywka_cli.catalogue import names
from pozytywka_cli.catalogue.string_table import Rows, StringIndex, row_of
from pozytywka_cli.evaluation import Floats, Ints

ATTRIBUTES = (
    "popularity",
    "duration_ms",
    "explicit",
    "danceability",
    "energy",
    "loudness",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
    "tempo",
)


@dataclass(frozen=True)
class Tracks:
    """All tracks of the tracks table and of the plays, by their ids.

    ids: (tracks,) ascending; names: (tracks,) None where unknown
    artists: (tracks,) the number of the track's artist; a track without a known one has a number of its own
    artist_ids, artist_names: (artists,) None for the artist of a track without one; names may be None
    genres: (tracks, genres) the genres of the artist, rows of length 1 or 0
    vocabulary: (genres,) names in lower case, ascending
    attributes: (tracks, ATTRIBUTES) float32: standardised, 0 where unknown
    """

    ids: Rows[str]
    names: Rows[str | None]
    artists: Ints
    artist_ids: Rows[str | None]
    artist_names: Rows[str | None]
    genres: csr_matrix
    vocabulary: Rows[str]
    attributes: NDArray[np.float32]

    def __len__(self) -> int:
        """The number of tracks."""
        return len(self.ids)

    @cached_property
    def artist_keys(self) -> StringIndex:
        """The keys of the names of all artists, empty where one has no name."""
        titles = (self.artist_names[artist] for artist in range(len(self.artist_names)))
        return StringIndex.of([names.key(title or "") for title in titles])

    def find(self, track_id: str) -> int | None:
        """Return the number of a track; None if there is no such track."""
        return row_of(self.ids, track_id)

    def genre_vector(self, named: Sequence[str]) -> Floats:
        """Return a vector over the genres, of length 1, or 0 if none of the names is known: (genres,)."""
        vector = np.zeros(len(self.vocabulary))
        numbers = (row_of(self.vocabulary, name.lower()) for name in named)
        vector[[number for number in numbers if number is not None]] = 1.0
        return vector / max(1.0, float(np.linalg.norm(vector)))
