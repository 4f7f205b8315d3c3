"""A user's favourite genres and an artist's genres as numbers: all that `simple` and `forest` know."""

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
from pozytywka_cli.families.skip.features import PARAMETERS
from pozytywka_cli.families.skip.features.history import Flags, Floats
from pozytywka_cli.files import indented_json
from pozytywka_cli.learning import Tensors
from pozytywka_cli.families.skip.settings import SkipSettings

VOCABULARY = "vocabulary.json"
FAVOURITES, ARTIST = "favourite genres", "artist's genres"
PADDING, UNKNOWN = 0, 1  # numbers of no genre; the commonest genre is 2

Numbers = NDArray[np.int32]


class Genres(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The genres known at training, commonest first, and how many of a user and of an artist are read."""

    skip_rate: float
    user_width: int
    artist_width: int
    vocabulary: list[str]

    @classmethod
    def prepare(cls, dataset: Dataset, training: Flags, _: SkipSettings) -> tuple[Self, Tensors]:
        """Number the genres of the tables, whoever plays what, and read every play's."""
        lists = (dataset.users["favourite_genres"], dataset.artists["genres"])
        commonest = pl.concat([found.explode() for found in lists]).drop_nulls().value_counts()
        names = [name for name, _ in commonest.sort(["count", commonest.columns[0]], descending=[True, False]).rows()]
        user_width, artist_width = (max([1, *found.drop_nulls().list.len()]) for found in lists)
        skip_rate = float(dataset.plays["skipped"].to_numpy()[training].mean())
        genres = cls(skip_rate, user_width, artist_width, names)
        return genres, genres.inputs(dataset.plays, dataset)

    def inputs(self, asked: pl.DataFrame, dataset: Dataset) -> Tensors:
        """The numbers of each row's genres, (asked, user width) and (asked, artist width)."""
        return tuple(torch.from_numpy(numbers) for numbers in self.numbers(asked, dataset))

    def numbers(self, asked: pl.DataFrame, dataset: Dataset) -> tuple[Numbers, Numbers]:
        """The numbers of the genres of each row's user and artist; a longer list than any in training is cut."""
        artists = dataset.artists.select(id_artist="id", genres="genres").unique("id_artist", keep="first")
        track_genres = dataset.tracks.select("id", "id_artist").join(artists, on="id_artist", how="left")
        users = self._lookup(
            asked["user_id"], dataset.users["user_id"], dataset.users["favourite_genres"], self.user_width
        )
        return users, self._lookup(asked["track_id"], track_genres["id"], track_genres["genres"], self.artist_width)

    def known(self, asked: pl.DataFrame, dataset: Dataset) -> Flags:
        """Which rows' users are in the users table: (asked,)."""
        return asked["user_id"].is_in(dataset.users["user_id"].implode()).fill_null(False).to_numpy()

    def without(self, inputs: Tensors) -> Iterator[tuple[str, Floats | None, Tensors]]:
        """The names of the two inputs, and the inputs in which nothing is known of that one."""
        user, artist = (torch.where(torch.arange(numbers.shape[1]) == 0, UNKNOWN, PADDING) for numbers in inputs)
        yield FAVOURITES, None, (user.to(inputs[0].dtype).expand_as(inputs[0]), inputs[1])
        yield ARTIST, None, (inputs[0], artist.to(inputs[1].dtype).expand_as(inputs[1]))

    def _lookup(self, wanted: pl.Series, keys: pl.Series, lists: pl.Series, width: int) -> Numbers:
        """Each wanted key's genres in the order of its list, padded: (wanted, width); `UNKNOWN` where it has none."""
        numbers = lists.list.eval(pl.element().replace_strict(self._number(), default=UNKNOWN, return_dtype=pl.Int32))
        table = np.full((len(keys) + 1, width), PADDING, np.int32)
        for place in range(width):
            table[:-1, place] = numbers.list.get(place, null_on_oob=True).fill_null(PADDING).to_numpy()
        table[:, 0] = np.where(table[:, 0] == PADDING, UNKNOWN, table[:, 0])
        rows = pl.DataFrame({"key": keys}).with_row_index("row")
        found = pl.DataFrame({"key": wanted}).join(rows, on="key", how="left", maintain_order="left")["row"]
        return np.asarray(table[found.fill_null(len(keys)).to_numpy()])

    def _number(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.vocabulary, start=UNKNOWN + 1)}

    def save(self, folder: Path) -> None:
        """Write `model.json` and `vocabulary.json`."""
        parameters = {name: getattr(self, name) for name in self.__struct_fields__[:-1]}
        for name, value in ((PARAMETERS, parameters), (VOCABULARY, self.vocabulary)):
            (folder / name).write_bytes(indented_json(value))

    @classmethod
    def load(cls, version: Version) -> Self:
        """What a checked version's model reads."""
        parameters = msgspec.json.decode((version.folder / PARAMETERS).read_bytes())
        names = msgspec.json.decode((version.folder / VOCABULARY).read_bytes(), type=list[str])
        return msgspec.convert({**parameters, "vocabulary": names}, cls)
