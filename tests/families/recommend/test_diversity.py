"""Diverse lists."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pozytywka_cli.families.recommend.models.diversity import diverse, with_quota

SCORES = st.lists(st.floats(-5, 5).map(lambda value: round(value, 1)), min_size=1, max_size=12)


def alike(count: int, seed: int) -> np.ndarray:
    """Similarities of candidates, symmetric, with ones."""
    drawn = np.random.default_rng(seed).random((count, count)).round(1)
    return np.where(np.eye(count) > 0, 1.0, np.maximum(drawn, drawn.T))


@given(scores=SCORES, count=st.integers(0, 15), seed=st.integers(0, 99))
def test_without_weight_it_is_the_order_of_relevance(scores, count, seed):
    """Of equals, the first comes first."""
    found = diverse(np.array(scores), alike(len(scores), seed), count, 0.0)
    assert found.tolist() == np.argsort(-np.array(scores), kind="stable")[:count].tolist()


@given(scores=SCORES, count=st.integers(0, 15), weight=st.floats(0, 1), seed=st.integers(0, 99))
def test_every_place_is_taken_once(scores, count, weight, seed):
    """As many as there are, and nothing is changed in place."""
    given, similar = np.array(scores), alike(len(scores), seed)
    before = given.copy(), similar.copy()
    found = diverse(given, similar, count, weight).tolist()
    assert len(set(found)) == len(found) == min(count, len(scores))
    assert np.array_equal(given, before[0])
    assert np.array_equal(similar, before[1])


@given(scores=SCORES, weight=st.floats(0, 1), seed=st.integers(0, 99))
def test_each_step_takes_the_best_by_the_definition(scores, weight, seed):
    """By brute force over all that are left: relevance from 0 to 1, against the nearest of what is taken."""
    values, similar = np.array(scores), alike(len(scores), seed)
    assume(np.ptp(values) > 0)
    relevance = (values - values.min()) / np.ptp(values)
    found = diverse(values, similar, len(scores), weight).tolist()
    for step in range(len(found)):
        taken, left = found[:step], [one for one in range(len(scores)) if one not in found[:step]]
        worth = {
            one: (1 - weight) * relevance[one] - weight * max((similar[one, other] for other in taken), default=0.0)
            for one in left
        }
        assert worth[found[step]] == pytest.approx(max(worth.values()))


def test_with_all_weight_the_second_is_the_least_like_the_first():
    """However irrelevant it is; the first is then the first of all."""
    similar = np.array([[1, 0.9, 0.5, 0.1], [0.9, 1, 0, 0], [0.5, 0, 1, 0], [0.1, 0, 0, 1]])
    assert diverse(np.array([4.0, 3, 2, 1]), similar, 2, 1.0).tolist() == [0, 3]


def test_of_equally_relevant_ones_the_first_comes_first():
    """Also where there is only one."""
    assert diverse(np.full(3, 7.0), np.eye(3), 3, 0.5).tolist() == [0, 1, 2]
    assert diverse(np.array([7.0]), np.eye(1), 3, 0.5).tolist() == [0]


@given(
    tail=st.lists(st.booleans(), min_size=1, max_size=15),
    count=st.integers(0, 15),
    quota=st.integers(0, 20),
    order=st.randoms(),
)
def test_the_quota_is_filled_as_far_as_possible(tail, count, quota, order):
    """And no further; what is not replaced keeps its place, and what was best of the tail comes in."""
    flags, candidates = np.array(tail), np.arange(len(tail))
    taken = np.array(order.sample(candidates.tolist(), min(count, len(tail))), dtype=np.int64)
    found = with_quota(taken, candidates, flags, quota)
    had, least = int(flags[taken].sum()), min(quota, int(flags.sum()), len(taken))
    assert int(flags[found].sum()) == max(had, least)
    assert len(set(found.tolist())) == len(found) == len(taken)
    changed = found != taken
    assert not flags[taken[changed]].any()
    spare = [one for one in candidates if flags[one] and one not in taken]
    assert found[changed].tolist() == spare[: int(changed.sum())]
    others = np.flatnonzero(~flags[taken])
    assert np.flatnonzero(changed).tolist() == others[len(others) - int(changed.sum()) :].tolist()


def test_a_quota_by_hand():
    """The last two that are not of the tail are replaced by the best two that are, in their order."""
    tail = np.array([False, False, True, False, False, True, True, True])
    found = with_quota(np.array([0, 1, 2, 3]), np.arange(8), tail, 3)
    assert found.tolist() == [0, 5, 2, 6]
