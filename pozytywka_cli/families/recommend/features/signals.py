"""Signals: for one user, numbers for all tracks that tell which are played next; the blend weighs them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from pozytywka_cli.evaluation import Floats
from pozytywka_cli.families.recommend.features.embeddings import Embeddings
from pozytywka_cli.families.recommend.features.history import LATEST, History, Profile
from pozytywka_cli.threads import one_blas_thread

Matrix = NDArray[np.float64]

# of tracks that are new to the user
NEW = ("popularity", "trend", "als", "neighbours", "genres", "taste", "session", "favourites", "artist")
ALL = (*NEW, "own", "own_recent", "own_skips")

BLOCK = 128  # profiles whose neighbours are computed together
PRIOR_PLAYS = 2.0  # of an artist by a user, at the rate at which everybody plays it
PRIOR_GENRES = 10.0  # plays of a user, of everybody's genres
LEAST = 1e-5  # added to shares before their logarithm


@dataclass(frozen=True)
class Signals:
    """The signals of a history, given the ALS embeddings of its tracks.

    popularity: log of 1 + the plays of the track
    trend: log of recent over usual plays of the track's artist
    als: the score of alternating least squares
    neighbours: log of 1 + the sum, over users, of their similarity to this one (cosine over tracks played to the end,
        each weighing less the more users it has), if they have played the track to its end
    genres: log of how much of the user's plays is of the track's genres, over everybody's
    taste: how well the genres of the user's full plays fit; session: the same of the last ones; favourites: of the
        favourite genres
    artist: log of the user's plays of the other tracks of the artist, over what everybody's plays let expect
    own, own_recent, own_skips: log of 1 + the user's full, recent and skipped plays of the track
    """

    history: History
    embeddings: Embeddings

    def of(self, profiles: Sequence[Profile], names: Sequence[str]) -> Iterator[Matrix]:
        """Yield the named signals of each profile, (names, tracks). They do not depend on other profiles."""
        for first in range(0, len(profiles), BLOCK):
            block = profiles[first : first + BLOCK]
            neighbours = self._neighbours(block) if "neighbours" in names else np.zeros((len(block), 0))
            for profile, others in zip(block, neighbours, strict=True):
                with one_blas_thread():
                    signals = np.stack([self._signal(name, profile, others) for name in names])
                yield signals

    def _signal(self, name: str, profile: Profile, neighbours: Floats) -> Floats:
        """Return one signal: (tracks,)."""
        if name == "neighbours":
            return neighbours
        return self._own(name, profile) if name.startswith("own") else self._computed[name](profile)

    @property
    def _computed(self) -> Mapping[str, Callable[[Profile], Floats]]:
        genres = self.history.tracks.genres
        return {
            "popularity": lambda _: self._popularity,
            "trend": lambda _: self.history.trend,
            "als": lambda profile: self.embeddings.vectors.products(self.embeddings.of_user(profile)[0]),
            "genres": self._genres,
            "taste": self._taste,
            "session": lambda profile: genres @ (np.asarray(genres[profile.latest].sum(axis=0)).ravel() / LATEST),
            "favourites": lambda profile: genres @ profile.favourites,
            "artist": self._artist,
        }

    @cached_property
    def _popularity(self) -> Floats:
        return np.log1p(self.history.plays_of_tracks)

    def _neighbours(self, profiles: Sequence[Profile]) -> Matrix:
        """Return the signal for a block of profiles: (profiles, tracks)."""
        weight = 1 / (1 + np.sqrt(self.history.finishers))
        tracks = [profile.tracks[profile.full > 0] for profile in profiles]
        starts = np.cumsum([0, *map(len, tracks)])
        columns = np.concatenate(tracks)
        shape = (len(profiles), len(weight))
        own = csr_matrix((weight[columns], columns, starts), shape=shape)
        similarity = (own @ self.history.users_of_tracks).toarray()
        return np.asarray(np.log1p((self.history.users_of_tracks @ similarity.T).T * weight))

    def _genres(self, profile: Profile) -> Floats:
        genres, usual = self.history.tracks.genres, self._usual_genres
        own = genres[profile.tracks].T @ profile.plays + PRIOR_GENRES * usual
        total = profile.plays.sum() + PRIOR_GENRES
        return np.asarray(np.log(genres @ (own / total) + LEAST) - np.log(genres @ usual + LEAST))

    def _taste(self, profile: Profile) -> Floats:
        genres = self.history.tracks.genres
        own = genres[profile.tracks].T @ profile.full + PRIOR_GENRES * self._usual_genres
        return np.asarray(genres @ (own / (profile.full.sum() + PRIOR_GENRES)))

    @cached_property
    def _usual_genres(self) -> Floats:
        history = self.history
        return np.asarray((history.tracks.genres.T @ history.plays_of_tracks) / max(1.0, history.plays_of_tracks.sum()))

    def _artist(self, profile: Profile) -> Floats:
        history, artists, plays = self.history, self.history.tracks.artists, self.history.plays_of_tracks
        own = np.zeros(len(artists))
        own[profile.tracks] = profile.plays
        share = profile.plays.sum() / max(1.0, plays.sum())
        expected = share * (history.plays_of_artists[artists] - plays)
        others = history.by_artist(own)[artists] - own
        return np.asarray(np.log((others + PRIOR_PLAYS) / (expected + PRIOR_PLAYS)))

    def _own(self, name: str, profile: Profile) -> Floats:
        """Return a signal of the tracks that the user has played, not of those that were only asked for."""
        values = {"own": profile.full, "own_recent": profile.recent, "own_skips": profile.plays - profile.full}[name]
        signal = np.zeros(len(self.history.tracks))
        heard = np.isin(profile.tracks, profile.heard)
        signal[profile.tracks[heard]] = np.log1p(values[heard])
        return signal
