"""Counting plays, and simulated experiments on them."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.experiments.estimation import difference
from pozytywka_cli.experiments.moments import fill, of_units
from pozytywka_cli.experiments.play_totals import VALUES, totals, window
from pozytywka_cli.experiments.simulation import _moments, mismatches, old_way, simulate
from tests.experiments.worlds import START, plays

END = START + timedelta(days=28)


def looks(metric: str, frame: pl.DataFrame, count: int = 40) -> np.ndarray:
    return totals(frame, metric, START, [START + (END - START) * look / count for look in range(1, count + 1)])


def test_totals_by_hand():
    """Value and weight since the start and before it; nothing before is NaN, and so is a unit that has not come yet."""
    rows = [
        ("a", -1, True, 10_000),
        ("a", 1, True, 10_000),
        ("a", 2, False, 90_000),
        ("b", 3, False, 50_000),
        ("c", -2, False, 50_000),
        ("d", 9, False, 50_000),
        ("a", -40, True, 1),
    ]
    frame = pl.DataFrame(
        [(unit, START + timedelta(days=day), skipped, listened) for unit, day, skipped, listened in rows],
        schema={"unit": pl.String, "started_at": pl.Datetime("us", "UTC"), "skipped": bool, "listened_ms": pl.Int64},
        orient="row",
    )
    times = [START + timedelta(days=day) for day in (2, 5)]
    nan = np.nan
    expected = [[[1, 1, 1, 1], [nan, nan, nan, nan]], [[1, 2, 1, 1], [0, 1, nan, nan]]]
    np.testing.assert_array_equal(totals(frame, "skip_rate", START, times), expected)
    seconds = totals(frame, "listened_seconds", START, times)[1]
    np.testing.assert_array_equal(seconds, [[100, 1, 10, 1], [50, 1, nan, nan]])
    np.testing.assert_array_equal(totals(frame, "full_plays", START, times)[1, :, 0], [1, 1])
    assert window(frame, 9) == (START + timedelta(microseconds=1), START + timedelta(days=9, microseconds=1))


def test_moments_of_drawn_arms_are_those_of_their_units():
    """For each experiment."""
    rows = fill(looks("skip_rate", plays(60), 1)[0])
    arms = np.random.default_rng(0).random((5, len(rows))) < 0.5
    for found, drawn in zip(_moments(rows, arms), (~arms, arms), strict=True):
        for place in range(5):
            expected = of_units(rows[drawn[place]])
            np.testing.assert_allclose(found.mean[place], expected.mean)
            np.testing.assert_allclose(found.covariance[place], expected.covariance, atol=1e-9)


@pytest.mark.parametrize("metric", VALUES)
def test_errors_and_power_are_as_computed(metric):
    """Type-I errors within 4-6 %, confidence sequences at most 5 %, power within 3 points; daily tests err far more."""
    for row in simulate(metric, looks(metric, plays()), runs=10_000, seed=0):
        if row.check.endswith(": error"):
            assert 0.04 <= row.share <= 0.06, row
        elif "sequence" in row.check:
            assert row.share <= 0.05, row
        elif "power" in row.check:
            assert abs(row.share - row.expected) <= 0.03, row
        else:
            assert row.share > 0.15, row


def test_a_simulation_repeats():
    """The same seed gives the same shares, another one others."""
    rows = looks("skip_rate", plays(50), 3)
    one, same, other = (list(simulate("skip_rate", rows, 100, seed)) for seed in (0, 0, 1))
    assert one == same != other


def test_too_few_units_are_refused():
    """With the number that is needed."""
    with pytest.raises(RefusedError, match="20"):
        list(simulate("skip_rate", looks("skip_rate", plays(10), 2), 10, 0))


def test_the_old_way_rejects_most_true_nulls():
    """A t-test over plays of users with habits; over users it does not, and without habits it is right."""

    def rejected(frame: pl.DataFrame) -> float:
        grouped = frame.group_by("unit").agg(n=pl.len(), s=pl.col("skipped").sum())
        counts, skips = (grouped[name].to_numpy().astype(np.float64) for name in ("n", "s"))
        return old_way(counts, skips, skips, 2000, 0)

    assert rejected(plays(habits=2.0)) > 0.5
    assert 0.03 < rejected(plays(habits=0.0)) < 0.07


def test_the_old_way_is_scipys_test_of_plays():
    """For one experiment, at the level that is its p-value."""
    from scipy import stats

    frame = plays(10).with_columns(pl.col("unit").cast(pl.Int64)).sort("unit")
    odd = dict(zip(range(10), np.random.default_rng(3).permutation(10) % 2, strict=True))
    first, second = (
        frame.filter(pl.col("unit").replace_strict(odd) == side)["listened_ms"].to_numpy() for side in (1, 0)
    )
    p_value = stats.ttest_ind(first, second).pvalue
    value = pl.col("listened_ms")
    squares = (value.cast(pl.Float64) ** 2).sum()
    grouped = frame.group_by("unit", maintain_order=True).agg(n=pl.len(), s=value.sum(), q=squares)
    columns = [grouped[name].to_numpy().astype(np.float64) for name in ("n", "s", "q")]
    assert [old_way(*columns, 1, 3, alpha) for alpha in (p_value * 1.0001, p_value * 0.9999)] == [1, 0]


def test_mismatches_are_found_and_chance_is_not():
    """60:40 always, halves hardly ever."""
    assert mismatches(10_000, 0.6, 200, 0) == 1
    assert mismatches(10_000, 0.5, 2000, 0) < 0.005


def test_an_effect_is_an_effect():
    """Units of the treatment whose values are larger by 3 × weight have a ratio larger by 3."""
    from pozytywka_cli.experiments.simulation import _with_effect

    moments = of_units(fill(looks("skip_rate", plays(60), 1)[0]))
    assert float(difference(moments, _with_effect(moments, 3.0)).value) == pytest.approx(3)
