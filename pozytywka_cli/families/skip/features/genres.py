"""The inputs of `simple` and `forest`, genres of user and artist as numbers, and of `legacy`, clusters of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from pozytywka_cli.artifacts import Version
from pozytywka_cli.artifacts.decoding import decoding, read_json
from pozytywka_cli.artifacts.manifest import DAMAGED_HINT
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.evaluation import Flags
from pozytywka_cli.families.skip.features.parameters import SkipRate
from pozytywka_cli.families.skip.features.readers import PARAMETERS, Inputs, Reader, ReadInputs, Without
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.files import indented_json
from pozytywka_cli.settings import Count

if TYPE_CHECKING:
    import polars as pl

    from pozytywka_cli.dataset.loading import Dataset
    from pozytywka_cli.families.skip.features.play_log import PlayLog

VOCABULARY, CLUSTERS = "vocabulary.json", "clusters.json"
FAVOURITES, ARTIST = "favourite genres", "artist's genres"
PADDING, UNKNOWN = 0, 1  # numbers that are no genre; the commonest genre is 2
MOST_CLUSTERS, NO_CLUSTER = 100, 0

Numbers = NDArray[np.int32]


class Genres(Reader, frozen=True, forbid_unknown_fields=True):
    """Computes the numbers of genres.

    user_width, artist_width: how many genres of a user and of an artist are read, at most
    vocabulary: the genres known at training, the commonest first
    """

    skip_rate: SkipRate
    user_width: Count
    artist_width: Count
    vocabulary: list[str]

    @classmethod
    def prepare(cls, log: "PlayLog", training: Flags, settings: SkipSettings) -> tuple[Self, Inputs]:
        """Number the genres of the tables, whoever plays what, and compute the inputs of all plays."""
        import polars as pl

        lists = (log.dataset.users["favourite_genres"], log.dataset.artists["genres"])
        commonest = pl.concat([genres.explode() for genres in lists]).drop_nulls().value_counts()
        names = [name for name, _ in commonest.sort(["count", commonest.columns[0]], descending=[True, False]).rows()]
        user_width, artist_width = (max([1, *genres.drop_nulls().list.len()]) for genres in lists)
        skip_rate = float(log.plays["skipped"].to_numpy()[training].mean())
        reader = cls(skip_rate, user_width, artist_width, names)
        return reader, reader.open(log)(log.plays)

    def open(self, log: "PlayLog") -> ReadInputs:
        """Return a function from rows to the numbers of their genres, (rows, user width) and (rows, artist width).

        They are in the order of the lists, and a list that is longer than any in training is cut.
        """
        from pozytywka_cli.families.skip.features.play_log import Index

        users = self._table(log.dataset.users["favourite_genres"], self.user_width)
        artists = self._table(log.dataset.artists["genres"], self.artist_width)
        of_tracks = Index.of(log.dataset.artists["id"]).find(log.dataset.tracks["id_artist"])
        artist_rows = np.append(of_tracks, len(artists) - 1)
        return lambda rows: (
            users[log.members.find(rows["user_id"])],
            artists[artist_rows[log.tracks.find(rows["track_id"])]],
        )

    def known(self, rows: "pl.DataFrame", log: "PlayLog") -> Flags:
        """Return which rows' users are in the users table: (rows,)."""
        return log.members.has(rows["user_id"])

    def without(self, inputs: Inputs) -> Without:
        """Yield the names of the two inputs, and the inputs with unknown genres in the place of that one."""
        user, artist = (np.full_like(numbers, PADDING) for numbers in inputs)
        user[:, 0] = artist[:, 0] = UNKNOWN
        yield FAVOURITES, None, (user, inputs[1])
        yield ARTIST, None, (inputs[0], artist)

    def _table(self, lists: "pl.Series", width: int) -> Numbers:
        """Return the numbers of each list, padded, and a last row for unknown keys: (lists + 1, width)."""
        import polars as pl

        number = {name: number for number, name in enumerate(self.vocabulary, start=UNKNOWN + 1)}
        numbers = lists.list.eval(pl.element().replace_strict(number, default=UNKNOWN, return_dtype=pl.Int32))
        table = np.full((len(lists) + 1, width), PADDING, np.int32)
        for place in range(width):
            table[:-1, place] = numbers.list.get(place, null_on_oob=True).fill_null(PADDING).to_numpy()
        table[:, 0] = np.where(table[:, 0] == PADDING, UNKNOWN, table[:, 0])
        return table

    def save(self, folder: Path) -> None:
        """Write `model.json` and `vocabulary.json`."""
        parameters = msgspec.structs.asdict(self)
        (folder / VOCABULARY).write_bytes(indented_json(parameters.pop("vocabulary")))
        (folder / PARAMETERS).write_bytes(indented_json(parameters))

    @classmethod
    def load(cls, version: Version) -> Self:
        """Load the reader of a checked version."""
        names = read_json(version.path(VOCABULARY), list[str])
        parameters = read_json(version.path(PARAMETERS), dict[str, Any])
        with decoding(version.path(PARAMETERS)):
            return msgspec.convert({**parameters, "vocabulary": names}, cls)


