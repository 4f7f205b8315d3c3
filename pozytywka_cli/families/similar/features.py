"""Who listened to which artist, and how often: the one input of every variant."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pozytywka_cli.dataset.csv_reader import first_line, read_csv, refuse_first
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.records import Input

MOST_SCROBBLES = 10**9  # a count above it is a fault of the source: a track every second takes thirty years


@dataclass(frozen=True)
class Listens:
    """Counts of listens; rows are users and columns artists, both in the order of their ids.

    counts: (users, artists) float32, every stored value above 0
    artist_ids, names: (artists,); where an artist has no name, its id
    listeners: (artists,) int64, how many users listened to each
    unheard: names of artists that nobody listened to
    """

    counts: csr_matrix
    artist_ids: list[str]
    names: list[str]
    listeners: NDArray[np.int64]
    inputs: list[Input]
    unheard: list[str] = field(default_factory=list)


def listens(source: Dataset | Listens) -> Listens:
    """Listens as they are, or counted from a dataset's plays."""
    return source if isinstance(source, Listens) else from_plays(source)


def from_plays(dataset: Dataset) -> Listens:
    """The plays of a dataset, counted per user and artist.

    Raises:
        RefusedError: there are no plays.
    """
    artist_of = dataset.tracks.select(track_id="id", artist_id=pl.col("id_artist").cast(pl.String))
    listened = dataset.plays.select(pl.col("user_id").cast(pl.String), "track_id").join(artist_of, on="track_id")
    named = dataset.artists.select(artist_id=pl.col("id").cast(pl.String), artist_name="name")
    return _listens(listened.with_columns(listens=pl.lit(1, pl.Int64)), named, dataset.inputs)


def from_scrobbles(scrobbles: Path, artists: Path, say: Callable[[str], None]) -> Listens:
    """Two CSV files: `user_id,artist_id,scrobbles` and `artist_id,artist_name`.

    Rows of the same user and artist are summed, saying so; the order of lines does not matter.

    Raises:
        StorageError: a file cannot be opened.
        RefusedError: a file that is not such a CSV, with the line and column of its first fault.
    """
    listened, heard = read_csv(scrobbles, ("user_id", "artist_id", "scrobbles"))
    number = pl.col("scrobbles").cast(pl.Int64, strict=False)
    for column in ("user_id", "artist_id"):
        refuse_first(scrobbles, listened, column, pl.col(column).is_null(), "")
    countable = number.is_between(1, MOST_SCROBBLES).fill_null(value=False)
    refuse_first(scrobbles, listened, "scrobbles", ~countable, f"is not a whole number from 1 to {MOST_SCROBBLES}")
    repeats = listened.select(~pl.struct("user_id", "artist_id").is_first_distinct()).to_series()
    if count := repeats.sum():
        where, rows = f"{scrobbles}:{first_line(listened, repeats)}", f"{count:,} row{'s' if count > 1 else ''}"
        say(f"{where}: the first of {rows} whose user and artist stand on an earlier line too: counts are summed.")

    named, listed = read_csv(artists, ("artist_id", "artist_name"))
    refuse_first(artists, named, "artist_id", pl.col("artist_id").is_null(), "")
    refuse_first(artists, named, "artist_id", ~pl.col("artist_id").is_first_distinct(), "stands on an earlier line too")
    return _listens(listened.with_columns(listens=number), named, [heard, listed])


def _listens(listened: pl.DataFrame, named: pl.DataFrame, inputs: list[Input]) -> Listens:
    """From rows of user_id, artist_id, listens and rows of artist_id, artist_name."""
    if listened.is_empty():
        raise RefusedError("there are no plays to learn from", "Check that the input is the one you meant.")
    # summed as integers: float sums would depend on the order of lines
    pairs = listened.group_by("user_id", "artist_id").agg(pl.col("listens").sum())
    users, artists = (pairs[column].unique().sort() for column in ("user_id", "artist_id"))
    where = (_positions(pairs["user_id"], users), _positions(pairs["artist_id"], artists))
    counts = csr_matrix((pairs["listens"].cast(pl.Float32).to_numpy(), where), shape=(len(users), len(artists)))
    names = artists.to_frame().join(named, on="artist_id", how="left", maintain_order="left")
    return Listens(
        counts=counts,
        artist_ids=artists.to_list(),
        names=names.select(pl.coalesce("artist_name", "artist_id")).to_series().to_list(),
        listeners=np.bincount(counts.indices, minlength=len(artists)).astype(np.int64),
        inputs=inputs,
        unheard=named.join(pairs, on="artist_id", how="anti")["artist_name"].drop_nulls().to_list(),
    )


def _positions(values: pl.Series, distinct: pl.Series) -> NDArray[np.int32]:
    return values.cast(pl.Enum(distinct)).to_physical().cast(pl.Int32).to_numpy()
