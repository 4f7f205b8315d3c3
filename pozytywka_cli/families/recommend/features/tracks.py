"""The tracks: artists, genres and attributes, whoever plays them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pozytywka_cli.dataset.attribution import artists_of_tracks
from pozytywka_cli.dataset.loading import Dataset
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
MOST_DEVIATIONS = 5.0  # to which a standardised attribute is clipped


@dataclass(frozen=True)
class Tracks:
    """All tracks of the tracks table and of the plays, by their ids.

    ids: (tracks,) text, ascending; names: (tracks,) text, null where unknown
    artists: (tracks,) the number of the track's artist; a track without a known one has a number of its own
    artist_ids, artist_names: (artists,) text, null for the artist of a track without one; names may be null
    genres: (tracks, genres) the genres of the artist, rows of length 1 or 0
    vocabulary: (genres,) names in lower case, ascending
    attributes: (tracks, ATTRIBUTES) float32: standardised, 0 where unknown
    """

    ids: pl.Series
    names: pl.Series
    artists: Ints
    artist_ids: pl.Series
    artist_names: pl.Series
    genres: csr_matrix
    vocabulary: list[str]
    attributes: NDArray[np.float32]

    def __len__(self) -> int:
        """The number of tracks."""
        return len(self.ids)

    @classmethod
    def of(cls, dataset: Dataset) -> "Tracks":
        """Collect the tracks of a dataset."""
        table = dataset.tracks.unique("id", keep="first", maintain_order=True)
        ids = pl.concat([table["id"], dataset.plays["track_id"]]).unique().sort().alias("id")
        known = ids.to_frame().join(table, on="id", how="left", maintain_order="left")
        with_artist = artists_of_tracks(table).rename({"track_id": "id"})
        named = ids.to_frame().join(with_artist, on="id", how="left", maintain_order="left")["artist_id"]
        described = dataset.artists.unique("id", keep="first", maintain_order=True)
        artists = named.drop_nulls().unique().sort().alias("id").to_frame()
        artists = artists.join(described.select("id", "name", "genres"), on="id", how="left", maintain_order="left")
        numbers = codes(named, artists["id"])
        unknown = np.flatnonzero(numbers < 0)
        numbers[unknown] = len(artists) + np.arange(len(unknown))
        artists = pl.concat([artists, pl.DataFrame(schema=artists.schema).clear(len(unknown))])
        genres, vocabulary = _genres(artists["genres"])
        return cls(
            ids=ids,
            names=known["name"],
            artists=numbers,
            artist_ids=artists["id"],
            artist_names=artists["name"],
            genres=genres[numbers],
            vocabulary=vocabulary,
            attributes=_standardised(known.select(ATTRIBUTES)),
        )

    @cached_property
    def genre_numbers(self) -> dict[str, int]:
        """The numbers of the genres by their names."""
        return {name: number for number, name in enumerate(self.vocabulary)}

    def find(self, ids: pl.Series) -> Ints:
        """Return the number of each track, (ids,); -1 where there is no such track."""
        return codes(ids, self.ids)

    def genre_rows(self, lists: pl.Series) -> csr_matrix:
        """Return a row for each list of names, of length 1, or 0 if none is known: (lists, genres)."""
        return _rows(lists, pl.Series(self.vocabulary, dtype=pl.String))

    def genre_vector(self, names: list[str]) -> Floats:
        """Return a vector over the genres, of length 1, or 0 if none of the names is known: (genres,)."""
        vector = np.zeros(len(self.vocabulary))
        vector[[self.genre_numbers[name.lower()] for name in names if name.lower() in self.genre_numbers]] = 1.0
        return vector / max(1.0, float(np.linalg.norm(vector)))


def codes(values: pl.Series, known: pl.Series) -> Ints:
    """Return the place of each value among ascending known ones without repetitions; -1 for null and others."""
    lookup = pl.DataFrame({"value": known, "code": np.arange(len(known))})
    found = values.alias("value").to_frame().join(lookup, on="value", how="left", maintain_order="left")
    return found["code"].fill_null(-1).cast(pl.Int64).to_numpy().copy()


def _genres(lists: pl.Series) -> tuple[csr_matrix, list[str]]:
    """Return the genres of artists, (artists, genres), rows of length 1 or 0, and the names of the genres."""
    named = lists.cast(pl.List(pl.String)).explode().drop_nulls().str.to_lowercase()
    vocabulary = named.filter(named != "").unique().sort()
    return _rows(lists, vocabulary), vocabulary.to_list()


def _rows(lists: pl.Series, vocabulary: pl.Series) -> csr_matrix:
    """Return which names of a vocabulary, ascending, are in each list: (lists, names), rows of length 1 or 0."""
    pairs = pl.DataFrame({"row": np.arange(len(lists)), "genre": lists.cast(pl.List(pl.String))}).explode("genre")
    numbers = codes(pairs["genre"].str.to_lowercase(), vocabulary)
    pairs = pairs.with_columns(code=pl.Series(numbers)).filter(pl.col("code") >= 0)
    pairs = pairs.unique(["row", "code"], maintain_order=True)
    rows = pairs["row"].to_numpy()
    weights = np.bincount(rows, minlength=len(lists))[rows] ** -0.5
    return csr_matrix((weights, (rows, pairs["code"].to_numpy())), shape=(len(lists), len(vocabulary)))


def _standardised(columns: pl.DataFrame) -> NDArray[np.float32]:
    values = columns.select(pl.all().cast(pl.Float64)).to_numpy()
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, values, 0.0)
    centred = np.where(known, filled - filled.sum(axis=0) / count, 0.0)
    spread = np.sqrt((centred**2).sum(axis=0) / count)
    scaled = centred / np.where(spread > 0, spread, 1.0)
    return scaled.clip(-MOST_DEVIATIONS, MOST_DEVIATIONS).astype(np.float32)
