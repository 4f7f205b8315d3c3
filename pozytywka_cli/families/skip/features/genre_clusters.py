"""The inputs of `legacy`, the old system's: clusters of the genres of user and artist."""

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
from pozytywka_cli.evaluation import Flags, Floats
from pozytywka_cli.families.skip.features.genres import ARTIST, FAVOURITES, UNKNOWN, Genres
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.reader import Reader, ReadInputs
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.learning import Tensors

CLUSTERS = "clusters.json"
COUNT = 100
NONE = 0


class GenreClusters(Reader, frozen=True):
    """Computes clusters of genres.

    cluster: of each number of a genre, from 1; none (0) for unknown genres
    """

    genres: Genres
    cluster: list[int]

    @property
    def skip_rate(self) -> float:
        """One half: the old system trained on as many skipped plays as others."""
        return 0.5

    @property
    def count(self) -> int:
        """The number of clusters."""
        return max(self.cluster)

    @classmethod
    def prepare(cls, log: PlayLog, training: Flags, settings: SkipSettings) -> tuple[Self, Tensors]:
        """Cluster the genres of the tables, whoever plays what, and compute the inputs of all plays."""
        genres, numbers = Genres.prepare(log, training, settings)
        clusters = cls(genres, [NONE] * (UNKNOWN + 1) + _clusters(genres, log.dataset))
        return clusters, clusters._numbers(numbers)

    def open(self, log: PlayLog) -> ReadInputs:
        """Return a function from rows to the clusters of their genres, once each, 0-padded: (rows, any width) each."""
        genres = self.genres.open(log)
        return lambda rows: self._numbers(genres(rows))

    def known(self, rows: pl.DataFrame, log: PlayLog) -> Flags:
        """Return which rows' users are in the users table: (rows,)."""
        return self.genres.known(rows, log)

    def without(self, inputs: Tensors) -> Iterator[tuple[str, Floats | None, Tensors]]:
        """Yield the names of the two inputs, and the inputs with no cluster in the place of that one."""
        yield FAVOURITES, None, (torch.zeros_like(inputs[0]), inputs[1])
        yield ARTIST, None, (inputs[0], torch.zeros_like(inputs[1]))

    def _numbers(self, genres: Tensors) -> Tensors:
        cluster = np.array(self.cluster, np.int32)
        return tuple(torch.from_numpy(_distinct(cluster[numbers.numpy()])) for numbers in genres)

    def save(self, folder: Path) -> None:
        """Write `model.json`, `vocabulary.json` and `clusters.json`."""
        self.genres.save(folder)
        (folder / CLUSTERS).write_bytes(msgspec.json.encode(self.cluster))

    @classmethod
    def load(cls, version: Version) -> Self:
        """Load the reader of a checked version."""
        cluster = msgspec.json.decode((version.folder / CLUSTERS).read_bytes(), type=list[int])
        return cls(Genres.load(version), cluster)


def _distinct(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return each row's numbers once each, sorted, with 0 in the place of repetitions."""
    ordered = np.sort(numbers, axis=1)
    ordered[:, 1:][ordered[:, 1:] == ordered[:, :-1]] = NONE
    return ordered


def _clusters(genres: Genres, dataset: Dataset) -> list[int]:
    """Return the cluster of each known genre, by k-means over the genres in the same lists."""
    from sklearn.cluster import KMeans

    if not genres.vocabulary:
        return []
    counts = _cooccurrences(genres, dataset)
    rows = counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1)
    count = min(COUNT, len(np.unique(rows, axis=0)))
    return [int(one) + 1 for one in KMeans(count, n_init=1, random_state=0).fit_predict(rows)]


def _cooccurrences(genres: Genres, dataset: Dataset) -> NDArray[np.float64]:
    """Return how often two genres are in one list of a user or an artist: (genres, genres)."""
    number = {name: place for place, name in enumerate(genres.vocabulary)}
    counts = np.zeros((len(number), len(number)))
    for names in pl.concat([dataset.users["favourite_genres"], dataset.artists["genres"]]).drop_nulls():
        places = [number[name] for name in set(names) if name in number]
        counts[np.ix_(places, places)] += 1
    return counts
