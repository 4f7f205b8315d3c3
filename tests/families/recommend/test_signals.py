"""Signals, against values by hand."""

from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_cli.families.recommend.features import signals as module
from pozytywka_cli.families.recommend.features.history import Profile
from pozytywka_cli.families.recommend.features.signals import ALL, NEW, Signals

from .trained import signals_of
from .worlds import FULL, SKIPPED, history, history_of, noise

# t0 and t1 are of artist a (rock), t2 and t3 of b (pop and rock), t4 of c (jazz), t5 of nobody
PLAYS = [
    (1, "t0", 0, FULL),
    (1, "t2", 14, FULL),
    (1, "t4", 14, SKIPPED),
    (2, "t0", 14, FULL),
    (2, "t1", 28, FULL),
    (3, "t4", 28, FULL),
]
HALF = 0.5**0.5
GENRES = np.array([[0, 0, 1], [0, 0, 1], [0, HALF, HALF], [0, HALF, HALF], [1, 0, 0], [0, 0, 0]])  # jazz, pop, rock


@pytest.fixture(scope="module")
def signals() -> Signals:
    """Those of the plays above; user 1 has pop as a favourite genre."""
    return signals_of(history(PLAYS, users={1: ["pop"]}))


def of(signals: Signals, name: str, row: int = 0) -> np.ndarray:
    """One signal of one user."""
    ((found,),) = signals.of([signals.history.profile(row)], [name])
    return np.asarray(found)


def test_popularity_counts_plays(signals: Signals):
    """Of everybody, skipped or not."""
    assert of(signals, "popularity") == pytest.approx(np.log1p([2, 1, 1, 0, 2, 0]))


def test_trend_is_recent_over_usual_plays_of_the_artist(signals: Signals):
    """Plays of 0, 14 and 28 days ago count 1, a half and a quarter, on average 3.75 / 6."""
    mean = 3.75 / 6
    a, b, c = (log((recent + 3) / (plays * mean + 3)) for recent, plays in ((1.75, 3), (0.5, 1), (1.5, 2)))
    assert of(signals, "trend") == pytest.approx([a, a, b, b, c, 0])


def test_als_is_the_product_of_embeddings(signals: Signals):
    """Of the user and of each track."""
    user, _ = signals.embeddings.of_user(signals.history.profile(0))
    assert of(signals, "als") == pytest.approx(signals.embeddings.vectors.products(user))


def test_neighbours_share_tracks_played_to_the_end(signals: Signals):
    """t0 has two such users, t1, t2 and t4 one each; user 1 shares t0 with user 2, and the skipped t4 with nobody."""
    two, one = 1 / (1 + 2**0.5), 1 / 2
    self, other = two + one, two  # similarities of users 1 and 2 to user 1
    expected = [two * (self + other), one * other, one * self, 0, 0, 0]
    assert of(signals, "neighbours") == pytest.approx(np.log1p(expected))


def usual() -> np.ndarray:
    """The genres of all six plays, of each on average."""
    return (2 * GENRES[0] + GENRES[1] + GENRES[2] + 2 * GENRES[4]) / 6


def test_genres_compare_the_users_with_everybodys(signals: Signals):
    """With ten plays of the usual genres beside the user's three."""
    own = (GENRES[[0, 2, 4]].sum(axis=0) + 10 * usual()) / 13
    expected = np.log(GENRES @ own + 1e-5) - np.log(GENRES @ usual() + 1e-5)
    assert of(signals, "genres") == pytest.approx(expected)
    assert expected[5] == 0


def test_taste_is_of_full_plays(signals: Signals):
    """The skipped t4 does not count."""
    own = (GENRES[[0, 2]].sum(axis=0) + 10 * usual()) / 12
    assert of(signals, "taste") == pytest.approx(GENRES @ own)


def test_session_is_of_the_last_ten_full_plays(signals: Signals):
    """Here of two."""
    assert of(signals, "session") == pytest.approx(GENRES @ GENRES[[0, 2]].sum(axis=0) / 10)


def test_favourites_are_those_of_the_users_table(signals: Signals):
    """Tracks of b are half pop; user 2 has no row there."""
    assert of(signals, "favourites") == pytest.approx([0, 0, HALF, HALF, 0, 0])
    assert not of(signals, "favourites", 1).any()


def test_artist_counts_the_users_plays_of_the_other_tracks(signals: Signals):
    """Over half (3 of 6 plays) of everybody's plays of them, both with two more."""
    pairs = [(0, 1), (1, 2), (0, 0), (1, 1), (0, 0), (0, 0)]  # the user's, everybody's
    expected = [log((own + 2) / (0.5 * others + 2)) for own, others in pairs]
    assert of(signals, "artist") == pytest.approx(expected)


def test_own_plays_are_counted_by_kind(signals: Signals):
    """Full ones, recent ones (28 and 14 days ago), skipped ones."""
    assert of(signals, "own") == pytest.approx(np.log1p([1, 0, 1, 0, 0, 0]))
    assert of(signals, "own_recent") == pytest.approx(np.log1p([0.25, 0, 0.5, 0, 0.5, 0]))
    assert of(signals, "own_skips") == pytest.approx(np.log1p([0, 0, 0, 0, 1, 0]))


def test_what_is_only_asked_for_is_no_own_play(signals: Signals):
    """t3 is new to user 1, and t0 is not: it counts with what is added."""
    profile = signals.history.profile(0).like(np.array([0, 3]), np.zeros(3))
    ((found,),) = signals.of([profile], ["own"])
    assert found == pytest.approx(np.log1p([1 + 1.5, 0, 1, 0, 0, 0]))


@pytest.mark.parametrize("name", ALL)
def test_a_user_without_plays_has_finite_signals(signals: Signals, name: str):
    """And so has every user of an empty history."""
    none, flags = np.zeros(0, np.int64), np.zeros(0, bool)
    nobody = Profile.of(-1, none, flags, flags, np.zeros(0), np.zeros(3))
    for one in (signals, signals_of(history([]))):
        ((found,),) = one.of([nobody], [name])
        assert np.isfinite(found).all()
        if name not in ("popularity", "trend", "taste"):
            assert found == pytest.approx(np.zeros(6))


def test_there_is_one_value_for_each_name_and_track(signals: Signals):
    """In the order of the names."""
    profiles = [signals.history.profile(row) for row in range(3)]
    for names in (NEW, ALL, tuple(reversed(ALL))):
        found = list(signals.of(profiles, names))
        assert [one.shape for one in found] == [(len(names), 6)] * 3
        assert np.array_equal(found[0][names.index("artist")], of(signals, "artist"))


NOISE = signals_of(history_of(noise()))


@settings(deadline=None, max_examples=20)
@given(rows=st.lists(st.integers(0, 23), min_size=1, max_size=12), block=st.integers(1, 5))
def test_signals_do_not_depend_on_the_other_profiles(rows, block):
    """Not in the last bit, whatever the size of a block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        together = list(NOISE.of([NOISE.history.profile(row) for row in rows], ALL))
    for row, found in zip(rows, together, strict=True):
        (alone,) = NOISE.of([NOISE.history.profile(row)], ALL)
        assert alone.tobytes() == found.tobytes()
