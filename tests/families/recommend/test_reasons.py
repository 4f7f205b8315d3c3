"""Why a track is recommended."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from pozytywka_cli.catalogue.string_table import take
from pozytywka_cli.families.recommend.features.embeddings import Embeddings
from pozytywka_cli.families.recommend.features.history import History, Profile
from pozytywka_cli.families.recommend.features.signals import ALL, NEW, Signals
from pozytywka_cli.families.recommend.models.completion import Completion, by_predictor
from pozytywka_cli.families.recommend.models.lists import Ranker, Recommended, Wish
from pozytywka_cli.families.recommend.models.reasons import KINDS, Reason, reasons
from pozytywka_cli.families.recommend.models.scorers import Als, Autoencoder, Blend, Own, Popular, Random

from .trained import VARIANTS, Skips, ranker
from .worlds import FULL, SKIPPED, dense, fans, history, history_of

# user 1 plays t0 of artist a and t4 of c; user 2 plays everything, t2 most often
PLAYS = [
    (1, "t0", 0, FULL),
    (1, "t4", 1, SKIPPED),
    *((2, f"t{number}", 2, FULL) for number in range(6)),
    *[(2, "t2", 3, FULL)] * 20,
]


@pytest.fixture(scope="module")
def known() -> History:
    return history(PLAYS)


def told(made: Ranker, tracks: list[int], *, new: bool = True, profile: Profile | None = None) -> list[Reason]:
    """The reasons for tracks, of user 1 unless a profile is given."""
    profile = profile or made.history.profile(0)
    (scores,) = made.scorer.scores([profile], new=new)
    chosen = np.array(tracks)
    return reasons(made, profile, Recommended(chosen, scores[chosen], scores[chosen]), new=new)


def blend(known: History, weights: Mapping[str, float]) -> Ranker:
    """A blend of some signals, with embeddings in which t1 is near t0, and t3 near t4."""
    vectors = np.array([[1.0, 0], [1, 0.1], [0.1, 0.1], [0.1, 1], [0, 1], [0.1, 0.1]])
    signals = Signals(known, Embeddings(dense(vectors), 20.0, 0.1))
    new, every = ({name: weights.get(name, 0.0) for name in names} for names in (NEW, ALL))
    return Ranker(known, Blend(signals, new, every))


def test_every_signal_is_of_one_kind():
    """But those that plays are behind."""
    named = [name for kind in KINDS.values() for name in kind]
    assert sorted([*named, "als", "neighbours"]) == sorted(ALL)


@pytest.mark.parametrize(
    ("signal", "track", "expected"),
    [
        ("artist", 1, Reason("artist", "a", "Ącki & Sons")),
        ("genres", 4, Reason("genre", None, "jazz")),
        ("taste", 3, Reason("genre", None, "rock")),
        ("session", 1, Reason("genre", None, "rock")),
        ("popularity", 2, Reason("popularity")),
        ("als", 1, Reason("play", "t0", "Track t0")),
        ("als", 3, Reason("play", "t4", "Track t4")),
    ],
)
def test_the_signal_that_decides_is_the_reason(known: History, signal: str, track: int, expected: Reason):
    """The one with a weight."""
    assert told(blend(known, {signal: 5.0}), [track]) == [expected]


def test_own_plays_are_a_reason_for_heard_tracks(known: History):
    """Of the three signals of own plays, one has a weight."""
    assert told(blend(known, {"own": 5.0}), [0], new=False) == [Reason("own plays")]


def test_favourite_genres_are_a_reason(known: History):
    """The genre that is named, though the user has never played a track of it."""
    profile = known.profile(0).like(np.zeros(0, np.int64), np.array([0.0, 1, 0]))
    found = told(blend(known, {"favourites": 5.0}), [2], profile=profile)
    assert found == [Reason("genre", None, "pop")]


def test_each_track_has_the_reason_that_lifts_it_most(known: History):
    """Of two tracks of one list, one is of a played artist, and the other is popular."""
    found = told(blend(known, {"artist": 5.0, "popularity": 1.0}), [1, 2])
    assert found == [Reason("artist", "a", "Ącki & Sons"), Reason("popularity")]


def test_the_genre_of_a_track_without_genres_is_no_reason(known: History):
    """Popularity is."""
    assert told(blend(known, {"genres": -5.0}), [5]) == [Reason("popularity")]


def test_without_plays_no_play_is_the_reason(known: History):
    """Whatever weighs most."""
    none, flags = np.zeros(0, np.int64), np.zeros(0, bool)
    nobody = Profile.of(-1, none, flags, flags, np.zeros(0), np.zeros(3))
    found = told(blend(known, {"als": 5.0, "popularity": 0.1}), [2], profile=nobody)
    assert found == [Reason("popularity")]
    assert told(Ranker(known, Als(blend(known, {}).scorer.signals)), [2], profile=nobody) == [Reason("popularity")]


def test_als_names_the_play_that_adds_most(known: History):
    """And for a person who only names a track, that one."""
    made = Ranker(known, Als(blend(known, {}).scorer.signals))
    assert told(made, [1, 3]) == [Reason("play", "t0", "Track t0"), Reason("play", "t4", "Track t4")]
    profile = known.profile(0).like(np.array([2]), np.zeros(3))
    profile = replace(profile, tracks=np.array([2]), plays=np.ones(1), full=np.ones(1), liked=np.zeros(1))
    assert told(made, [1], profile=profile) == [Reason("like", "t2", "Track t2")]


def test_the_autoencoder_names_the_nearest_play_of_the_last_days(known: History):
    """Of those that went to the end: t4, which was skipped, is nearer."""
    codes = np.array([[1.0, 0], [0.8, 0.6], [1, 0], [0, 1], [0, 1], [1, 0]])
    found = told(Ranker(known, Autoencoder(known, dense(codes))), [1, 3])
    assert found == [Reason("play", "t0", "Track t0")] * 2


def test_simple_variants_say_what_they_do(known: History):
    """Own plays come before popular tracks."""
    assert told(Ranker(known, Own(known)), [0, 4, 1]) == [
        Reason("own plays"),
        Reason("popularity"),
        Reason("popularity"),
    ]
    assert told(Ranker(known, Popular(known)), [0, 1]) == [Reason("popularity")] * 2
    assert told(Ranker(known, Random(known, 0)), [0]) == [Reason("random")]


def test_preference_names_completion(known: History):
    """Where there is a skip model; without one it is popularity."""
    completion = Completion(by_predictor(Skips()), known.tracks)
    assert told(Ranker(known, Popular(known), completion, ((0.0, 1.0),) * 2), [1]) == [Reason("completion")]
    assert told(ranker("preference", known), [1]) == [Reason("popularity")]


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_named_is_true(variant: str):
    """A play is one of the user's own, and an artist is the track's."""
    made = ranker(variant, history_of(fans()), Skips())
    tracks, seen = made.history.tracks, set()
    for row in range(6):
        profile = made.history.profile(row)
        for new in (True, False):
            (listed,) = made.lists([profile], [Wish(20, new)])
            found = reasons(made, profile, listed, new=new)
            assert len(found) == len(listed.tracks)
            played = set(take(tracks.ids, profile.tracks))
            for track, reason in zip(listed.tracks, found, strict=True):
                seen.add(reason.kind)
                if reason.kind == "play":
                    assert reason.id in played
                    assert reason.name == f"Track {reason.id}"
                if reason.kind == "artist":
                    assert reason[1:] == (tracks.artist_ids[int(tracks.artists[track])], f"Artist {int(reason.id)}")
    assert seen <= {"play", "artist", "genre", "popularity", "own plays", "completion", "random"}
