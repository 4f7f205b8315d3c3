"""The predictor: from users, and what they ask for, to lists of tracks with reasons."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any, ClassVar, Self

import msgspec
import numpy as np
import polars as pl
from msgspec import Meta

from pozytywka_cli.artifacts import Version
from pozytywka_cli.catalogue import fuzzy, names
from pozytywka_cli.catalogue.string_table import StringIndex
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError, UsageError
from pozytywka_cli.evaluation import Ints
from pozytywka_cli.families.family import loading
from pozytywka_cli.families.recommend import FAMILY
from pozytywka_cli.families.recommend.features.history import History, Profile
from pozytywka_cli.families.recommend.features.tracks import Tracks
from pozytywka_cli.families.recommend.models.lists import Ranker, Recommended, Wish
from pozytywka_cli.families.recommend.models.model import Model, Other
from pozytywka_cli.families.recommend.models.reasons import reasons

MOST = 10_000  # tracks of a list
DIVERSITY = 0.2
TAIL = 5  # one in so many tracks is of the tail, unless the request says how many
COLUMNS: dict[str, Any] = {
    "user_id": pl.Int64,
    "rank": pl.Int64,
    "track_id": pl.String,
    "track": pl.String,
    "artist": pl.String,
    "score": pl.Float64,
    "because": pl.Struct({"kind": pl.String, "id": pl.String, "name": pl.String}),
    "variant": pl.String,
    "problem": pl.String,
}


class RecommendRequest(msgspec.Struct):
    """Tracks for a user.

    count: how many
    allow_heard: whether tracks may be among them that the user has played
    diversity: how much it counts that tracks are unlike each other, 0 to 1
    tail: at least so many of them are of the 80 % of tracks that are played least; None: one in five
    like_track, like_artist: an id and a name; what is like them counts as much as the user's own plays
    genres: separated by commas; only tracks of these genres are recommended, as if they were the user's favourites
    """

    user_id: int
    count: Annotated[int, Meta(ge=1, le=MOST)] = 20
    allow_heard: bool = False
    diversity: Annotated[float, Meta(ge=0, le=1)] = DIVERSITY
    tail: Annotated[int, Meta(ge=0, le=MOST)] | None = None
    like_track: str | None = None
    like_artist: str | None = None
    genres: str | None = None

    @property
    def wish(self) -> Wish:
        """What the list shall be."""
        tail = self.count // TAIL if self.tail is None else self.tail
        return Wish(self.count, not self.allow_heard, self.diversity, tail)


@dataclass(frozen=True)
class RecommendPredictor:
    """A model with the plays, opened once."""

    Request: ClassVar[type[msgspec.Struct]] = RecommendRequest
    ranker: Ranker
    variant: str

    @classmethod
    def open(cls, version: Version, dataset: Dataset | None, other: Other = lambda: None) -> Self:
        """Load a checked version, and prepare the plays; `other` opens the predictor of skips, if there is one.

        Raises:
            UsageError: there is no dataset.
            ArtifactError: a file holds something else than a model of the variant.
        """
        if dataset is None:
            raise UsageError("recommend needs plays, and there is no data", "Name a data folder with --data-dir.")
        with loading(version, FAMILY.variants):
            model = Model.load(version)
        return cls(model.ranker(History.of(dataset, Tracks.of(dataset)), other), version.manifest.variant)

    def default_requests(self) -> pl.DataFrame:
        """Return every user with plays or in the users table."""
        return self.ranker.history.users.to_frame()

    def predict(self, requests: pl.DataFrame) -> pl.DataFrame:
        """Return user_id, rank, track_id, track, artist, score, because, variant and problem: a row for each track.

        `because` is what the recommendation comes from, see `Reason`. Scores are comparable within one list only. A
        request that cannot be answered has one row, where `problem` says why; user_id and variant are the only others
        that are not null there.

        Raises:
            RefusedError: the column user_id is missing.
        """
        if "user_id" not in requests.columns:
            raise RefusedError("the requests have no column user_id", "Give user_id for each one.")
        asked = [_request(fields) for fields in requests.iter_rows(named=True)]
        users = self.ranker.history.find([request.user_id for request in asked])
        profiles = [self._profile(request, row) for request, row in zip(asked, users, strict=True)]
        known = [(request, one) for request, one in zip(asked, profiles, strict=True) if isinstance(one, Profile)]
        lists = iter(self.ranker.lists([one for _, one in known], [request.wish for request, _ in known]))
        rows = [
            row
            for request, one in zip(asked, profiles, strict=True)
            for row in (self._rows(request, one, next(lists)) if isinstance(one, Profile) else [self._no(request, one)])
        ]
        return pl.DataFrame(rows, COLUMNS, orient="row")

    def _profile(self, request: RecommendRequest, row: int) -> Profile | str:
        """Return the profile that a request is answered by, or the problem that keeps it from being answered.

        `row` is that of the user in the history, -1 for an unknown one.
        """
        tracks, nothing = self.ranker.history.tracks, np.zeros(0, np.int64)
        seeds, asked = nothing, nothing
        if request.like_track is not None:
            asked = seeds = tracks.find(pl.Series([request.like_track]))
            if asked[0] < 0:
                return f'there is no track with the id "{names.shorten(request.like_track)}"'
        if request.like_artist is not None:
            own = self._tracks_by(request.like_artist)
            if not len(own):
                return self._unknown_artist(request.like_artist)
            seeds = np.union1d(seeds, own)
        named = [name.strip() for name in (request.genres or "").split(",")]
        favourites = tracks.genre_vector(named)
        if request.genres is not None and not favourites.any():
            return f'no artist has a genre of "{names.shorten(request.genres)}"'
        if row >= 0:
            profile = self.ranker.history.profile(row)
        elif len(seeds) or favourites.any():
            profile = Profile.of(request.user_id, nothing, nothing > 0, nothing > 0, np.zeros(0), favourites)
        else:
            return f"user {request.user_id} is unknown: there are no plays, and no row in users"
        return replace(profile.like(seeds, favourites), asked=asked, within=favourites)

    def _tracks_by(self, artist: str) -> Ints:
        """Return the tracks of the artists with a name; case, accents and punctuation do not matter."""
        key = names.key(artist)
        return np.flatnonzero(np.isin(self.ranker.history.tracks.artists, self._keys.find(key) if key else []))

    def _unknown_artist(self, artist: str) -> str:
        """Return a problem that names the artists that may have been meant."""
        found = self.ranker.history.tracks.artist_names
        nearest = fuzzy.suggestions(self._keys, names.typo_readings(names.key(artist)))
        suggestion = names.suggestion(name for row in nearest if (name := found[row]))
        return f'no artist is called "{names.shorten(artist)}". {suggestion}'.rstrip(" .")

    @cached_property
    def _keys(self) -> StringIndex:
        """The keys of the names of all artists, empty where one has no name."""
        return StringIndex.of([names.key(name or "") for name in self.ranker.history.tracks.artist_names])

    def _rows(self, request: RecommendRequest, profile: Profile, made: Recommended) -> list[dict[str, Any]]:
        tracks, chosen = self.ranker.history.tracks, made.tracks
        columns = (
            tracks.ids.gather(chosen),
            tracks.names.gather(chosen),
            tracks.artist_names.gather(tracks.artists[chosen]),
            made.scores.tolist(),
            reasons(self.ranker, profile, made, new=request.wish.new),
        )
        return [
            {
                "user_id": request.user_id,
                "rank": rank,
                "track_id": track_id,
                "track": track,
                "artist": artist,
                "score": score,
                "because": reason._asdict(),
                "variant": self.variant,
            }
            for rank, (track_id, track, artist, score, reason) in enumerate(zip(*columns, strict=True), 1)
        ]

    def _no(self, request: RecommendRequest, problem: str) -> dict[str, Any]:
        return {"user_id": request.user_id, "variant": self.variant, "problem": problem}


def _request(fields: dict[str, Any]) -> RecommendRequest:
    """Return a request; null in a field with a default is that default."""
    return RecommendRequest(**{name: value for name, value in fields.items() if value is not None})
