"""The ground truth of a sample: its files, and what they say about who will play which track to its end."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.dataset.sample.entities import FIRST_USER, GENRES, Catalogue, Floats, Listeners
from pozytywka_cli.dataset.sample.listening import sigmoid, skip_logit, skip_traits, track_weights
from pozytywka_cli.dataset.sample.world import World

FILES = {f"{name}.parquet" for name in ("skips", "weeks", "artists", "users", "tracks")} | {"demand.npy"}
TRAITS = ("danceability", "minutes", "valence")  # that move users to skip
SLOPES = tuple(f"{trait}_slope" for trait in TRAITS)
BLOCK = 500  # users at a time, so that intermediate arrays stay small


@dataclass(frozen=True)
class FullPlays:
    """The plays to the end to expect, `expected` (users, tracks); every pair has some."""

    user_ids: list[int]
    track_ids: list[str]
    expected: NDArray[np.float32]


def write_truth(folder: Path, world: World, skips: pl.DataFrame) -> None:
    """Write the `FILES` of a service; `skips` holds the true probability of a skip for each play.

    skips.parquet: user_id, session_id, track_id, started_at, probability
    weeks.parquet: artist_id, week (its Monday), rate: the plays to expect of all users
    artists.parquet: id, name, main genre, and the kind of level over the weeks
    users.parquet: user_id, the logit of a skip and its slopes by trait, favourite genres, whether premium is bought
    tracks.parquet: track_id, artist_id, share of the artist's plays, and the traits, each from its mean
    demand.npy: float32, rows of users.parquet by rows of artists.parquet: the share of the artist's plays
    """
    skips.write_parquet(folder / "skips.parquet")
    _rates(world).write_parquet(folder / "weeks.parquet")
    ids, names = world.catalogue.artists["id"], world.catalogue.artists["name"]
    genre = np.array(GENRES)[world.catalogue.genre]
    artists = pl.DataFrame({"id": ids, "name": names, "genre": genre, "level": world.levels})
    artists.write_parquet(folder / "artists.parquet")
    _users(world.listeners).write_parquet(folder / "users.parquet")
    _tracks(world.catalogue).write_parquet(folder / "tracks.parquet")
    np.save(folder / "demand.npy", world.listeners.demand.astype(np.float32))


def _rates(world: World) -> pl.DataFrame:
    artists, weeks = world.rates.shape
    mondays = pl.Series([world.start.date() + timedelta(weeks=week) for week in range(weeks)])
    ids = world.catalogue.artists["id"].repeat_by(weeks).explode()
    return pl.DataFrame({"artist_id": ids, "week": pl.concat([mondays] * artists), "rate": world.rates.ravel()})


def _users(listeners: Listeners) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "user_id": range(FIRST_USER, FIRST_USER + len(listeners)),
            "skip_base": listeners.skip_base,
            **dict(zip(SLOPES, listeners.skip_slopes.T, strict=True)),
            "favourite_genres": np.array(GENRES)[listeners.favourite].tolist(),
            "buyer": listeners.buyer,
        }
    )


def _tracks(catalogue: Catalogue) -> pl.DataFrame:
    weights = track_weights(catalogue)
    return pl.DataFrame(
        {
            "track_id": catalogue.tracks["id"],
            "artist_id": catalogue.tracks["id_artist"],
            "share": weights / np.bincount(catalogue.owner, weights)[catalogue.owner],
            **dict(zip(TRAITS, skip_traits(catalogue).T, strict=True)),
        }
    )


def expected_full_plays(truth: Path, first: date, last: date) -> FullPlays:
    """Return how often each user can be expected to play each track to its end, over some weeks of a sample.

    The skips are those without premium and with no advertisement before, for when a user buys premium is not a part of
    the truth. A buyer's plays to the end are therefore too many from then on, by much the same factor for all tracks.

    Args:
        truth: the folder with the ground truth.
        first: the Monday of the first week.
        last: the Monday after the last week.

    Raises:
        ValueError: the sample has no rates for one of the weeks, or a date is no Monday.
        OSError: a file cannot be read.
    """
    users, tracks = pl.read_parquet(truth / "users.parquet"), _tracks_with_plays(truth, first, last)
    artist, plays = tracks["artist"].to_numpy(), tracks["plays"].to_numpy()
    demand = np.load(truth / "demand.npy", mmap_mode="r", allow_pickle=False)
    expected = np.empty((len(users), len(tracks)), np.float32)
    for start in range(0, len(users), BLOCK):
        rows = slice(start, start + BLOCK)
        expected[rows] = demand[rows].take(artist, axis=1) * plays * _finish_probability(users[rows], tracks)
    return FullPlays(users["user_id"].to_list(), tracks["track_id"].to_list(), expected)


def _tracks_with_plays(truth: Path, first: date, last: date) -> pl.DataFrame:
    """Return the tracks with `artist` (its row), `genre`, and the plays to expect of all users over the weeks."""
    wanted = [first + timedelta(weeks=week) for week in range((last - first).days // 7)]
    weeks = pl.read_parquet(truth / "weeks.parquet").filter(pl.col("week").is_in(wanted))
    if not wanted or 7 * weeks["week"].n_unique() != (last - first).days:
        raise ValueError(f"the sample of {truth} has no rates for all weeks from {first} to {last}")
    rates = weeks.group_by("artist_id").agg(rate=pl.col("rate").sum())
    artists = pl.read_parquet(truth / "artists.parquet").with_row_index("artist").rename({"id": "artist_id"})
    tracks = pl.read_parquet(truth / "tracks.parquet").join(artists, on="artist_id", maintain_order="left")
    tracks = tracks.join(rates, on="artist_id", maintain_order="left")
    return tracks.with_columns(plays=pl.col("rate") * pl.col("share"))


def _finish_probability(users: pl.DataFrame, tracks: pl.DataFrame) -> Floats:
    """Return the probability (users, tracks) that a play is not skipped."""
    genre = np.array([GENRES.index(name) for name in tracks["genre"]])
    favourite = users.select(pl.col("favourite_genres").list.contains(name).alias(name) for name in GENRES)
    base, slopes = users["skip_base"].to_numpy(), users.select(SLOPES).to_numpy()
    named = favourite.to_numpy()[:, genre]
    return sigmoid(-skip_logit(base[:, None], slopes[:, None], tracks.select(TRAITS).to_numpy(), named))
