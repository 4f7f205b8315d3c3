"""Draw artists, their tracks, and the storage of the tracks."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pozytywka_cli.dataset.sample.bands import BANDS
from pozytywka_cli.dataset.sample.genres import GENRES, SOUNDS, Sound
from pozytywka_cli.dataset.sample.random_draws import Floats, Ints, ids
from pozytywka_cli.dataset.sample.vocabulary import ADJECTIVES, NOUNS

TRACKS_AN_ARTIST = range(6, 15)
LAST_RELEASE_YEAR = 2024
CONCENTRATION = 12.0  # of the beta distributions that features in 0..1 come from
FURTHER_GENRE = 0.5  # how much an artist belongs to a further genre, its main one being 1
STORAGE_CLASSES = ("SLOW", "MEDIUM", "FAST")
DAILY_COSTS = (5e-8, 1e-7, 5e-7)  # per millisecond of music, by class
POPULARITY_LIMITS = (70, 90)  # tracks above them go into the next class


@dataclass(frozen=True)
class Catalogue:
    """The music. Rows of every array are rows of the frame they speak of."""

    artists: pl.DataFrame  # the columns of artists.jsonl
    tracks: pl.DataFrame  # the columns of tracks.jsonl; the tracks of one artist stand together
    storage: pl.DataFrame  # the columns of track_storage.jsonl
    fame: Floats  # (artists,) plays relative to other artists
    genre: Ints  # (artists,) main genre, a row of GENRES
    belonging: Floats  # (genres, artists), columns sum to 1
    owner: Ints  # (tracks,) row of the artist


def make_catalogue(rng: np.random.Generator) -> Catalogue:
    """All bands, with about ten tracks each."""
    names = [name for bands in BANDS.values() for name in bands]
    genres = [[main, *further] for main, bands in BANDS.items() for further in bands.values()]
    artists = pl.DataFrame({"id": ids(rng, len(names)), "name": names, "genres": genres})
    fame = rng.lognormal(0.0, 1.0, len(names))
    genre = np.array([GENRES.index(main) for main, *_ in genres])
    owner = np.repeat(np.arange(len(names)), rng.choice(TRACKS_AN_ARTIST, len(names)))
    tracks = _tracks(rng, artists["id"], fame, genre, owner)
    return Catalogue(artists, tracks, _storage(tracks), fame, genre, _belonging(genres), owner)


def _belonging(genres: list[list[str]]) -> Floats:
    weights: Floats = np.array([[FURTHER_GENRE * (genre in mine) for mine in genres] for genre in GENRES])
    weights[[GENRES.index(main) for main, *_ in genres], range(len(genres))] = 1.0
    weights /= weights.sum(axis=0)
    return weights


def _tracks(rng: np.random.Generator, artist_ids: pl.Series, fame: Floats, genre: Ints, owner: Ints) -> pl.DataFrame:
    count = len(owner)
    titles = [f"{adjective} {noun}" for adjective in ADJECTIVES for noun in NOUNS]
    fields = np.array([SOUNDS[name] for name in GENRES])[genre[owner]].T
    sound = dict(zip(Sound._fields, fields, strict=True))
    milliseconds = 60_000 * sound["minutes"] * rng.lognormal(0, 0.22, count)
    return pl.DataFrame(
        {
            "id": ids(rng, count),
            "name": rng.choice(titles, count, replace=False),
            "popularity": (42 + 12 * np.log(fame[owner]) + rng.normal(0, 13, count)).clip(0, 100).astype(int),
            "duration_ms": milliseconds.clip(120_000, 540_000).astype(int),
            "explicit": (rng.random(count) < sound["explicit"]).astype(int),
            "id_artist": artist_ids[owner],
            "release_date": _release_dates(rng, sound["since"].astype(int), owner),
            "danceability": _share(rng, sound["danceability"]),
            "energy": _share(rng, sound["energy"]),
            "key": rng.integers(12, size=count),
            "loudness": rng.normal(sound["loudness"], 2.0).clip(-40, 0).round(3),
            "speechiness": _share(rng, sound["speechiness"]),
            "acousticness": _share(rng, sound["acousticness"]),
            "instrumentalness": _share(rng, sound["instrumentalness"]),
            "liveness": _share(rng, np.full(count, 0.2)),
            "valence": _share(rng, sound["valence"]),
            "tempo": rng.normal(sound["tempo"], 20.0).clip(50, 220).round(3),
        }
    )


def _share(rng: np.random.Generator, mean: Floats) -> Floats:
    return rng.beta(CONCENTRATION * mean, CONCENTRATION * (1 - mean)).round(3)


def _release_dates(rng: np.random.Generator, since: Ints, owner: Ints) -> list[str]:
    """Dates from the artist's debut on; of some only the month or the year is known."""
    debut = since + rng.integers(0, 12, owner.max() + 1)[owner]
    later = rng.integers(0, 365 * (LAST_RELEASE_YEAR + 1 - debut))
    days = (debut - 1970).astype("datetime64[Y]").astype("datetime64[D]") + later
    lengths = rng.choice([len("YYYY"), len("YYYY-MM"), len("YYYY-MM-DD")], len(owner), p=[0.2, 0.05, 0.75])
    return [str(day)[:length] for day, length in zip(days, lengths, strict=True)]


def _storage(tracks: pl.DataFrame) -> pl.DataFrame:
    grade = np.searchsorted(POPULARITY_LIMITS, tracks["popularity"].to_numpy())
    return pl.DataFrame(
        {
            "track_id": tracks["id"],
            "storage_class": np.array(STORAGE_CLASSES)[grade],
            "daily_cost": np.array(DAILY_COSTS)[grade] * tracks["duration_ms"].to_numpy(),
        }
    )
