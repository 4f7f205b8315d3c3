"""What users have played until a moment: the counts that every variant learns from, and one user's own plays."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from pozytywka_cli.catalogue.string_table import row_of
from pozytywka_cli.evaluation import Flags, Floats, Ints
from pozytywka_cli.families.recommend.features.tracks import Tracks

DAY = 86_400_000_000  # µs
HALF_LIFE = 14 * DAY  # of a play in the counts of recent plays
QUERY = 28 * DAY  # the plays that describe a user to the autoencoder
HEAD = 0.2  # the share of the tracks with plays that are no tail
LATEST = 10  # full plays that stand for the present session
PRIOR_RECENT = 3.0  # recent plays of an artist, at its usual rate
LIKE, SKIP = 1.0, 0.2  # what a like and a skip weigh beside a full play


@dataclass(frozen=True)
class Profile:
    """The tracks of one user, once each and ascending, or of a person who only names some; and favourite genres.

    user: the user's id
    tracks: (n,) numbers of tracks
    plays, full, liked: (n,) counts of plays, of those that were played to the end, and that were liked
    recent: (n,) plays that count half after `HALF_LIFE`
    queried: (n,) full plays of the last 28 days
    latest: numbers of the tracks of the last full plays, the latest first, at most `LATEST`
    favourites: (genres,) a vector of length 1, or 0
    heard: numbers of the tracks that are not new to the user, ascending
    asked: numbers of the tracks that the recommendations shall be like, and that are not recommended themselves
    within: (genres,) above 0 for the genres that recommendations are limited to; all 0 for no limit
    """

    user: int
    tracks: Ints
    plays: Floats
    full: Floats
    liked: Floats
    recent: Floats
    queried: Floats
    latest: Ints
    favourites: Floats
    heard: Ints
    asked: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    within: Floats = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(cls, user: int, tracks: Ints, full: Flags, liked: Flags, age: Floats, favourites: Floats) -> "Profile":
        """Sum up plays, (plays,) each, in the order of time; `age` is in µs."""
        distinct, place = np.unique(tracks, return_inverse=True)

        def total(weights: Flags | Floats) -> Floats:
            return np.bincount(place, weights=weights, minlength=len(distinct)).astype(np.float64)

        return cls(
            user=user,
            tracks=distinct,
            plays=total(np.ones(len(tracks))),
            full=total(full),
            liked=total(liked),
            recent=total(0.5 ** (age / HALF_LIFE)),
            queried=total(full & (age < QUERY)),
            latest=tracks[full][: -LATEST - 1 : -1],
            favourites=favourites,
            heard=distinct,
        )

    @property
    def weights(self) -> Floats:
        """What each track weighs: full plays and likes more, skips less: (n,)."""
        return self.full + LIKE * self.liked + SKIP * (self.plays - self.full)

    def like(self, seeds: Ints, favourites: Floats) -> "Profile":
        """Return a profile in which full plays of the seeds weigh as much as all others, and other favourites if any.

        seeds: numbers of tracks; favourites: (genres,) a vector of length 1, or 0
        """
        favourites = favourites if favourites.any() else self.favourites
        if not len(seeds):
            return replace(self, favourites=favourites)
        weight = max(1.0, self.plays.sum() / len(seeds))
        tracks = np.union1d(self.tracks, seeds)
        added = np.isin(tracks, seeds) * weight
        sums = {name: added.copy() for name in ("plays", "full", "recent", "queried")} | {
            "liked": np.zeros(len(tracks))
        }
        for name, total in sums.items():
            total[np.searchsorted(tracks, self.tracks)] += getattr(self, name)
        return replace(self, tracks=tracks, latest=seeds[:LATEST], favourites=favourites, **sums)


@dataclass(frozen=True)
class History:
    """The plays that are known at a moment, by user and then by time.

    users: (users,) ids, ascending, of those with plays and of those in the users table
    starts: (users + 1,) where each user's plays begin
    track, full, liked: (plays,) the number of the track, whether it was played to the end, and whether it was liked
    at: (plays,) when it started, µs since 1970; now: the moment, µs
    favourites: (users, genres) rows of length 1 or 0
    """

    tracks: Tracks
    users: Ints
    starts: Ints
    track: Ints
    full: Flags
    liked: Flags
    at: Ints
    now: int
    favourites: csr_matrix

    @cached_property
    def played_to_end(self) -> csr_matrix:
        """Which user has played which track to its end: (users, tracks), ones."""
        return self._matrix(self.full)

    @cached_property
    def heard(self) -> csr_matrix:
        """Which user has played which track, to its end or not: (users, tracks), ones."""
        return self._matrix(np.ones_like(self.full))

    @cached_property
    def plays_of_tracks(self) -> Floats:
        """The number of plays of each track: (tracks,)."""
        return np.bincount(self.track, minlength=len(self.tracks)).astype(np.float64)

    @cached_property
    def users_of_tracks(self) -> csr_matrix:
        """The transpose of `played_to_end`: (tracks, users), ones."""
        return self.played_to_end.T.tocsr()

    @cached_property
    def finishers(self) -> Floats:
        """The number of users that have played each track to its end: (tracks,)."""
        return np.asarray(np.diff(self.users_of_tracks.indptr), dtype=np.float64)

    @cached_property
    def listeners(self) -> Floats:
        """The number of users that have played each track: (tracks,)."""
        return np.bincount(self.heard.indices, minlength=len(self.tracks)).astype(np.float64)

    @cached_property
    def eligible(self) -> Flags:
        """The tracks that can be recommended by what people play: those with plays: (tracks,)."""
        return self.plays_of_tracks > 0

    @cached_property
    def tail(self) -> Flags:
        """The 80 % of the tracks with plays that are played least: (tracks,)."""
        rank = np.argsort(np.argsort(-self.plays_of_tracks, kind="stable"), kind="stable")
        return np.asarray(self.eligible & (rank >= np.ceil(HEAD * self.eligible.sum())))

    @cached_property
    def trend(self) -> Floats:
        """The logarithm of recent over usual plays of the artist of each track: (tracks,)."""
        decay = 0.5 ** (self.age() / HALF_LIFE)
        recent = self.by_artist(np.bincount(self.track, weights=decay, minlength=len(self.tracks)).astype(float))
        usual = self.plays_of_artists * (decay.sum() / max(1, len(decay)))
        return np.asarray(np.log((recent + PRIOR_RECENT) / (usual + PRIOR_RECENT))[self.tracks.artists])

    @cached_property
    def plays_of_artists(self) -> Floats:
        """The number of plays of each artist: (artists,)."""
        return self.by_artist(self.plays_of_tracks)

    def by_artist(self, values: Floats) -> Floats:
        """Sum values of tracks, (tracks,), by artist: (artists,)."""
        return np.bincount(self.tracks.artists, weights=values, minlength=len(self.tracks.artist_ids)).astype(float)

    def age(self, plays: slice = slice(None)) -> Floats:
        """Return how long before the moment plays started: (plays,), µs."""
        return (self.now - self.at[plays]).astype(np.float64)

    def find(self, user_id: int) -> int | None:
        """Return the row of a user; None for an unknown one."""
        return row_of(self.users, user_id)

    def profile(self, row: int | np.integer[Any]) -> Profile:
        """Return the profile of a user of `users`."""
        own = slice(self.starts[row], self.starts[row + 1])
        plays = (self.track[own], self.full[own], self.liked[own], self.age(own))
        return Profile.of(int(self.users[row]), *plays, self.favourites_of(row))

    def favourites_of(self, row: int | np.integer[Any]) -> Floats:
        """Return a row of `favourites`: (genres,)."""
        own, taste = slice(*self.favourites.indptr[row : row + 2]), np.zeros(self.favourites.shape[1])
        taste[self.favourites.indices[own]] = self.favourites.data[own]
        return taste

    def _matrix(self, chosen: Flags) -> csr_matrix:
        """Return which user has chosen plays of which track: (users, tracks), ones, columns ascending."""
        row = np.repeat(np.arange(len(self.users)), np.diff(self.starts))
        pairs = np.sort((row * len(self.tracks) + self.track)[chosen])  # faster than np.unique
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]
        where = np.divmod(pairs, max(1, len(self.tracks)))
        return csr_matrix((np.ones(len(pairs)), where), shape=(len(self.users), len(self.tracks)))

    def weights(self) -> csr_matrix:
        """Return what each track weighs for each user, see `Profile.weights`: (users, tracks)."""
        row = np.repeat(np.arange(len(self.users)), np.diff(self.starts))
        weight = np.where(self.full, 1.0, SKIP) + LIKE * self.liked
        pairs, place = np.unique(row * len(self.tracks) + self.track, return_inverse=True)
        where = np.divmod(pairs, max(1, len(self.tracks)))
        return csr_matrix((np.bincount(place, weights=weight), where), shape=(len(self.users), len(self.tracks)))
