"""From frames to what answers are made of: the tracks and the plays of a dataset, and numbers in place of ids."""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pozytywka_cli.catalogue.string_table import Rows
from pozytywka_cli.dataset.attribution import artists_of_tracks
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import Ints
from pozytywka_cli.families.recommend.features.history import History
from pozytywka_cli.families.recommend.features.tracks import ATTRIBUTES, Tracks

MOST_DEVIATIONS = 5.0  # to which a standardised attribute is clipped


def collect_tracks(dataset: Dataset) -> Tracks:
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
    return Tracks(
        ids=ids.to_list(),
        names=known["name"].to_list(),
        artists=numbers,
        artist_ids=artists["id"].to_list(),
        artist_names=artists["name"].to_list(),
        genres=genres[numbers],
        vocabulary=vocabulary,
        attributes=_standardised(known.select(ATTRIBUTES)),
    )


def collect_history(dataset: Dataset, tracks: Tracks) -> History:
    """Sort the plays of a dataset; `tracks` are those of this dataset, or of a longer one."""
    plays = dataset.plays.sort("user_id", "started_at", "track_id", maintain_order=True)
    users = pl.concat([plays["user_id"], dataset.users["user_id"]]).unique().sort().alias("user_id")
    at = plays["started_at"].dt.epoch("us").to_numpy()
    counts = np.bincount(codes(plays["user_id"], users), minlength=len(users))
    moment = int(dataset.cut.timestamp() * 1e6) if dataset.cut else int(at.max(initial=0))
    favourites = users.to_frame().join(dataset.users, on="user_id", how="left", maintain_order="left")
    return History(
        tracks=tracks,
        users=users.to_numpy(),
        starts=np.concatenate([[0], np.cumsum(counts)]),
        track=track_numbers(tracks, plays["track_id"]),
        full=~plays["skipped"].to_numpy(),
        liked=plays["liked"].to_numpy(),
        at=at,
        now=moment,
        favourites=_genre_rows(favourites["favourite_genres"], _series(tracks.vocabulary)),
    )


def track_numbers(tracks: Tracks, ids: pl.Series) -> Ints:
    """Return the number of each track, (ids,); -1 where there is no such track."""
    return codes(ids, _series(tracks.ids))


def user_rows(history: History, ids: pl.Series) -> Ints:
    """Return the row of each user, (ids,); -1 for an unknown one."""
    return codes(ids, pl.Series(history.users))


def _series(texts: Rows[str]) -> pl.Series:
    return pl.Series([texts[row] for row in range(len(texts))], dtype=pl.String)


def codes(values: pl.Series, known: pl.Series) -> Ints:
    """Return the place of each value among ascending known ones without repetitions; -1 for null and others."""
    lookup = pl.DataFrame({"value": known, "code": np.arange(len(known))})
    found = values.alias("value").to_frame().join(lookup, on="value", how="left", maintain_order="left")
    return found["code"].fill_null(-1).cast(pl.Int64).to_numpy().copy()


def _genres(lists: pl.Series) -> tuple[csr_matrix, list[str]]:
    """Return the genres of artists, (artists, genres), rows of length 1 or 0, and the names of the genres."""
    named = lists.cast(pl.List(pl.String)).explode().drop_nulls().str.to_lowercase()
    vocabulary = named.filter(named != "").unique().sort()
    return _genre_rows(lists, vocabulary), vocabulary.to_list()


def _genre_rows(lists: pl.Series, vocabulary: pl.Series) -> csr_matrix:
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
