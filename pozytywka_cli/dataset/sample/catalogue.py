"""Draw the music: artists, their tracks, and the storage of the tracks."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.dataset.sample.vocabulary import ADJECTIVES, BANDS, NOUNS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.str_]

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_LENGTH = 22
TRACKS_AN_ARTIST = range(6, 15)
LAST_RELEASE_YEAR = 2024
CONCENTRATION = 12.0  # of the beta distributions that features in 0..1 come from
FURTHER_GENRE = 0.5  # how much an artist belongs to a further genre, its main one being 1
STORAGE_CLASSES = ("SLOW", "MEDIUM", "FAST")
DAILY_COSTS = (5e-8, 1e-7, 5e-7)  # per millisecond of music, by class
POPULARITY_LIMITS = (70, 90)  # tracks above them go into the next class

SHARES = ("danceability", "energy", "acousticness", "instrumentalness", "valence", "speechiness")  # in 0..1
SOUND = (*SHARES, "loudness", "tempo", "minutes", "explicit", "since")  # dB, BPM, a share of tracks, year of the debuts
# the mean of each SOUND over the tracks of a genre, roughly those of Spotify
SOUNDS: dict[str, tuple[float, ...]] = {
    "post-metal": (0.25, 0.75, 0.05, 0.65, 0.15, 0.05, -8.0, 118, 6.3, 0.02, 1996),
    "post-rock": (0.28, 0.60, 0.15, 0.80, 0.18, 0.04, -10.0, 116, 6.0, 0.00, 1996),
    "doom metal": (0.25, 0.65, 0.03, 0.35, 0.20, 0.05, -8.0, 105, 6.2, 0.03, 1984),
    "black metal": (0.22, 0.88, 0.02, 0.40, 0.18, 0.07, -7.0, 128, 5.6, 0.04, 1987),
    "progressive metal": (0.34, 0.85, 0.03, 0.25, 0.30, 0.06, -6.5, 124, 6.0, 0.04, 1988),
    "thrash metal": (0.35, 0.92, 0.01, 0.20, 0.35, 0.08, -6.0, 138, 4.6, 0.12, 1983),
    "progressive rock": (0.38, 0.55, 0.30, 0.30, 0.40, 0.05, -10.5, 122, 6.0, 0.01, 1969),
    "classic rock": (0.50, 0.65, 0.28, 0.08, 0.62, 0.05, -9.5, 122, 4.3, 0.01, 1965),
    "folk": (0.48, 0.28, 0.80, 0.06, 0.42, 0.04, -13.5, 115, 3.9, 0.01, 1965),
    "indie rock": (0.50, 0.70, 0.15, 0.12, 0.50, 0.05, -7.0, 124, 3.8, 0.06, 1992),
    "shoegaze": (0.33, 0.75, 0.05, 0.50, 0.32, 0.05, -8.0, 122, 4.5, 0.01, 1988),
    "dream pop": (0.48, 0.48, 0.35, 0.45, 0.34, 0.04, -10.0, 114, 4.4, 0.02, 1984),
    "punk": (0.42, 0.93, 0.03, 0.05, 0.62, 0.09, -6.0, 160, 2.7, 0.18, 1976),
    "post-punk": (0.55, 0.74, 0.10, 0.18, 0.55, 0.05, -9.0, 134, 4.0, 0.02, 1978),
    "synth-pop": (0.66, 0.70, 0.15, 0.12, 0.60, 0.04, -9.0, 122, 4.2, 0.01, 1980),
    "techno": (0.78, 0.75, 0.05, 0.85, 0.38, 0.07, -10.0, 130, 6.1, 0.01, 1988),
    "ambient": (0.25, 0.18, 0.85, 0.88, 0.10, 0.05, -20.0, 98, 6.0, 0.00, 1978),
    "trip hop": (0.60, 0.50, 0.25, 0.35, 0.35, 0.08, -10.0, 104, 4.7, 0.06, 1991),
    "hip hop": (0.75, 0.68, 0.15, 0.02, 0.60, 0.27, -7.5, 97, 4.1, 0.60, 1986),
    "soul": (0.60, 0.48, 0.50, 0.03, 0.65, 0.05, -11.0, 112, 3.5, 0.01, 1965),
    "funk": (0.78, 0.68, 0.20, 0.08, 0.80, 0.08, -9.5, 110, 4.6, 0.03, 1968),
    "jazz": (0.48, 0.30, 0.82, 0.55, 0.45, 0.05, -15.0, 112, 6.0, 0.00, 1965),
}
GENRES = tuple(SOUNDS)


@dataclass(frozen=True)
class Catalogue:
    """The music. Rows of every array are rows of the frame that it describes."""

    artists: pl.DataFrame  # the columns of artists.jsonl
    tracks: pl.DataFrame  # the columns of tracks.jsonl; the tracks of one artist stand together
    storage: pl.DataFrame  # the columns of track_storage.jsonl
    fame: Floats  # (artists,) plays relative to other artists
    genre: Ints  # (artists,) main genre, a row of GENRES
    belonging: Floats  # (genres, artists), columns sum to 1
    owner: Ints  # (tracks,) row of the artist


def make_catalogue(rng: np.random.Generator) -> Catalogue:
    """Draw all bands, with about ten tracks each."""
    count, genres = len(BANDS), list(BANDS.values())
    artists = pl.DataFrame({"id": _ids(rng, count), "name": list(BANDS), "genres": genres})
    fame = rng.lognormal(0.0, 1.0, count)
    genre = np.array([GENRES.index(main) for main, *_ in genres])
    owner = np.repeat(np.arange(count), rng.choice(TRACKS_AN_ARTIST, count))
    tracks = _tracks(rng, artists["id"], fame, genre, owner)
    belonging = np.array([[FURTHER_GENRE * (name in mine) for mine in genres] for name in GENRES])
    belonging[genre, range(count)] = 1.0
    grade = np.searchsorted(POPULARITY_LIMITS, tracks["popularity"].to_numpy())
    daily_cost = np.array(DAILY_COSTS)[grade] * tracks["duration_ms"].to_numpy()
    storage = tracks.select(track_id="id", storage_class=np.array(STORAGE_CLASSES)[grade], daily_cost=daily_cost)
    return Catalogue(artists, tracks, storage, fame, genre, belonging / belonging.sum(axis=0), owner)


def _ids(rng: np.random.Generator, count: int) -> Texts:
    """Draw identifiers like those of Spotify: 22 base62 characters."""
    return rng.choice(np.array(list(BASE62)), (count, ID_LENGTH)).view(f"U{ID_LENGTH}")[:, 0]


def _tracks(rng: np.random.Generator, artist_ids: pl.Series, fame: Floats, genre: Ints, owner: Ints) -> pl.DataFrame:
    count = len(owner)
    titles = [f"{adjective} {noun}" for adjective in ADJECTIVES for noun in NOUNS]
    sound = dict(zip(SOUND, np.array(list(SOUNDS.values()))[genre[owner]].T, strict=True))
    milliseconds = 60_000 * sound["minutes"] * rng.lognormal(0, 0.22, count)
    return pl.DataFrame(
        {
            "id": _ids(rng, count),
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
    """Draw dates from the artist's debut on; of some only the month or the year is known."""
    debut = since + rng.integers(0, 12, owner.max() + 1)[owner]
    later = rng.integers(0, 365 * (LAST_RELEASE_YEAR + 1 - debut))
    days = (debut - 1970).astype("datetime64[Y]").astype("datetime64[D]") + later
    lengths = rng.choice([len("YYYY"), len("YYYY-MM"), len("YYYY-MM-DD")], len(owner), p=[0.2, 0.05, 0.75])
    return [str(day)[:length] for day, length in zip(days, lengths, strict=True)]
