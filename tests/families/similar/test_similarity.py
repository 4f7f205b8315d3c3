"""Two cosines become one score."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_cli.families.similar.models.similarity import best, combined, confidence

cosines = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).uniform(-1, 1, (3, 12)).astype(np.float32)
)


@given(cosines, cosines, st.floats(0.01, 1))
def test_artists_rank_as_by_the_sum_of_standard_scores(first, second, narrower):
    """Whatever the spread of each cosine, and the score lies between both."""
    second = second * np.float32(narrower)
    scores = combined(first, second)
    standard = sum((one - one.mean(1, keepdims=True)) / one.std(1, keepdims=True) for one in (first, second))
    for row, expected in zip(scores, standard, strict=True):
        order = np.argsort(row)
        assert (np.diff(expected[order]) >= -1e-4).all()
    assert (scores <= np.maximum(first, second) + 1e-6).all()
    assert (scores >= np.minimum(first, second) - 1e-6).all()


@given(cosines)
def test_a_constant_cosine_has_no_weight(one):
    """On either side; if both are, all scores are 0."""
    constant = np.ones_like(one)
    assert combined(constant, one) == pytest.approx(one, abs=1e-6)
    assert combined(one, constant) == pytest.approx(one, abs=1e-6)
    assert not combined(constant, constant).any()


def test_few_listeners_lower_a_score():
    """Three to less than a half, many hardly."""
    assert confidence(np.array([3, 7, 1000])) == pytest.approx([3 / 6.5, 7 / 10.5, 1], abs=0.004)


def test_of_equal_scores_the_first_comes_first():
    """Also beyond the last one."""
    assert best(np.array([1, 3, 2, 3, 2, 2], dtype=np.float32), 3).tolist() == [1, 3, 2]
