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
from pozytywka_cli.dataset.service import Service
from pozytywka_cli.learning import Tensors
from pozytywka_cli.settings import SkipSettings
from pozytywka_cli.skip.genres import ARTIST, FAVOURITES, UNKNOWN, Genres
from pozytywka_cli.skip.history import Flags, Floats

CLUSTERS = "clusters.json"
COUNT = 100


class Clusters(msgspec.Struct, frozen=True):
    """The genres known at training, and the cluster of each of their numbers: none for padding and unknown genres."""

    genres: Genres
    cluster: list[int]

    @property
    def skip_rate(self) -> float:
        """Half: the old system learned from as many skipped plays as others."""
        return 0.5

    @property
    def count(self) -> int:
        """How many clusters there are."""
        return max(*self.cluster, 0) + 1

    @classmethod
    def prepare(cls, service: Service, training: Flags, settings: SkipSettings) -> tuple[Self, Tensors]:
        """Cluster the genres of the tables, whoever plays what, and read every play's."""
        genres, numbers = Genres.prepare(service, training, settings)
        clusters = cls(genres, [-1] * (UNKNOWN + 1) + _clusters(genres, service))
        return clusters, clusters._multi_hot(numbers)

    def inputs(self, asked: pl.DataFrame, service: Service) -> Tensors:
        """Which clusters each row's user and artist have: (asked, clusters) of 0 and 1 each."""
        return self._multi_hot(self.genres.inputs(asked, service))

    def known(self, asked: pl.DataFrame, service: Service) -> Flags:
        """Which rows' users are in the users table: (asked,)."""
        return self.genres.known(asked, service)

    def without(self, inputs: Tensors) -> Iterator[tuple[str, Floats | None, Tensors]]:
        """The names of the two inputs, and the inputs in which nothing is known of that one."""
        yield FAVOURITES, None, (torch.zeros_like(inputs[0]), inputs[1])
        yield ARTIST, None, (inputs[0], torch.zeros_like(inputs[1]))

    def _multi_hot(self, numbers: Tensors) -> Tensors:
        cluster = torch.tensor(self.cluster)
        cluster[cluster < 0] = self.count  # a column that is cut off again
        hot = (torch.zeros(len(one), self.count + 1, dtype=torch.uint8) for one in numbers)
        return tuple(
            one.scatter_(1, cluster[given.long()], 1)[:, :-1].contiguous()
            for one, given in zip(hot, numbers, strict=True)
        )

    def save(self, folder: Path) -> None:
        """Write `model.json`, `vocabulary.json` and `clusters.json`."""
        self.genres.save(folder)
        (folder / CLUSTERS).write_bytes(msgspec.json.encode(self.cluster))

    @classmethod
    def load(cls, version: Version) -> Self:
        """What a checked version's model reads."""
        cluster = msgspec.json.decode((version.folder / CLUSTERS).read_bytes(), type=list[int])
        return cls(Genres.load(version), cluster)


def _clusters(genres: Genres, service: Service) -> list[int]:
    """The cluster of each known genre, by k-means over the genres that it is named together with."""
    from sklearn.cluster import KMeans

    if not genres.vocabulary:
        return []
    together = _together(genres, service)
    rows = together / np.maximum(np.linalg.norm(together, axis=1, keepdims=True), 1)
    count = min(COUNT, len(np.unique(rows, axis=0)))
    return [int(one) for one in KMeans(count, n_init=1, random_state=0).fit_predict(rows)]


def _together(genres: Genres, service: Service) -> NDArray[np.float64]:
    """How often two genres are named in one list of a user or an artist: (genres, genres)."""
    number = {name: place for place, name in enumerate(genres.vocabulary)}
    found = np.zeros((len(number), len(number)))
    for names in pl.concat([service.users["favourite_genres"], service.artists["genres"]]).drop_nulls():
        places = [number[name] for name in set(names) if name in number]
        found[np.ix_(places, places)] += 1
    return found
