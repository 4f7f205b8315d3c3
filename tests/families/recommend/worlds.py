"""Small logs whose answers are known."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import polars as pl

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.recommend.features.frames import collect_history, collect_tracks
from pozytywka_cli.families.recommend.features.history import History
from pozytywka_cli.families.recommend.features.outcomes import Outcomes
from pozytywka_cli.families.recommend.features.tracks import ATTRIBUTES
from pozytywka_cli.families.recommend.features.vectors import TrackVectors
from pozytywka_cli.families.recommend.splits import Split, at

START = datetime(2025, 1, 6, tzinfo=UTC)
MOMENT = pl.Datetime("us", "UTC")
TABLES = {
    "plays": {
        "user_id": pl.Int64,
        "session_id": pl.Int64,
        "track_id": pl.String,
        "started_at": MOMENT,
        "advertisement_before": pl.Boolean,
        "skipped": pl.Boolean,
        "liked": pl.Boolean,
        "listened_ms": pl.Int64,
        "skipped_at": MOMENT,
        "liked_at": MOMENT,
    },
    "purchases": {"user_id": pl.Int64, "purchased_at": MOMENT},
    "users": {"user_id": pl.Int64, "favourite_genres": pl.List(pl.String)},
    "artists": {"id": pl.String, "name": pl.String, "genres": pl.List(pl.String)},
    "tracks": {"id": pl.String, "name": pl.String, "id_artist": pl.String} | dict.fromkeys(ATTRIBUTES, pl.Float64),
}
FULL, SKIPPED, LIKED = "full", "skipped", "liked"  # a liked play goes to the end
Play = tuple[int, str, float, str]  # user, track, day after the start, and how it went

ARTISTS = [("a", "Ącki & Sons", ["rock"]), ("b", "Beta", ["pop", "rock"]), ("c", None, ["jazz"])]
TRACKS = {"t0": "a", "t1": "a", "t2": "b", "t3": "b", "t4": "c", "t5": "-1"}


def moment(day: float) -> datetime:
    """The moment so many days after the start."""
    return START + timedelta(days=day)


def dataset(
    plays: Sequence[Play],
    *,
    users: dict[int, list[str] | None] | None = None,
    tracks: dict[str, str | None] = TRACKS,
    artists: Sequence[tuple[str, str | None, list[str] | None]] = ARTISTS,
    seed: int = 0,
) -> Dataset:
    """The dataset with these plays, users with favourite genres, tracks by artist, and artists with genres.

    A full play takes 200 s, a skipped one 30 s. Attributes of tracks are drawn.
    """
    drawn = np.random.default_rng(seed).random((len(tracks), len(ATTRIBUTES)))
    rows = [_play(*play) for play in plays]
    described = {"id": list(tracks), "name": [f"Track {one}" for one in tracks], "id_artist": list(tracks.values())}
    given = users or {}
    return Dataset(
        plays=pl.DataFrame(rows, TABLES["plays"], orient="row"),
        purchases=pl.DataFrame(schema=TABLES["purchases"]),
        users=pl.DataFrame({"user_id": list(given), "favourite_genres": list(given.values())}, TABLES["users"]),
        artists=pl.DataFrame(list(artists), TABLES["artists"], orient="row"),
        tracks=pl.DataFrame(described | dict(zip(ATTRIBUTES, drawn.T, strict=True)), TABLES["tracks"]),
    )


def _play(user: int, track: str, day: float, how: str) -> tuple[object, ...]:
    started, skipped, liked = moment(day), how == SKIPPED, how == LIKED
    listened = 30_000 if skipped else 200_000
    ended = started + timedelta(milliseconds=listened)
    events = (ended if skipped else None, started + timedelta(seconds=1) if liked else None)
    return (user, 0, track, started, False, skipped, liked, listened, *events)


def history_of(data: Dataset) -> History:
    """The history of a dataset, with its own tracks."""
    return collect_history(data, collect_tracks(data))


def dense(vectors: np.ndarray) -> TrackVectors:
    """Vectors of all tracks, (tracks, k)."""
    return TrackVectors.of(len(vectors), np.arange(len(vectors)), vectors)


def history(plays: Sequence[Play], **described: object) -> History:
    """The history of a dataset."""
    return history_of(dataset(plays, **described))


def divided(data: Dataset, day: float, days: float = 1000) -> Outcomes:
    """What is known of a dataset at a moment, and what was played in the days after it; any number of users will do."""
    known, later = data.until(moment(day)), pl.col("started_at").is_between(moment(day), moment(day + days), "left")
    plays = data.plays.filter(later).sort("user_id", "started_at", "track_id", maintain_order=True)
    return Outcomes.of(Split(known, plays), collect_tracks(data))


def split_at(data: Dataset, day: float, days: float = 1000) -> Outcomes:
    """The same by the family's own split, which needs several users."""
    return Outcomes.of(at(data, moment(day), timedelta(days=days)), collect_tracks(data))


def _labels(artists: int, each: int) -> dict[str, str | None]:
    return {f"{artist:02}-{number:02}": f"{artist:02}" for artist in range(artists) for number in range(each)}


def _described(artists: int) -> list[tuple[str, str | None, list[str] | None]]:
    return [(f"{one:02}", f"Artist {one}", [f"genre {one % 4}"]) for one in range(artists)]


@cache
def noise(*, users: int = 24, plays: int = 60, artists: int = 12, each: int = 10, seed: int = 0) -> Dataset:
    """Any user plays any track, over 90 days; three in ten plays are skipped and one in ten liked."""
    random, names = np.random.default_rng(seed), _labels(artists, each)
    shape = (users, plays)
    played, how = (
        random.integers(len(names), size=shape),
        random.choice([FULL, SKIPPED, LIKED], shape, p=[0.6, 0.3, 0.1]),
    )
    liked = {user: [f"genre {user % 4}"] for user in range(users)}
    rows = _rows(played, how, np.sort(random.uniform(0, 90, shape)), list(names))
    return dataset(rows, users=liked, tracks=names, artists=_described(artists), seed=seed)


@cache
def fans(*, users: int = 24, plays: int = 60, artists: int = 12, each: int = 20, seed: int = 0) -> Dataset:
    """Nine in ten plays of user u are of artist u modulo the number of artists, of any of the artist's tracks."""
    random, names = np.random.default_rng(seed), _labels(artists, each)
    shape = (users, plays)
    own = np.arange(users)[:, None] % artists
    artist = np.where(random.random(shape) < 0.9, own, random.integers(artists, size=shape))
    played, how = artist * each + random.integers(each, size=shape), random.choice([FULL, SKIPPED], shape, p=[0.8, 0.2])
    rows = _rows(played, how, np.sort(random.uniform(0, 90, shape)), list(names))
    return dataset(rows, tracks=names, artists=_described(artists), seed=seed)


def _rows(played: np.ndarray, how: np.ndarray, days: np.ndarray, names: list[str]) -> list[Play]:
    """Plays from arrays (users, plays)."""
    return [
        (user, names[track], float(day), str(outcome))
        for user, row in enumerate(zip(played, days, how, strict=True))
        for track, day, outcome in zip(*row, strict=True)
    ]
