"""Forecast each track's plays of the coming day: popularity, the artist's level and the track's own plays."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

from pozytywka_cli.evaluation import Floats, Ints
from pozytywka_cli.planning.days import DailyPlays
from pozytywka_cli.planning.storage import Storage

ALWAYS = np.inf  # the half-life of plays that are never forgotten
TRACK_HALF_LIVES = (28.0, ALWAYS)  # days
ARTIST_HALF_LIVES = (7.0, 14.0, 28.0, 56.0, ALWAYS)
TRACK_PRIORS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)  # plays
ARTIST_PRIOR = 3.0  # plays
BANDWIDTH = 5.0  # of the popularity, which is between 0 and 100
LEAST = 1e-12  # plays a day


class Method(NamedTuple):
    """How to forecast: half-lives in days, and how many plays the prior of a track is worth."""

    track_half_life: float
    artist_half_life: float
    track_prior: float


METHODS = [Method(*values) for values in product(TRACK_HALF_LIVES, ARTIST_HALF_LIVES, TRACK_PRIORS)]
DEFAULT = Method(ALWAYS, 28.0, 10.0)  # of a log without days to choose by


class Level(NamedTuple):
    """Plays of each track, (tracks,), over so many days, both weighted by their age."""

    plays: Floats
    days: float


@dataclass(frozen=True)
class Tracks:
    """What a forecast knows of the tracks: the number of each one's artist, and its popularity, both (tracks,)."""

    artist: Ints
    popularity: Ints

    @classmethod
    def of(cls, storage: Storage) -> "Tracks":
        """Tracks of unknown popularity get the mean; those without an artist are taken as one artist's."""
        popularity = storage.tracks["popularity"]
        mean = popularity.mean()
        filled = popularity.fill_null(round(mean) if isinstance(mean, float) else 0)
        artists = storage.tracks["artist_id"].fill_null("").to_numpy()
        return cls(np.unique(artists, return_inverse=True)[1].astype(np.int64), filled.to_numpy().astype(np.int64))

    def forecast(self, method: Method, levels: Mapping[float, Level]) -> Floats:
        """Return the plays to expect of each track in a day, (tracks,), from the levels before it by half-life.

        A track starts from what tracks of its popularity are played. That is scaled by how its artist's tracks are
        played beside it, which is the mean of a Gamma prior for the track's own plays; their posterior mean is scaled
        to the artist's present level. Every level is such a posterior mean (Gamma-Poisson).
        """
        long, short = levels[method.track_half_life], levels[method.artist_half_life]
        rate = self._by_popularity(long)
        rate = rate * self._artist_factor(rate, long)
        rate = rate * _factor(long.plays, rate * long.days, method.track_prior)
        return np.maximum(rate * self._artist_factor(rate, short), LEAST)

    def _by_popularity(self, level: Level) -> Floats:
        """Return the mean plays a day of tracks of about the same popularity, by a Gaussian kernel: (tracks,)."""
        points = np.arange(self.popularity.max() + 1)
        kernel = np.exp(-0.5 * ((points[:, None] - points) / BANDWIDTH) ** 2)
        plays, tracks = np.bincount(self.popularity, level.plays), np.bincount(self.popularity)
        rate = np.maximum((kernel @ plays) / (kernel @ tracks), LEAST)[self.popularity]
        return np.asarray(rate * max(level.plays.sum(), 1.0) / (rate.sum() * level.days))

    def _artist_factor(self, rate: Floats, level: Level) -> Floats:
        """Return how much more often than at this rate the tracks of each track's artist are played: (tracks,)."""
        plays, expected = (np.bincount(self.artist, each) for each in (level.plays, rate * level.days))
        return _factor(np.asarray(plays, np.float64), np.asarray(expected, np.float64), ARTIST_PRIOR)[self.artist]


def _factor(plays: Floats, expected: Floats, prior: float) -> Floats:
    return np.asarray((plays + prior) / (expected + prior))


def levels(log: DailyPlays, days: range) -> Iterator[dict[float, Level]]:
    """Yield for each of some days the levels by half-life, of the plays that had ended before it; no day is 0."""
    half_lives = {*TRACK_HALF_LIVES, *ARTIST_HALF_LIVES}
    now = {half_life: Level(np.zeros(log.tracks), 0.0) for half_life in half_lives}
    order = np.argsort(log.end, kind="stable")
    bounds = np.searchsorted(log.end[order], np.arange(days.stop))
    for day in range(1, days.stop):
        ended = np.bincount(log.track[order[bounds[day - 1] : bounds[day]]], minlength=log.tracks)
        for half_life, level in now.items():
            kept = 0.5 ** (1 / half_life)
            now[half_life] = Level(kept * level.plays + ended, kept * level.days + 1)
        if day in days:
            yield dict(now)


def choose(log: DailyPlays, tracks: Tracks, days: range) -> Method:
    """Return the method whose forecasts of these days have the highest Poisson likelihood; a default for none."""
    likelihood = dict.fromkeys(METHODS, 0.0)
    for day, before in zip(days, levels(log, days), strict=True):
        plays = log.counts(day)
        for method in METHODS:
            rate = tracks.forecast(method, before)
            likelihood[method] += float((plays * np.log(rate) - rate).sum())
    return max(likelihood, key=likelihood.__getitem__) if days else DEFAULT
