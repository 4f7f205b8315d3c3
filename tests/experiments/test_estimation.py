"""The statistics of experiments, beside scipy, tea-tasting and values computed by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pozytywka_cli.errors import UsageError
from pozytywka_cli.experiments.estimation import (
    adjusted_p_values,
    difference,
    effective_units,
    sample_ratio,
    sequence_multiplier,
)
from pozytywka_cli.experiments.moments import Moments, fill, from_sums, of_units
from pozytywka_cli.experiments.power import Spread, detectable, needed_units, power, spread

ALPHA = 0.05


def units(seed: int, count: int, effect: float = 0.0, missing: float = 0.0) -> np.ndarray:
    """Units whose value, weight and earlier ratio depend on a habit, some of them without a past."""
    chance = np.random.default_rng(seed)
    habit, weight, earlier = (
        chance.normal(3, 1, count),
        chance.poisson(20, count) + 1.0,
        chance.poisson(20, count) + 1.0,
    )
    rows = np.column_stack([(habit + effect) * weight + chance.normal(0, 2, count), weight, habit * earlier, earlier])
    rows[chance.random(count) < missing, 2:] = np.nan
    return rows


def as_means(rows: np.ndarray) -> np.ndarray:
    """The same, as a metric that is a mean per unit."""
    rows = rows.copy()
    rows[:, [1, 3]] = 1.0
    return rows


def pair(control: np.ndarray, treatment: np.ndarray) -> tuple[Moments, Moments]:
    """Moments of two arms, filled with the mean of both."""
    filled = fill(np.vstack([control, treatment]))
    return of_units(filled[: len(control)]), of_units(filled[len(control) :])


def test_a_mean_is_welchs_test():
    """The difference, its interval and p-value are scipy's."""
    control, treatment = as_means(units(0, 40)), as_means(units(1, 70, 0.4))
    ours = difference(*pair(control, treatment))
    theirs = stats.ttest_ind(treatment[:, 0], control[:, 0], equal_var=False)
    assert float(ours.p_value()) == pytest.approx(theirs.pvalue, rel=1e-9)
    assert ours.interval(ALPHA) == pytest.approx(tuple(theirs.confidence_interval()), rel=1e-9)


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("adjusted", [False, True])
@pytest.mark.parametrize("ratio", [False, True])
def test_all_estimates_agree_with_tea_tasting(ratio, adjusted, missing):
    """Means and ratios, with and without CUPED: value, interval and p-value."""
    pytest.importorskip("tea_tasting", reason="tea-tasting, a second opinion, is not installed")
    from tea_tasting.aggr import Aggregates
    from tea_tasting.metrics import RatioOfMeans

    control, treatment = units(0, 80, missing=missing), units(1, 60, 0.3, missing)
    if not ratio:
        control, treatment = as_means(control), as_means(treatment)
    filled = fill(np.vstack([control, treatment]))
    names = ("y", "w", "x", "v")

    def aggregates(rows: np.ndarray) -> Aggregates:
        covariance = np.cov(rows, rowvar=False)
        return Aggregates(
            count_=len(rows),
            mean_=dict(zip(names, rows.mean(axis=0), strict=True)),
            var_=dict(zip(names, covariance.diagonal(), strict=True)),
            cov_={tuple(sorted((a, b))): covariance[i, j] for i, a in enumerate(names) for j, b in enumerate(names)},
        )

    metric = RatioOfMeans("y", "w", *(("x", "v") if adjusted else ()), equal_var=False, use_t=True)
    theirs = metric.analyze_aggregates(aggregates(filled[:80]), aggregates(filled[80:]))
    ours = difference(*pair(control, treatment), adjusted=adjusted)
    assert (ours.control, ours.treatment) == pytest.approx((theirs.control, theirs.treatment), rel=1e-9)
    expected = (theirs.effect_size_ci_lower, theirs.effect_size_ci_upper, theirs.pvalue)
    expected += theirs.rel_effect_size_ci_lower, theirs.rel_effect_size_ci_upper
    # of ratios ours are slightly wider, as units with much weight make the others count for less
    tolerance = {"rel": 2e-2, "abs": 1e-3} if ratio else {"rel": 1e-6}
    found = (*ours.interval(ALPHA), ours.p_value(), *ours.relative_interval(ALPHA))
    assert found == pytest.approx(expected, **tolerance)


