"""From requests to rows: whom a request is about, the list, and the reasons; without frames."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pozytywka_cli.catalogue import fuzzy, names
from pozytywka_cli.catalogue.string_table import take
from pozytywka_cli.evaluation import Ints
from pozytywka_cli.families.predictor import Answer
from pozytywka_cli.families.recommend.features.history import Profile
from pozytywka_cli.families.recommend.models.lists import Ranker, Recommended
from pozytywka_cli.families.recommend.models.reasons import reasons
from pozytywka_cli.families.recommend.requests import RecommendRequest

COLUMNS = ("user_id", "rank", "track_id", "track", "artist", "score", "because", "variant", "problem")


@dataclass(frozen=True)
class Answers:
    """A variant with the plays that are known."""

    ranker: Ranker
    variant: str

    def of(self, requests: Sequence[RecommendRequest]) -> list[list[Answer]]:
        """Return the rows of each request, see `RecommendPredictor.predict`."""
        profiles = [self.profile(request) for request in requests]
        known = [(request, one) for request, one in zip(requests, profiles, strict=True) if isinstance(one, Profile)]
        lists = iter(self.ranker.lists([one for _, one in known], [request.wish for request, _ in known]))
        return [
            self._rows(request, one, next(lists)) if isinstance(one, Profile) else [self._no(request, one)]
            for request, one in zip(requests, profiles, strict=True)
        ]

    def profile(self, request: RecommendRequest) -> Profile | str:
        """Return the profile that a request is answered by, or the problem that keeps it from being answered."""
        history, nothing = self.ranker.history, np.zeros(0, np.int64)
        tracks, seeds, asked = history.tracks, nothing, nothing
        if request.like_track is not None:
            number = tracks.find(request.like_track)
            if number is None:
                return f'there is no track with the id "{names.shorten(request.like_track)}"'
            asked = seeds = np.array([number], dtype=np.int64)
        if request.like_artist is not None:
            own = self._tracks_by(request.like_artist)
            if not len(own):
                return self._unknown_artist(request.like_artist)
            seeds = np.union1d(seeds, own)
        named = [name.strip() for name in (request.genres or "").split(",")]
        favourites = tracks.genre_vector(named)
        if request.genres is not None and not favourites.any():
            return f'no artist has a genre of "{names.shorten(request.genres)}"'
        row = history.find(request.user_id)
        if row is not None:
            profile = history.profile(row)
        elif len(seeds) or favourites.any():
            profile = Profile.of(request.user_id, nothing, nothing > 0, nothing > 0, np.zeros(0), favourites)
        else:
            return f"user {request.user_id} is unknown: there are no plays, and no row in users"
        return replace(profile.like(seeds, favourites), asked=asked, within=favourites)

    def _tracks_by(self, artist: str) -> Ints:
        """Return the tracks of the artists with a name; case, accents and punctuation do not matter."""
        key = names.key(artist)
        tracks = self.ranker.history.tracks
        return np.flatnonzero(np.isin(tracks.artists, tracks.artist_keys.find(key) if key else []))

    def _unknown_artist(self, artist: str) -> str:
        """Return a problem that names the artists that may have been meant."""
        tracks = self.ranker.history.tracks
        nearest = fuzzy.suggestions(tracks.artist_keys, names.typo_readings(names.key(artist)))
        suggestion = names.suggestion(name for name in take(tracks.artist_names, nearest) if name)
        return f'no artist is called "{names.shorten(artist)}". {suggestion}'.rstrip(" .")

    def _rows(self, request: RecommendRequest, profile: Profile, made: Recommended) -> list[Answer]:
        tracks, chosen = self.ranker.history.tracks, made.tracks
        columns = (
            take(tracks.ids, chosen),
            take(tracks.names, chosen),
            take(tracks.artist_names, tracks.artists[chosen]),
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
                "problem": None,
            }
            for rank, (track_id, track, artist, score, reason) in enumerate(zip(*columns, strict=True), 1)
        ]

    def _no(self, request: RecommendRequest, problem: str) -> Answer:
        return dict.fromkeys(COLUMNS) | {"user_id": request.user_id, "variant": self.variant, "problem": problem}
