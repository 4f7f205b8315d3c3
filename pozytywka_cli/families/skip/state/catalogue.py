"""The tracks as the features of a play see them: arrays with a row for each track, and a last one for unknown ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import Ints
from pozytywka_cli.families.skip.features.attributes import ATTRIBUTES, PAIRS, SIDED, STEPS, Codes, codes, steps
from pozytywka_cli.families.skip.features.history import NEVER
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.play_log import Index

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

    @classmethod
    def of(cls, dataset: Dataset, parameters: FeatureParameters) -> "Catalogue":
        """Compute everything from the tables."""
        tracks = dataset.tracks.select("id", "id_artist", *ATTRIBUTES)
        tracks = tracks.vstack(tracks.clear(1))
        edges, values = parameters.edges, tracks.select(ATTRIBUTES)
        distances = np.stack([steps(values[name], edges[name]) for name in SIDED], axis=1)
        main = dataset.artists["genres"].list.first().extend_constant(None, 1)
        of_tracks = main.gather(Index.of(dataset.artists["id"]).find(tracks["id_artist"]))
        genres = of_tracks.drop_nulls().unique().sort()
        return cls(
            ids=dataset.tracks["id"].fill_null("").to_list(),
            durations=(1000 * tracks["duration_ms"].cast(pl.Int64)).fill_null(NEVER).to_numpy(),
            attributes=np.ascontiguousarray(values.cast(pl.Float32).to_numpy()),
            codes=np.stack([codes(values[name], edges[name]) for name in ATTRIBUTES], axis=1),
            steps=distances,
            products=products(distances),
            main_genres=numbers(of_tracks, genres, NO_GENRE),
            genres=genres.to_list(),
        )

    def rows(self, tracks: Ints) -> Ints:
        """Return the rows of tracks in the records of plays, of which unknown ones are negative: the same shape."""
        return np.where(tracks < 0, len(self.ids), tracks)

    def number(self, track_id: str) -> int:
        """Return the row of a track, or for an unknown one −1 less a digest of the id, which takes 31 bits."""
        row = self._rows.get(track_id)
        return -1 - (crc32(track_id.encode()) >> 1) if row is None else row

    @cached_property
    def _rows(self) -> dict[str, int]:
        last = len(self.ids) - 1
        return {one: last - row for row, one in enumerate(reversed(self.ids))}  # backwards: the first row counts


def products(steps: Ints) -> Ints:
    """Return the products of `PAIRS` but the first, of the level and the steps, (tracks, 3), of tracks: (tracks, 9)."""
    level = np.insert(steps, 0, STEPS, axis=1)
    return np.stack([level[:, one] * level[:, other] for one, other in PAIRS[1:]], axis=1)


def numbers(names: pl.Series, genres: pl.Series, otherwise: int) -> Ints:
    """Return the number of each name in `genres`, and for other names and nulls `otherwise`: (names,)."""
    return names.replace_strict(genres, pl.int_range(len(genres), eager=True), default=otherwise).to_numpy()
