"""How often users would skip what they are offered, by hand."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from pozytywka_cli.families.recommend.features.history import Profile
from pozytywka_cli.families.recommend.features.outcomes import Outcomes
from pozytywka_cli.families.recommend.models.completion import Completion, by_predictor
from pozytywka_cli.families.recommend.models.lists import Ranker
from pozytywka_cli.families.recommend.skips import MOST_WEIGHT, PLAYED, skip_rates
from pozytywka_cli.records import Row

from .trained import Skips
from .worlds import FULL, SKIPPED, dataset, divided

# before day 5 t2 has 4 plays and t3 has one
BEFORE = [(0, "t0", 0, FULL), (1, "t1", 0, FULL), (2, "t3", 0, FULL), *[(2, "t2", 0, FULL)] * 4]
AFTER = [(0, "t2", 6, FULL), (0, "t3", 7, SKIPPED), (1, "t3", 6, FULL), (1, "t0", 7, SKIPPED)]
CHANCE = {"t0": 0.1, "t1": 0.2, "t2": 0.3, "t3": 0.4}
NEVER = -np.inf


class Listed:
    """Offers these tracks, the first one first."""

    def __init__(self, *lists: Sequence[int]) -> None:
        self.lists = lists

    def scores(self, profiles: Sequence[Profile], *, new: bool) -> Iterator[np.ndarray]:
        for profile in profiles:
            found = np.full(6, NEVER)
            found[list(self.lists[profile.user])] = -np.arange(len(self.lists[profile.user]))
            yield found


def rates(outcomes: Outcomes, **offered: Sequence[Sequence[int]]) -> dict[tuple[str, str], Row]:
    """The rows of variants that offer these lists."""
    made = {name: Ranker(outcomes.history, Listed(*lists)) for name, lists in offered.items()}
    completion = Completion(by_predictor(Skips(lambda _, track: CHANCE[track])), outcomes.history.tracks)
    rows = skip_rates(outcomes, made, completion)
    assert {(row.family, row.protocol) for row in rows} == {("recommend", "skips")}
    return {(row.variant, row.metric): row for row in rows}


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    return divided(dataset([*BEFORE, *AFTER]), 5)


def test_what_was_played_is_the_yardstick(outcomes: Outcomes):
    """The model expects (.3 + .4) / 2 of user 0 and (.4 + .1) / 2 of user 1; two of the four plays were skipped."""
    found = rates(outcomes)
    assert found[PLAYED, "expected_skip_rate"].value == pytest.approx((0.35 + 0.25) / 2)
    assert found[PLAYED, "weighted_skip_rate"].value == 0.5
    assert len(found) == 2


def test_expected_skips_are_means_over_users(outcomes: Outcomes):
    """User 0 is offered t2 and t3, user 1 is offered t3: the difference is 0 of the one and .15 of the other."""
    found = rates(outcomes, own=([2, 3], [3], []))
    assert found["own", "expected_skip_rate"].value == pytest.approx((0.35 + 0.4) / 2)
    assert found["own", "expected_skip_rate_vs_played"].value == pytest.approx(0.15 / 2)


def test_weighted_skips_count_plays_of_offered_tracks_by_their_rarity(outcomes: Outcomes):
    """Of t2, which had 4 plays, one full play; of t3, which had one, a full play and a skip."""
    found = rates(outcomes, own=([2, 3], [3], []))
    assert found["own", "weighted_skip_rate"].value == pytest.approx(1 / (1 / 4 + 1 + 1))


def test_without_a_play_of_what_is_offered_there_is_no_weighted_rate(outcomes: Outcomes):
    """The expected one is there."""
    found = rates(outcomes, own=([1], [2], []))
    assert ("own", "weighted_skip_rate") not in found
    assert found["own", "expected_skip_rate"].value == pytest.approx((0.2 + 0.3) / 2)


def test_a_user_who_is_offered_nothing_does_not_count(outcomes: Outcomes):
    """Who has heard all that a variant offers."""
    found = rates(outcomes, own=([2], [1], []))
    assert found["own", "expected_skip_rate"].value == pytest.approx(0.3)
    assert found["own", "expected_skip_rate_vs_played"].value == pytest.approx(0.3 - 0.35)


def test_weights_are_clipped():
    """A rare track's only play, a skip, counts no more than ten mean ones."""
    before = [(0, "t0", 0, FULL), (1, "t0", 0, FULL), (2, "t3", 0, FULL), *[(2, "t2", 0, FULL)] * 1000]
    after = [(0, "t2", 6 + number / 100, FULL) for number in range(99)] + [(1, "t3", 6, SKIPPED), (1, "t2", 7, FULL)]
    found = rates(divided(dataset([*before, *after]), 5), own=([2], [3], []))
    mean = (99 / 1000 + 1) / 100
    plays = 99 * (1 / 1000) / mean
    assert found["own", "weighted_skip_rate"].value == pytest.approx(MOST_WEIGHT / (MOST_WEIGHT + plays))
