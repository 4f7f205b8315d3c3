"""Why a track is recommended: the play, artist or genre that most of its score comes from."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.catalogue.string_table import take
from pozytywka_cli.evaluation import Floats, Ints
from pozytywka_cli.families.recommend.features.history import Profile
from pozytywka_cli.families.recommend.features.signals import Signals
from pozytywka_cli.families.recommend.features.tracks import Tracks
from pozytywka_cli.families.recommend.models.lists import Ranker, Recommended
from pozytywka_cli.families.recommend.models.scorers import Als, Autoencoder, Blend, Own, Random

# the signals behind each kind of reason; "play" has those that are left, als and neighbours
KINDS: Mapping[str, Sequence[str]] = {
    "artist": ("artist",),
    "genre": ("genres", "taste", "session", "favourites"),
    "popularity": ("popularity", "trend"),
    "own plays": ("own", "own_recent", "own_skips"),
}


class Reason(NamedTuple):
    """Where a recommendation comes from; id and name of what is meant, where it has any."""

    kind: str
    id: str | None = None
    name: str | None = None


def reasons(ranker: Ranker, profile: Profile, made: Recommended, *, new: bool) -> list[Reason]:
    """Return a reason for each track of a list."""
    scorer = ranker.scorer
    if ranker.ranks_by_completion:
        return [Reason("completion")] * len(made.tracks)
    if isinstance(scorer, Blend):
        return _of_blend(scorer, profile, made, new=new)
    if isinstance(scorer, Als) and scorer.knows(profile):
        return _plays(scorer.signals, profile, made.tracks)
    if isinstance(scorer, Autoencoder) and profile.queried.any():
        similar = scorer.codes[made.tracks] @ scorer.codes[profile.tracks].T
        return _named(ranker.history.tracks, profile, np.where(profile.queried > 0, similar, -np.inf))
    if isinstance(scorer, Random):
        return [Reason("random")] * len(made.tracks)
    own = profile.tracks[profile.full > 0] if isinstance(scorer, Own) else np.zeros(0, np.int64)
    return [Reason("own plays" if track in own else "popularity") for track in made.tracks]


def _plays(signals: Signals, profile: Profile, chosen: Ints) -> list[Reason]:
    """Return the plays that add most to the ALS scores of tracks."""
    return _named(signals.history.tracks, profile, signals.embeddings.contributions(profile, chosen))


def _named(tracks: Tracks, profile: Profile, shares: NDArray[np.float64]) -> list[Reason]:
    """Return the track of a profile with the largest share in each row: (rows, tracks of the profile).

    It is a play of the user, or what the recommendations shall be like.
    """
    largest = profile.tracks[shares.argmax(axis=1)]
    kinds = np.where(np.isin(largest, profile.heard), "play", "like")
    named = zip(kinds, take(tracks.ids, largest), take(tracks.names, largest), strict=True)
    return [Reason(str(kind), track_id, name) for kind, track_id, name in named]


def _of_blend(blend: Blend, profile: Profile, made: Recommended, *, new: bool) -> list[Reason]:
    """Return the kind of signals that lifts each track most above the average track, and what it is about."""
    weights, signals = blend.new if new else blend.all, blend.signals
    names = [name for kind in KINDS.values() for name in kind if name in weights]
    (values,) = signals.of([profile], names)
    parts = {name: weights[name] * value for name, value in zip(names, values, strict=True)}
    chosen, everywhere = made.tracks, signals.history.eligible
    kinds = {
        kind: np.sum([parts[name][chosen] - parts[name][everywhere].mean() for name in own if name in parts], axis=0)
        for kind, own in KINDS.items()
    }
    plays = made.first - np.sum([part[chosen] for part in parts.values()], axis=0)
    shares = np.stack([np.broadcast_to(share, len(chosen)) for share in (plays, *kinds.values())])
    if not len(profile.tracks):
        shares[0] = -np.inf
    largest = np.array(["play", *kinds])[shares.argmax(axis=0)]
    by_plays = chosen[largest == "play"]
    plays_of = iter(_plays(signals, profile, by_plays) if len(by_plays) else ())  # there may be no play
    tracks = signals.history.tracks
    taste = tracks.genres[profile.tracks].T @ profile.plays + profile.favourites
    return [
        next(plays_of) if kind == "play" else _about(str(kind), tracks, taste, track)
        for kind, track in zip(largest, chosen, strict=True)
    ]


def _about(kind: str, tracks: Tracks, taste: Floats, track: int) -> Reason:
    """Return what a kind of signals is about: the track's artist, or that of its genres with the most `taste`.

    taste: (genres,)
    """
    if kind == "artist":
        artist = int(tracks.artists[track])
        return Reason(kind, tracks.artist_ids[artist], tracks.artist_names[artist])
    genres = tracks.genres.indices[slice(*tracks.genres.indptr[track : track + 2])]
    if kind != "genre" or not len(genres):
        return Reason(kind if kind != "genre" else "popularity")
    return Reason(kind, None, tracks.vocabulary[int(genres[taste[genres].argmax()])])