class GenreClusters(Reader, frozen=True):
    """Computes clusters of genres: `cluster` has that of each number of a genre, from 1; none (0) for unknown ones."""

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
    def prepare(cls, log: "PlayLog", training: Flags, settings: SkipSettings) -> tuple[Self, Inputs]:
        """Cluster the genres of the tables, whoever plays what, and compute the inputs of all plays."""
        genres, numbers = Genres.prepare(log, training, settings)
        clusters = cls(genres, [NO_CLUSTER] * (UNKNOWN + 1) + _clusters(genres.vocabulary, log.dataset))
        return clusters, clusters._numbers(numbers)

    def open(self, log: "PlayLog") -> ReadInputs:
        """Return a function from rows to the clusters of their genres, once each, 0-padded: (rows, any width) each."""
        genres = self.genres.open(log)
        return lambda rows: self._numbers(genres(rows))

    def known(self, rows: "pl.DataFrame", log: "PlayLog") -> Flags:
        """Return which rows' users are in the users table: (rows,)."""
        return self.genres.known(rows, log)

    def without(self, inputs: Inputs) -> Without:
        """Yield the names of the two inputs, and the inputs with no cluster in the place of that one."""
        yield FAVOURITES, None, (np.full_like(inputs[0], NO_CLUSTER), inputs[1])
        yield ARTIST, None, (inputs[0], np.full_like(inputs[1], NO_CLUSTER))

    def _numbers(self, genres: Inputs) -> Inputs:
        """Return the sorted clusters of each row's genres, with no cluster in the place of repetitions."""
        inputs = []
        for numbers in genres:
            ordered = np.sort(np.array(self.cluster, np.int32)[numbers], axis=1)
            ordered[:, 1:][ordered[:, 1:] == ordered[:, :-1]] = NO_CLUSTER
            inputs.append(ordered)
        return tuple(inputs)

    def save(self, folder: Path) -> None:
        """Write `model.json`, `vocabulary.json` and `clusters.json`."""
        self.genres.save(folder)
        (folder / CLUSTERS).write_bytes(msgspec.json.encode(self.cluster))

    @classmethod
    def load(cls, version: Version) -> Self:
        """Load the reader of a checked version."""
        genres, path = Genres.load(version), version.path(CLUSTERS)
        clusters = read_json(path, list[Annotated[int, Meta(ge=NO_CLUSTER, le=MOST_CLUSTERS)]])
        if len(clusters) != UNKNOWN + 1 + len(genres.vocabulary):
            raise ArtifactError(f"{path} is damaged: it does not have one cluster for each genre", DAMAGED_HINT)
        return cls(genres, clusters)


def _clusters(vocabulary: list[str], dataset: "Dataset") -> list[int]:
    """Return the cluster of each known genre, by k-means over how often genres are in the same lists."""
    import polars as pl
    from sklearn.cluster import KMeans

    if not vocabulary:
        return []
    place = {name: number for number, name in enumerate(vocabulary)}
    counts = np.zeros((len(place), len(place)))  # lists of users and artists that have both genres
    for names in pl.concat([dataset.users["favourite_genres"], dataset.artists["genres"]]).drop_nulls():
        places = [place[name] for name in set(names) if name in place]
        counts[np.ix_(places, places)] += 1
    rows = counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1)
    clusters = min(MOST_CLUSTERS, len(np.unique(rows, axis=0)))
    return [int(one) + 1 for one in KMeans(clusters, n_init=1, random_state=0).fit_predict(rows)]
