"""Draw what exists before any play: artists, their tracks, the storage of the tracks, and users."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.dataset.sample import vocabulary

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

FIRST_USER = 101
FAVOURITES = 3
BUYERS = 0.24  # share of users who buy premium
KINSHIP = 0.05  # a liked genre makes its kin this much liked
FLOOR = 0.003  # taste for everything else
# logit of a skip per unit of danceability, per minute, per unit of valence, each from its mean; one row a persona
PERSONAS = {
    "even": (0.0, 0.0, 0.0),
    "dancer": (-5.0, 0.0, 0.0),
    "impatient": (0.0, 0.7, 0.0),
    "melancholic": (0.0, 0.0, 5.0),
}

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
    count, genres = len(vocabulary.BANDS), list(vocabulary.BANDS.values())
    artists = pl.DataFrame({"id": _ids(rng, count), "name": list(vocabulary.BANDS), "genres": genres})
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
    titles = [f"{adjective} {noun}" for adjective in vocabulary.ADJECTIVES for noun in vocabulary.NOUNS]
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


@dataclass(frozen=True)
class Listeners:
    """The users. Rows of every array are users."""

    demand: Floats  # (users, artists) share of the artist's plays; columns sum to 1 over all users
    affinity: Floats  # (users, artists) standard normal
    favourite: Ints  # (users, 3) rows of GENRES
    skip_base: Floats  # (users,) logit
    skip_slopes: Floats  # (users, 3) of danceability, minutes, valence
    like_base: Floats  # (users,) logit
    buyer: Bools  # (users,)

    def __len__(self) -> int:
        """Number of users."""
        return len(self.demand)

    def __getitem__(self, rows: slice) -> "Listeners":
        """Return some of the users; the demand remains a share of all."""
        return Listeners(**{name: values[rows] for name, values in vars(self).items()})


def make_listeners(rng: np.random.Generator, users: int, catalogue: Catalogue) -> Listeners:
    """Draw the tastes and habits of `users` people."""
    taste = _tastes(rng, users, catalogue.belonging)
    affinity = rng.standard_normal((users, len(catalogue.fame)))
    activity = rng.lognormal(0.0, 0.8, users).clip(max=10.0)  # a week has only so many hours
    demand = activity[:, None] * (taste @ catalogue.belonging) * np.exp(0.8 * affinity)
    return Listeners(
        demand=demand / demand.sum(axis=0),
        affinity=affinity,
        favourite=np.argsort(-taste, axis=1)[:, :FAVOURITES],
        skip_base=rng.normal(-1.0, 0.6, users),
        skip_slopes=np.array(list(PERSONAS.values()))[rng.integers(len(PERSONAS), size=users)],
        like_base=rng.normal(-1.2, 0.5, users),
        buyer=rng.random(users) < BUYERS,
    )


def _tastes(rng: np.random.Generator, users: int, belonging: Floats) -> Floats:
    """Draw the taste for each genre (users, genres): two to four, often akin, are liked strongly."""
    kinship = belonging @ belonging.T
    kinship /= kinship.max(axis=1, keepdims=True)
    first = rng.integers(len(GENRES), size=users)
    # the largest of log weight + Gumbel noise are a weighted draw without replacement
    order = np.argsort(-(np.log(kinship[first] + 0.02) + rng.gumbel(size=(users, len(GENRES)))), axis=1)
    rank = np.argsort(order, axis=1)
    liked = (rank < rng.integers(2, 5, (users, 1))) * rng.uniform(0.5, 1.0, (users, len(GENRES)))
    return liked + KINSHIP * (liked @ kinship) + FLOOR


def user_rows(rng: np.random.Generator, listeners: Listeners, premium: Bools) -> pl.DataFrame:
    """Return the columns of users.jsonl; the personal ones are made up."""
    users = len(listeners)

    def words(choices: tuple[str, ...]) -> list[str]:
        return [choices[i] for i in rng.integers(len(choices), size=users)]

    names = zip(words(vocabulary.FIRST_NAMES), words(vocabulary.SURNAMES), strict=True)
    streets = zip(
        words(vocabulary.STREET_KINDS), words(vocabulary.STREETS), map(str, rng.integers(1, 100, users)), strict=True
    )
    return pl.DataFrame(
        {
            "user_id": range(FIRST_USER, FIRST_USER + users),
            "name": map(" ".join, names),
            "city": words(vocabulary.CITIES),
            "street": map(" ".join, streets),
            "favourite_genres": np.array(GENRES)[listeners.favourite].tolist(),
            "premium_user": premium,
        }
    )
