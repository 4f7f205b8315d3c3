"""Counts of listens per user and artist: the input of every variant."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pozytywka_cli.dataset.attribution import artists_of_tracks, require_artists
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError


@dataclass(frozen=True)
class Listens:
    """Counts of listens; rows are users and columns artists, both in the order of their ids.

    counts: (users, artists) float32, every stored value above 0
    artist_ids, names: (artists,); the name of an artist without one is its id
    listeners: (artists,) int64, the number of users that listened to each
    unheard: names of artists without listeners
    """

    counts: csr_matrix
    artist_ids: list[str]
    names: list[str]
    listeners: NDArray[np.int64]
    unheard: list[str]


def listens(dataset: Dataset) -> Listens:
    """Count the listens of each user and artist: from scrobbles if the dataset has them, else from plays.

    Raises:
        RefusedError: there are none, or none of a track with an artist.
    """
    named = dataset.artists.select(artist_id=pl.col("id").cast(pl.String), artist_name="name")
    events = dataset.scrobbles if dataset.scrobbles is not None else _from_plays(dataset)
    if events.is_empty():
        raise RefusedError("there are no plays to learn from", "Check that the input is the one you meant.")
    # summed as integers: float sums would depend on the order of lines
    pairs = events.group_by("user_id", "artist_id").agg(pl.col("listens").sum())
    users, artists = (pairs[column].unique().sort() for column in ("user_id", "artist_id"))
    where = [pairs[ids.name].cast(pl.Enum(ids)).to_physical().cast(pl.Int32).to_numpy() for ids in (users, artists)]
    counts = csr_matrix((pairs["listens"].cast(pl.Float32).to_numpy(), where), shape=(len(users), len(artists)))
    names = artists.to_frame().join(named, on="artist_id", how="left", maintain_order="left")
    return Listens(
        counts=counts,
        artist_ids=artists.to_list(),
        names=names.select(pl.coalesce("artist_name", "artist_id")).to_series().to_list(),
        listeners=np.bincount(counts.indices, minlength=len(artists)).astype(np.int64),
        unheard=named.join(pairs, on="artist_id", how="anti")["artist_name"].drop_nulls().to_list(),
    )


def _from_plays(dataset: Dataset) -> pl.DataFrame:
    """Return rows of user_id, artist_id and listens, one for each play of a track with an artist."""
    plays = dataset.plays.select(pl.col("user_id").cast(pl.String), "track_id")
    plays = plays.join(artists_of_tracks(dataset.tracks), on="track_id")
    require_artists(len(plays), len(dataset.plays))
    return plays.with_columns(listens=pl.lit(1, pl.Int64))
