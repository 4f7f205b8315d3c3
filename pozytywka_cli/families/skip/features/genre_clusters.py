"""What the old system read: which clusters of genres the user's favourites and the artist's genres fall into."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.skip.features.genres import ARTIST, FAVOURITES, UNKNOWN, Genres
from pozytywka_cli.families.skip.features.history import Flags, Floats
from pozytywka_cli.learning import Tensors
from pozytywka_cli.families.skip.settings import SkipSettings

CLUSTERS = "clusters.json"
COUNT = 100
NONE = 0


class Clusters(msgspec.Struct, frozen=True):
    """The genres known at training, and the cluster of each of their numbers, from 1: none (0) for unknown genres."""

    genres: Genres
    cluster: list[int]

    @property
    def skip_rate(self) -> float:
        """Half: the old system learned from as many skipped plays as others."""
        return 0.5

    @property
    def count(self) -> int:
        """How many clusters there are."""
        return max(self.cluster)

    @classmethod
    def prepare(cls, dataset: Dataset, training: Flags, settings: SkipSettings) -> tuple[Self, Tensors]:
        """Cluster the genres of the tables, whoever plays what, and read every play's."""
        genres, numbers = Genres.prepare(dataset, training, settings)
        clusters = cls(genres, [NONE] * (UNKNOWN + 1) + _clusters(genres, dataset))
        return clusters, clusters._numbers(numbers)

    def inputs(self, asked: pl.DataFrame, dataset: Dataset) -> Tensors:
        """The different clusters that each row's user and artist have, padded with 0: (asked, any width) each."""
        return self._numbers(self.genres.inputs(asked, dataset))

    def known(self, asked: pl.DataFrame, dataset: Dataset) -> Flags:
        """Which rows' users are in the users table: (asked,)."""
        return self.genres.known(asked, dataset)

    def without(self, inputs: Tensors) -> Iterator[tuple[str, Floats | None, Tensors]]:
        """The names of the two inputs, and the inputs in which nothing is known of that one."""
        yield FAVOURITES, None, (torch.zeros_like(inputs[0]), inputs[1])
        yield ARTIST, None, (inputs[0], torch.zeros_like(inputs[1]))

    def _numbers(self, genres: Tensors) -> Tensors:
        return tuple(torch.from_numpy(_distinct(np.array(self.cluster, np.int32)[given.numpy()])) for given in genres)

    def save(self, folder: Path) -> None:
        """Write `model.json`, `vocabulary.json` and `clusters.json`."""
        self.genres.save(folder)
        (folder / CLUSTERS).write_bytes(msgspec.json.encode(self.cluster))

    @classmethod
    def load(cls, version: Version) -> Self:
        """What a checked version's model reads."""
        cluster = msgspec.json.decode((version.folder / CLUSTERS).read_bytes(), type=list[int])
        return cls(Genres.load(version), cluster)


def _distinct(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Each row's numbers once each, and 0 where one stood again."""
    found = np.sort(numbers, axis=1)
    found[:, 1:][found[:, 1:] == found[:, :-1]] = NONE
    return found


def _clusters(genres: Genres, dataset: Dataset) -> list[int]:
    """The cluster of each known genre, by k-means over the genres that it is named together with."""
    from sklearn.cluster import KMeans

    if not genres.vocabulary:
        return []
    together = _together(genres, dataset)
    rows = together / np.maximum(np.linalg.norm(together, axis=1, keepdims=True), 1)
    count = min(COUNT, len(np.unique(rows, axis=0)))
    return [int(one) + 1 for one in KMeans(count, n_init=1, random_state=0).fit_predict(rows)]


def _together(genres: Genres, dataset: Dataset) -> NDArray[np.float64]:
    """How often two genres are named in one list of a user or an artist: (genres, genres)."""
    number = {name: place for place, name in enumerate(genres.vocabulary)}
    found = np.zeros((len(number), len(number)))
    for names in pl.concat([dataset.users["favourite_genres"], dataset.artists["genres"]]).drop_nulls():
        places = [number[name] for name in set(names) if name in number]
        found[np.ix_(places, places)] += 1
    return found
