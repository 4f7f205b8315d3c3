"""Models compared on the same rows."""

import numpy as np
import pytest

from pozytywka_cli.evaluation import SHARE, mean_interval, paired_difference
from pozytywka_cli.experiments.replay.comparison import Measure, Measured, compare, mean, root
from tests.experiments.worlds import START

chance = np.random.default_rng(0)
GROUPS = np.repeat(np.arange(20), chance.integers(1, 9, 20))
LOSSES = {model: chance.random(len(GROUPS)) for model in ("first", "second", "third")}


def rows(statistic, columns=None):
    """The rows of one metric, by model."""
    columns = columns or {model: [loss] for model, loss in LOSSES.items()}
    measured = Measured(START, GROUPS, [Measure("loss", columns, statistic, SHARE)])
    return {row.model: row for row in compare(measured)}


@pytest.mark.parametrize(("statistic", "is_root"), [(mean, False), (root, True)])
def test_a_model_is_compared_with_the_first(statistic, is_root):
    """With the intervals of evaluations: of its own value, and of the paired difference."""
    found = rows(statistic)
    assert list(found) == ["first", "second", "third"]
    assert (found["first"].difference, found["first"].difference_low) == (None, None)
    for model, row in found.items():
        own = mean_interval(LOSSES[model], GROUPS, root=is_root, limits=SHARE)
        assert (row.value, row.low, row.high) == pytest.approx(own)
        if model != "first":
            apart = paired_difference(LOSSES[model], LOSSES["first"], GROUPS, root=is_root)
            assert (row.difference, row.difference_low, row.difference_high) == pytest.approx(apart)


def test_a_statistic_may_have_several_columns():
    """A ratio of sums, whose difference is that of the ratios."""
    parts = {model: [loss, 1 + loss**2] for model, loss in LOSSES.items()}
    ratio = {model: top.sum() / bottom.sum() for model, (top, bottom) in parts.items()}
    found = rows(lambda sums: sums[..., 0] / sums[..., 1], parts)
    for model, row in found.items():
        assert row.value == pytest.approx(ratio[model])
    assert found["third"].difference == pytest.approx(ratio["third"] - ratio["first"])


def test_equal_models_do_not_differ():
    """Not at all, whatever their own intervals are."""
    found = rows(mean, {model: [LOSSES["first"]] for model in ("a", "b")})
    assert (found["b"].difference, found["b"].difference_low, found["b"].difference_high) == (0, 0, 0)
    assert found["a"].low < found["a"].high


def test_users_are_counted_once():
    """Not their plays."""
    assert Measured(START, GROUPS, []).count == 20