def test_few_units_with_much_weight_count_for_few():
    """Weights 1, 1, 1, 9: q = 4 · 84 / 144, and the variance is that of so few units."""
    rows = np.array([[1.0, 1, 0, 1], [2, 1, 0, 1], [3, 1, 0, 1], [9, 9, 0, 1]])
    found = difference(of_units(rows), of_units(rows))
    residuals = rows[:, 0] - 15 / 12 * rows[:, 1]
    q = 4 * 84 / 144
    effective = 1 + (4 / q - 1) / q**0.5625
    squared = (residuals**2).sum() / 12**2 * effective / (effective - 1)  # of one arm
    assert float(found.error) == pytest.approx(math.sqrt(2 * squared))
    assert float(found.freedom) == pytest.approx(2 * (effective - 1))


def test_effective_units_are_those_of_variances_that_grow_with_the_weight():
    """(Σ v)² / Σ v² for v = w^1.25, of many log-normal weights; all of them if they are equal."""
    weights = np.exp(np.random.default_rng(0).normal(0, 0.5, 100_000))
    rows = np.column_stack([np.ones((len(weights), 1)), weights, np.ones((len(weights), 2))])
    variances = weights**1.25
    assert effective_units(of_units(rows)) == pytest.approx(variances.sum() ** 2 / (variances**2).sum(), rel=0.01)
    assert effective_units(of_units(as_means(rows))) == pytest.approx(len(weights))


@given(st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=9))
def test_effective_units_are_more_than_one_and_no_more_than_there_are(weights):
    """Whatever the weights."""
    rows = np.column_stack([np.zeros(len(weights)), weights, np.zeros((len(weights), 2))])
    assert 1 < effective_units(of_units(rows)) <= len(weights) * (1 + 1e-9)


def test_relative_intervals_hold_the_truth():
    """In 95 % of experiments with a tenth more, and in all of them above -100 %; not defined for values below 0."""
    chance = np.random.default_rng(0)
    values = chance.gamma(2, 10, (2000, 2, 60)) * [[1.0], [1.1]]
    found = []
    for pair in values:
        arms = (of_units(np.column_stack([one, np.ones((60, 3))])) for one in pair)
        found.append(difference(*arms).relative_interval(ALPHA))
    low, high = np.array(found).T
    assert 0.935 < ((low < 0.1) & (high > 0.1)).mean() < 0.965
    assert (low > -1).all()
    negative = of_units(np.column_stack([-values[0, 0], np.ones((60, 3))]))
    assert np.isnan(difference(negative, negative).relative_interval(ALPHA)).all()


def test_by_hand():
    """Values 1, 3 and 2, 6: means 2 and 4, variances 2 and 8, so the error is √(2/2 + 8/2)."""
    rows = [np.array([[value, 1.0, np.nan, np.nan] for value in values]) for values in ((1.0, 3.0), (2.0, 6.0))]
    found = difference(*(of_units(one) for one in rows))
    assert (found.control, found.treatment, found.value) == (2, 4, 2)
    assert float(found.error) == pytest.approx(math.sqrt(5))
    assert float(found.freedom) == pytest.approx(25 / (1 + 16))


def test_adjustment_takes_off_what_the_past_predicts():
    """A value that is the past and an effect has the effect without error."""
    earlier = np.arange(20.0)
    rows = np.column_stack([earlier, np.ones(20), earlier, np.ones(20)])
    control, treatment = rows[::2], rows[1::2] + np.array([0.5, 0, 0, 0])
    plain, adjusted = (difference(*pair(control, treatment), adjusted=one) for one in (False, True))
    assert float(adjusted.value) == pytest.approx(0.5, abs=0.1)
    assert float(adjusted.error) < 0.05 * float(plain.error)


def test_without_a_past_the_adjustment_changes_nothing():
    """All null, or all the same."""
    for past in (np.nan, 7.0):
        rows = as_means(units(0, 50))
        rows[:, 2] = past
        plain, adjusted = (difference(*pair(rows[:20], rows[20:]), adjusted=one) for one in (False, True))
        np.testing.assert_allclose(np.array(adjusted), np.array(plain))


def test_an_arm_of_one_or_no_unit_has_no_interval():
    """NaN, and no warning."""
    one, many = from_sums(np.ones(()), np.array([5.0, 1, 2, 1]), np.zeros((4, 4))), of_units(units(1, 9))
    empty = from_sums(np.zeros(()), np.zeros(4), np.zeros((4, 4)))
    assert np.isnan(difference(many, one).p_value())
    assert np.isnan(difference(empty, many, adjusted=True).p_value())


@given(st.integers(2, 30), st.integers(2, 30), st.integers(0, 99))
def test_moments_of_parts_add_up(first, second, seed):
    """To those of the whole, also for many at once."""
    rows = units(seed, first + second)
    parts = of_units(rows[:first]) + of_units(rows[first:])
    whole = of_units(rows)
    for name in ("count", "mean", "covariance"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-9, atol=1e-9)
    sums = from_sums(np.float64([len(rows)]), rows.sum(axis=0)[None], (rows.T @ rows)[None])
    np.testing.assert_allclose(sums.covariance[0], of_units(rows).covariance, rtol=1e-6, atol=1e-6)


