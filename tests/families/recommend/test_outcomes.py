"""What users played after a moment."""

import numpy as np
import pytest

from pozytywka_cli.families.recommend.features.outcomes import Outcomes

from .worlds import FULL, LIKED, SKIPPED, dataset, divided, noise

PLAYS = [
    (1, "t0", 0, FULL),
    (1, "t2", 1, SKIPPED),
    (2, "t1", 2, FULL),
    (1, "t0", 10, FULL),  # heard before
    (1, "t2", 11, FULL),  # heard before, though it was skipped
    (1, "t4", 12, SKIPPED),
    (1, "t3", 13, FULL),
    (1, "t3", 14, LIKED),
    (2, "t1", 15, FULL),
]


@pytest.fixture
def outcomes() -> Outcomes:
    """What two users played from day 5 on."""
    return divided(dataset(PLAYS), 5)


def test_targets_are_what_was_played_to_the_end(outcomes: Outcomes):
    """Once each; with `new` those that were not heard before, be it that they were skipped."""
    assert outcomes.targets(new=False).toarray().tolist() == [[1, 0, 1, 1, 0, 0], [0, 1, 0, 0, 0, 0]]
    assert outcomes.targets(new=True).toarray().tolist() == [[0, 0, 0, 1, 0, 0], [0] * 6]


def test_users_are_those_with_targets(outcomes: Outcomes):
    """The second one plays nothing new."""
    assert outcomes.users(new=False).tolist() == [0, 1]
    assert outcomes.users(new=True).tolist() == [0]


def test_targets_are_numbered_like_all_tracks():
    """Also one that nobody had played before the moment."""
    found = divided(dataset([*PLAYS, (2, "unlisted", 20, FULL)]), 5)
    (track,) = found.targets(new=True)[[1]].indices
    assert found.history.tracks.ids[int(track)] == "unlisted"
    assert not found.history.eligible[track]


def test_a_profile_knows_the_plays_before_a_play(outcomes: Outcomes):
    """Those of the user alone, and of these only earlier ones, as old as they are at that time."""
    plays = outcomes.plays_after()
    found = plays.profile_before(4)  # the second play of t3, on day 14
    assert (plays.row[4], plays.track[4]) == (0, 3)
    assert found.user == 1
    assert found.tracks.tolist() == [0, 2, 3, 4]
    assert found.full.tolist() == [2, 1, 1, 0]
    assert found.plays.tolist() == [2, 2, 1, 1]
    ages = [(14, 4), (13, 3), (1,), (2,)]
    assert found.recent == pytest.approx([sum(0.5 ** (days / 14) for days in own) for own in ages])
    assert found.latest.tolist() == [3, 2, 0, 0]
    assert plays.profile_before(5).tracks.tolist() == [1]


def test_the_profile_before_the_first_play_is_that_of_the_history():
    """But for the age of plays."""
    found = divided(noise(), 60)
    plays = found.plays_after()
    for place in np.flatnonzero(np.diff(plays.row, prepend=-1)):
        one, other = plays.profile_before(int(place)), found.history.profile(plays.row[place])
        for name in ("user", "tracks", "plays", "full", "liked", "latest", "heard"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), name
