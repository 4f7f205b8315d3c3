"""What is known of users at a moment: sums of plays, and profiles."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_cli.families.recommend.features.frames import collect_history, collect_tracks, user_rows
from pozytywka_cli.families.recommend.features.history import LATEST, Profile

from .worlds import FULL, LIKED, SKIPPED, TRACKS, dataset, divided, history, history_of, moment

PLAYS = [
    (7, "t0", 0, FULL),
    (7, "t2", 2, SKIPPED),
    (7, "t0", 14, LIKED),
    (7, "t4", 26, FULL),
    (7, "t2", 28, SKIPPED),
    (3, "t2", 28, FULL),
]
ANY_PLAYS = st.lists(
    st.tuples(
        st.integers(1, 4), st.sampled_from(list(TRACKS)), st.integers(0, 60), st.sampled_from([FULL, SKIPPED, LIKED])
    ),
    min_size=1,
    max_size=40,
)
NOTHING = np.zeros(3)  # favourite genres


def test_a_profile_sums_up_the_plays_of_a_user():
    """The moment is that of the last play, on day 28. Plays count half after 14 days; 28 days ago is too long ago."""
    found = history(PLAYS)
    assert found.users.tolist() == [3, 7]
    profile = found.profile(1)
    assert (profile.user, profile.tracks.tolist(), profile.heard.tolist()) == (7, [0, 2, 4], [0, 2, 4])
    assert profile.plays.tolist() == [2, 2, 1]
    assert profile.full.tolist() == [2, 0, 1]
    assert profile.liked.tolist() == [1, 0, 0]
    assert profile.recent == pytest.approx([0.25 + 0.5, 0.5 ** (26 / 14) + 1, 0.5 ** (2 / 14)])
    assert profile.queried.tolist() == [1, 0, 1]
    assert profile.latest.tolist() == [4, 0, 0]
    assert profile.weights == pytest.approx([2 + 1, 0.2 * 2, 1])
    assert not len(profile.asked)


def test_at_a_moment_plays_are_as_old_as_they_are_then():
    """Not as they were at the last play; what came later is unknown."""
    found = divided(dataset(PLAYS), 20).history
    profile = found.profile(found.find(7))
    assert profile.recent == pytest.approx([0.5 ** (20 / 14) + 0.5 ** (6 / 14), 0.5 ** (18 / 14)])
    assert profile.queried.tolist() == [2, 0]
    assert profile.latest.tolist() == [0, 0]


def test_of_the_last_full_plays_ten_are_kept():
    """The latest first."""
    played = [(1, f"t{number % 6}", number, FULL) for number in range(20)]
    expected = [number % 6 for number in range(19, 19 - LATEST, -1)]
    assert history(played).profile(0).latest.tolist() == expected


def test_users_are_those_with_plays_and_those_of_the_table():
    """One without plays has an empty profile with favourite genres; one of plays alone has no favourites."""
    found = history(PLAYS, users={5: ["Rock", "polka"], 7: None, 9: []})
    assert found.users.tolist() == [3, 5, 7, 9]
    assert [found.find(user) for user in (9, 4, 3, -(2**70), 2**70)] == [3, None, 0, None, None]
    assert user_rows(found, pl.Series([9, None, 4, 3])).tolist() == [3, -1, -1, 0]
    empty = found.profile(1)
    assert (len(empty.tracks), len(empty.latest), len(empty.weights)) == (0, 0, 0)
    assert empty.favourites.tolist() == [0, 0, 1]
    assert not found.profile(0).favourites.any()


def test_counts_of_tracks_are_those_of_plays_and_of_users():
    """User 7 has played t0 twice and has only skipped t2; t1, t3 and t5 have no plays."""
    found = history(PLAYS)
    assert found.plays_of_tracks.tolist() == [2, 0, 3, 0, 1, 0]
    assert found.listeners.tolist() == [1, 0, 2, 0, 1, 0]
    assert found.finishers.tolist() == [1, 0, 1, 0, 1, 0]
    assert found.eligible.tolist() == [True, False, True, False, True, False]
    assert found.heard.toarray().tolist() == [[0, 0, 1, 0, 0, 0], [1, 0, 1, 0, 1, 0]]
    assert found.played_to_end.toarray().tolist() == [[0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 1, 0]]


def test_the_tail_is_the_80_percent_that_are_played_least():
    """Of the tracks with plays; of ten the two most played are not in it, and of equals the first is not."""
    names = {f"t{number:02}": "a" for number in range(12)}
    played = [(1, f"t{number:02}", 0, FULL) for number in range(10) for _ in range({3: 5, 6: 2, 8: 2}.get(number, 1))]
    expected = [number < 10 and number not in (3, 6) for number in range(12)]
    assert history(played, tracks=names).tail.tolist() == expected


@settings(deadline=None, max_examples=30)
@given(plays=ANY_PLAYS)
def test_the_matrix_of_weights_has_the_weights_of_profiles(plays):
    """Every row, and its columns are ascending."""
    found = history(plays)
    weights = found.weights()
    for row in range(len(found.users)):
        profile, own = found.profile(row), weights[[row]]
        assert own.indices.tolist() == profile.tracks.tolist()
        assert own.data == pytest.approx(profile.weights)


@settings(deadline=None, max_examples=30)
@given(plays=ANY_PLAYS, order=st.randoms())
def test_the_order_of_lines_does_not_matter(plays, order):
    """Of plays at different times."""
    timed = [(user, track, day + place / 100, how) for place, (user, track, day, how) in enumerate(plays)]
    shuffled = order.sample(timed, len(timed))
    one, other = history(timed), history(shuffled)
    assert one.track.tolist() == other.track.tolist()
    assert one.profile(0).latest.tolist() == other.profile(0).latest.tolist()


def test_what_is_liked_weighs_as_much_as_all_own_plays():
    """Two seeds share 5 plays, as full ones of now; one is new to the profile, and stays new to the user."""
    profile = history(PLAYS).profile(1)
    found = profile.like(np.array([2, 3]), NOTHING)
    assert found.tracks.tolist() == [0, 2, 3, 4]
    assert found.plays.tolist() == [2, 2 + 2.5, 2.5, 1]
    assert found.full.tolist() == [2, 2.5, 2.5, 1]
    assert found.liked.tolist() == [1, 0, 0, 0]
    assert found.recent == pytest.approx([0.75, 1 + 0.5 ** (26 / 14) + 2.5, 2.5, 0.5 ** (2 / 14)])
    assert found.queried.tolist() == [1, 2.5, 2.5, 1]
    assert found.latest.tolist() == [2, 3]
    assert found.heard.tolist() == [0, 2, 4]


@given(seeds=st.sets(st.integers(0, 5), min_size=1))
def test_seeds_have_half_of_the_full_plays(seeds):
    """Of all that is added and that was played before; each seed the same, and at least one play each."""
    profile = history(PLAYS).profile(1)
    found = profile.like(np.array(sorted(seeds)), NOTHING)
    assert found.plays.sum() == pytest.approx(profile.plays.sum() + max(len(seeds), profile.plays.sum()))


def test_without_seeds_only_favourites_change():
    """And without other favourites nothing does."""
    profile, nothing = history(PLAYS, users={7: ["jazz"]}).profile(1), np.zeros(0, np.int64)
    assert profile.like(nothing, NOTHING).favourites.tolist() == [1, 0, 0]
    changed = profile.like(nothing, np.array([0.0, 1, 0]))
    assert changed.favourites.tolist() == [0, 1, 0]
    assert changed.plays is profile.plays


def test_a_person_without_plays_is_described_by_seeds():
    """Each counts as one full play, and is not heard."""
    none, flags = np.zeros(0, np.int64), np.zeros(0, bool)
    found = Profile.of(-1, none, flags, flags, np.zeros(0), NOTHING).like(np.array([1, 4]), NOTHING)
    assert found.weights.tolist() == [1, 1]
    assert (found.tracks.tolist(), found.heard.tolist()) == ([1, 4], [])


def test_a_history_may_be_empty():
    """Of users without plays."""
    data = dataset([], users={1: ["rock"]})
    found = history_of(data)
    assert found.users.tolist() == [1]
    assert not found.eligible.any()
    assert found.weights().shape == found.heard.shape == (1, 6)


def test_the_moment_of_a_cut_log_is_that_of_the_cut():
    """To the microsecond; without a cut it is the last play."""
    data = dataset(PLAYS)
    assert (
        collect_history(data.until(moment(20.5)), collect_tracks(data)).now == int(moment(20.5).timestamp()) * 1_000_000
    )
    assert history_of(data).now == int(moment(28).timestamp()) * 1_000_000