def test_the_multiplier_by_hand():
    """At the planned size and 5 %: ρ²t = 5.991 + 1.790 + 1, so √(2 · 9.782 / 8.782 · (1.140 + 2.996))."""
    assert float(sequence_multiplier(np.float64(1), 0.05)) == pytest.approx(3.035, abs=0.001)
    progress = np.geomspace(0.01, 100, 200)
    assert (sequence_multiplier(progress, 0.05) > stats.norm.ppf(0.975)).all()


def test_a_confidence_sequence_covers_all_looks():
    """Of 2,000 random walks looked at 200 times, at most 5 % ever leave it; a test at each look leaves far more."""
    chance = np.random.default_rng(0)
    steps = chance.normal(size=(2000, 200, 10)).sum(axis=2).cumsum(axis=1)
    size = np.arange(10, 2001, 10)
    z = np.abs(steps) / np.sqrt(size)
    assert (z > sequence_multiplier(size / 2000, 0.05)).any(axis=1).mean() <= 0.05
    assert (z > 1.96).any(axis=1).mean() > 0.3


def test_sample_ratio():
    """52:48 of 10,000 units is χ² = 16 with one degree of freedom; what was expected is not found."""
    assert sample_ratio(np.array([5200.0, 4800.0]), np.ones(2)) == pytest.approx(stats.chi2.sf(16, 1), rel=1e-9)
    assert sample_ratio(np.array([5200.0, 4800.0]), np.ones(2)) < 0.001
    assert sample_ratio(np.array([5050.0, 4950.0]), np.ones(2)) > 0.05
    assert sample_ratio(np.array([750.0, 250.0]), np.array([3.0, 1.0])) == 1
    assert sample_ratio(np.zeros(2), np.ones(2)) == 1


def test_benjamini_and_hochberg():
    """The values of R's p.adjust, and the same as scipy's; NaN is left out."""
    p_values = np.array([0.01, 0.04, 0.03, np.nan, 0.5])
    expected = [0.04, 0.04 * 4 / 3, 0.04 * 4 / 3, np.nan, 0.5]
    np.testing.assert_allclose(adjusted_p_values(p_values), expected)
    p_values = np.random.default_rng(0).random(50) ** 3
    np.testing.assert_allclose(adjusted_p_values(p_values), stats.false_discovery_control(p_values))


def test_power_by_the_textbook():
    """Cohen (1988): an effect of half a standard deviation needs 64 a group for 80 %; one more, as sizes are drawn."""
    assert needed_units(0.5, Spread(0.0, 1.0), 0.05, 0.8) == 129
    noncentrality = 0.5 / math.sqrt(4 / 128 * (1 + 1 / 128))
    distribution = stats.nct(126, noncentrality)
    limit = stats.t.ppf(0.975, 126)
    expected = distribution.sf(limit) + distribution.cdf(-limit)
    assert power(0.5, Spread(0.0, 1.0), 128, 0.05) == pytest.approx(expected, abs=1e-6)
    assert expected == pytest.approx(0.801, abs=0.005)
    assert power(0.0, Spread(0.0, 1.0), 128, 0.05) == pytest.approx(0.05)
    assert power(1e6, Spread(0.0, 1.0), 128, 0.05) == 1
    with pytest.raises(UsageError):
        needed_units(0.0, Spread(0.0, 1.0), 0.05, 0.8)
    with pytest.raises(UsageError):
        needed_units(1e-9, Spread(0.0, 1.0), 0.05, 0.8)


@given(st.floats(0.01, 100), st.integers(10, 10**6), st.floats(0.2, 0.95), st.floats(0.5, 1.0), st.booleans())
def test_detectable_effect_and_needed_units_are_inverses(deviation, count, wanted, weight, adjusted):
    """Of each other and of the power."""
    spread = Spread(1.0, deviation, weight, adjusted)
    effect = detectable(spread, count, 0.05, wanted)
    assert power(effect, spread, count, 0.05) == pytest.approx(wanted, abs=1e-6)
    assert abs(needed_units(effect * 1.0000001, spread, 0.05, wanted) - count) <= 1


def test_the_spread_of_a_metric():
    """Of a mean it is the standard deviation of units; the past explains a part of it."""
    rows = as_means(units(0, 200))
    found = spread(of_units(rows))
    assert found == pytest.approx((rows[:, 0].mean(), rows[:, 0].std(ddof=1), 1, False))
    assert spread(of_units(rows), adjusted=True).deviation < found.deviation
