"""Intervals checked by simulation, and differences and tests by hand computation."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from pozytywka_cli.evaluation import (
    SHARE,
    Interval,
    champion,
    differences,
    gate,
    interval,
    jackknife,
    log_loss,
    mean_interval,
    paired_difference,
    reached,
    sign_flip,
)
from pozytywka_cli.records import Gate

Draw = Callable[[np.random.Generator, np.ndarray], tuple[np.ndarray, ...]]


def rows(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def width(found: Interval) -> float:
    assert found.low is not None
    assert found.high is not None
    return found.high - found.low


def test_two_groups_by_hand() -> None:
    """Without either group the mean of 0 and 10 is the other; t with 1 degree of freedom is 12.706."""
    assert mean_interval(rows(0, 10), np.array([1, 2])) == pytest.approx((5, 5 - 12.706 * 5, 5 + 12.706 * 5), rel=1e-4)


def test_groups_of_one_size_have_the_t_interval_of_their_means() -> None:
    """In whatever order the rows are."""
    chance = np.random.default_rng(0)
    groups = chance.permutation(np.repeat(np.arange(12), 7))
    values = chance.normal(size=12)[groups] + chance.normal(size=84)
    means = np.bincount(groups, weights=values) / 7
    expected = stats.t.interval(0.95, 11, means.mean(), stats.sem(means))
    assert mean_interval(values, groups)[1:] == pytest.approx(expected)


def test_one_group_tells_nothing_of_others() -> None:
    """The interval is unknown, and a gate and a choice of variants decide without it."""
    alone, worse, groups = rows(1, 2, 6), rows(2, 3, 7), np.array([4, 4, 4])
    assert mean_interval(alone, groups) == Interval(3.0, None, None)
    assert not mean_interval(alone, groups).below(100)
    found = gate("loss", "mean", worse, alone, groups, margin=0.1)
    assert (found.difference, found.low, found.high, found.passed) == (1.0, None, None, True)
    assert champion("demo", "loss", {"net": worse, "rival": alone}, "net", groups).variant == "net"


def test_a_value_that_needs_a_group_has_no_interval() -> None:
    """Without the second group nothing is left to divide by."""
    columns = [rows(1, 2, 3), rows(0, 4, 2)]
    assert interval(lambda sums: sums[..., 0] / sums[..., 1], columns, np.array([1, 2, 2])) == Interval(1.0, None, None)


def test_an_interval_stays_where_the_metric_can_lie() -> None:
    """A share of two groups is not below 0 or above 1."""
    assert mean_interval(rows(0.4, 0.9), np.array([1, 2]), limits=SHARE) == (0.65, 0, 1)


def test_groups_of_different_sizes_count_less() -> None:
    """The more of the rows one group has, the wider is the interval for the same standard error, up to that of two."""
    without = rows(1, -1, 1, -1)
    widths = [high for _, _, high in (jackknife(0.0, without, rows(1, 1, 1, size)) for size in (1, 5, 25, 1e6))]
    error = 3**0.5
    assert widths[0] == pytest.approx(stats.t.ppf(0.975, 3) * error)
    assert widths == sorted(widths)
    assert widths[-1] == pytest.approx(stats.t.ppf(0.975, 1) * error, rel=1e-3)


def skips(chance: np.random.Generator, user: np.ndarray) -> np.ndarray:
    """Plays of which users skip 3 in 10 on average, each user a share of its own: an intra-class correlation of .1."""
    return chance.random(len(user)) < chance.beta(2.7, 6.3, user[-1] + 1)[user]


def losses(chance: np.random.Generator, user: np.ndarray) -> tuple[np.ndarray, ...]:
    """The log loss of a constant."""
    return (log_loss(skips(chance, user), np.full(len(user), 0.2)),)


def two_losses(chance: np.random.Generator, user: np.ndarray) -> tuple[np.ndarray, ...]:
    """The log losses of two constants, of which the first has a tenth more or less for each user."""
    outcome = skips(chance, user)
    first = np.where(chance.random(user[-1] + 1) < 0.5, 0.2, 0.3)[user]
    return log_loss(outcome, first), log_loss(outcome, np.full(len(user), 0.4))


def squared_errors(chance: np.random.Generator, user: np.ndarray) -> tuple[np.ndarray, ...]:
    """The squared errors of two forecasts that share most; those of each user have a scale of their own."""
    scale = np.exp(chance.normal(0, 0.2, user[-1] + 1))[user]
    shared, shift = chance.normal(size=len(user)), chance.normal(0, 0.3, user[-1] + 1)[user]
    return (scale * (shared + chance.normal(0, 0.3, len(user)))) ** 2, (scale * shared + shift) ** 2


def cross_entropy(probability: float) -> float:
    return float(-0.3 * np.log(probability) - 0.7 * np.log(1 - probability))


SIMULATED: list[tuple[Draw, Callable[..., Interval], Callable[..., np.ndarray], float]] = [
    (losses, mean_interval, lambda loss: loss, cross_entropy(0.2)),
    (
        two_losses,
        paired_difference,
        lambda loss, other: loss - other,
        (cross_entropy(0.2) + cross_entropy(0.3)) / 2 - cross_entropy(0.4),
    ),
    (
        squared_errors,
        lambda *given: paired_difference(*given, root=True),
        lambda loss, other: np.sqrt(loss) - np.sqrt(other),
        (np.exp(0.08) * 1.09) ** 0.5 - (np.exp(0.08) + 0.09) ** 0.5,
    ),
]


@pytest.mark.parametrize(("draw", "method", "statistic", "truth"), SIMULATED)
def test_intervals_cover_the_truth(
    draw: Draw, method: Callable[..., Interval], statistic: Callable[..., np.ndarray], truth: float
) -> None:
    """Some 95 % of the intervals of 1,500 samples of 12 users hold it, and fewer of those by the percentile bootstrap.

    Users have from 2 to some 300 plays, which are alike: log-normal, with a standard deviation of the logarithm of .8.
    """
    chance, inside, resampled = np.random.default_rng(0), 0, 0
    for _ in range(1500):
        user = np.repeat(np.arange(12), np.exp(chance.normal(3, 0.8, 12)).astype(np.int64) + 1)
        columns = draw(chance, user)
        _, low, high = method(*columns, user)
        assert low is not None
        assert high is not None
        inside += low <= truth <= high
        sums = np.column_stack([np.bincount(user, weights=column) for column in (*columns, np.ones(len(user)))])
        drawn = chance.multinomial(12, np.full(12, 1 / 12), 200) @ sums
        low, high = np.quantile(statistic(*(drawn[:, :-1] / drawn[:, -1:]).T), [0.025, 0.975])
        resampled += low <= truth <= high
    assert 0.93 < inside / 1500 < 0.975
    assert resampled / 1500 < 0.91


def test_an_interval_of_many_groups_is_as_wide_as_by_its_standard_error() -> None:
    """Of 9,000 groups, whose signs a test flips 2,000 at a time."""
    values = np.random.default_rng(0).normal(size=18_000)
    groups = np.arange(18_000) // 2
    assert width(mean_interval(values, groups)) == pytest.approx(2 * 1.96 / 18_000**0.5, rel=0.03)
    assert sign_flip(values - values.mean(), groups) == pytest.approx(1)
    assert sign_flip(values + 0.03, groups) < 0.001


def test_intervals_over_rows_would_be_too_narrow() -> None:
    """Where the rows of a group share an effect, an interval over groups is far wider."""
    values = np.repeat(np.random.default_rng(0).normal(size=30), 20)
    assert width(mean_interval(values, np.repeat(np.arange(30), 20))) == pytest.approx(
        20**0.5 * width(mean_interval(values, np.arange(600))), rel=0.1
    )


def test_a_paired_difference_is_negative_where_the_model_is_better() -> None:
    """Loss minus the baseline's loss, on the same rows."""
    groups = np.arange(4)
    assert paired_difference(rows(1, 2, 3, 4), rows(2, 3, 4, 5), groups) == (-1.0, -1.0, -1.0)
    assert paired_difference(rows(2, 3, 4, 5), rows(1, 2, 3, 4), groups) == (1.0, 1.0, 1.0)


def test_a_paired_difference_cancels_what_both_share() -> None:
    """Hard and easy groups widen the interval of each mean, but not that of the difference."""
    chance = np.random.default_rng(0)
    hard = np.repeat(chance.normal(size=50) * 10, 4)
    model, baseline = hard + chance.normal(size=200), hard + 1 + chance.normal(size=200)
    groups = np.repeat(np.arange(50), 4)
    found = paired_difference(model, baseline, groups)
    assert found.value == pytest.approx(model.mean() - baseline.mean())
    assert found.below(-0.5)
    assert width(mean_interval(model, groups)) > 10 * width(found)


def test_a_difference_of_roots() -> None:
    """With `root` RMSEs are compared: 3 and 4 with 1 and 1."""
    found = paired_difference(rows(9, 9), rows(1, 1), np.array([1, 2]), root=True)
    assert found == (2.0, 2.0, 2.0)
    value, low, high = paired_difference(rows(9, 16), rows(1, 1), np.array([1, 2]), root=True)
    error = (((12.5**0.5 - 4) ** 2 + (12.5**0.5 - 3) ** 2) / 2) ** 0.5
    reach = stats.t.ppf(0.975, 1) * error
    assert (value, low, high) == pytest.approx((12.5**0.5 - 1, 12.5**0.5 - 1 - reach, 12.5**0.5 - 1 + reach))


def test_log_loss_by_hand() -> None:
    """Negative log likelihoods in nats, and finite ones for certain forecasts that fail."""
    found = log_loss(np.array([True, False, True, False]), rows(0.5, 0.25, 0, 1))
    assert found == pytest.approx([np.log(2), -np.log(0.75), -np.log(1e-7), -np.log(1e-7)])


def test_a_sign_flip_by_hand() -> None:
    """Of four users' sums, the same sign each, 2 of 16 flips are as far from zero; with one user, both are."""
    users = np.array([1, 1, 2, 3, 4, 4])
    assert sign_flip(rows(1, 1, 2, 2, 1, 1), users) == 2 / 16
    assert sign_flip(rows(1, 2), np.array([7, 7])) == 1
    assert sign_flip(rows(0, 0), np.array([1, 2])) == 1
    assert sign_flip(rows(3, 1, -1), np.array([1, 2, 3])) == 6 / 8  # only +-(3 - 1 - 1) is nearer to zero


def test_a_sign_flip_of_few_groups_counts_what_one_of_more_draws() -> None:
    """Thirteen groups are drawn, of which one without a difference changes nothing."""
    found = np.random.default_rng(0).normal(0.5, 1, 12)
    exact, drawn = sign_flip(found, np.arange(12)), sign_flip(np.append(found, 0), np.arange(13))
    assert exact == pytest.approx(drawn, abs=0.02)
    assert exact * 2**12 == pytest.approx(round(exact * 2**12))


@pytest.mark.parametrize(("groups", "least"), [(1, 1.0), (2, 0.5), (5, 0.0625), (6, None)])
def test_too_few_groups_for_any_difference_to_be_significant_are_told(groups: int, least: float | None) -> None:
    """All of the same sign, whose p-value is the least one."""
    values = {"net": np.zeros(groups), "mean": np.ones(groups)}
    first, *more = differences("demo", "time split", "loss", values, "net", np.arange(groups))
    assert first.p_value == 2.0 ** (1 - groups)
    assert [(row.metric, row.value) for row in more] == [("loss_difference_least_p_value", least)] * (least is not None)


def test_a_sign_flip_test_has_its_nominal_level() -> None:
    """It rejects a true null hypothesis in 5 % of 400 simulations in which plays of one user are dependent."""
    generator = np.random.default_rng(0)
    users = np.repeat(np.arange(25), 20)
    found = []
    for _ in range(400):
        difference = generator.normal(size=25)[users] + generator.normal(size=500)
        found.append(sign_flip(difference, users, resamples=199))
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=0.03)


@pytest.mark.parametrize(
    ("low", "high", "passed"),
    [(-0.2, -0.1, True), (-0.1, 0.2, True), (0.005, 0.3, True), (0.01, 0.3, True), (0.011, 0.3, False)],
)
def test_a_gate_fails_only_where_the_model_is_shown_to_be_worse(low: float, high: float, passed: bool) -> None:
    """The whole interval must lie above the margin."""
    gate = Gate("log_loss", 0.5, 0.4, "plain", (low + high) / 2, low, high, margin=0.01)
    assert gate.passed is passed


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (2.5, 1.5, 1.0)),
        ({"root": True}, (2.5**0.5, 1.5**0.5, 2.5**0.5 - 1.5**0.5)),
        ({"score": True}, (2.5, 1.5, -1.0)),
    ],
)
def test_a_gate_compares_means_on_the_same_rows(options: dict[str, bool], expected: tuple[float, ...]) -> None:
    """Of losses, of squared errors by their roots, and of scores, where the higher one is better."""
    values, baseline = rows(2, 3, 2, 3, 2, 3), rows(1, 2, 1, 2, 1, 2)
    found = gate("error", "mean", values, baseline, np.arange(6), margin=0.1, **options)
    assert (found.value, found.baseline, found.difference) == pytest.approx(expected)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.difference <= found.high
    assert (found.metric, found.baseline_variant, found.margin) == ("error", "mean", 0.1)
    assert found.passed == bool(options.get("score"))


def test_the_share_of_the_possible_gain() -> None:
    """From the baseline (0) to the best possible loss (1)."""
    found = reached("demo", "rmse", {"net": 3.0, "mean": 4.0}, "mean", 2.0)
    assert all(row.protocol == "ground truth" for row in found)
    assert [(row.variant, row.metric, row.value) for row in found] == [
        ("net", "rmse", 3.0),
        ("mean", "rmse", 4.0),
        ("truth", "rmse", 2.0),
        ("net", "rmse_share_of_best", 0.5),
        ("mean", "rmse_share_of_best", 0.0),
    ]


def test_a_rival_is_chosen_only_if_it_is_shown_to_be_better() -> None:
    """Better by luck is not enough, nor is a tie; of two that are shown to be better the best one is chosen."""
    chance, groups = np.random.default_rng(0), np.arange(40)
    default = chance.normal(1.0, 0.1, 40)
    values = {"net": default, "lucky": default + chance.normal(-0.001, 0.1, 40), "same": default.copy()}
    assert champion("demo", "loss", values, "net", groups).variant == "net"
    assert champion("demo", "loss", values, "net", groups).notes == []
    values |= {"good": default - 0.1, "best": default - 0.2}
    chosen = champion("demo", "loss", values, "net", groups)
    assert chosen.variant == "best"
    assert len(chosen.notes) == 1
    assert [(row.variant, row.protocol, row.value) for row in chosen.rows] == [
        (name, "validation", float(value.mean())) for name, value in values.items()
    ]


def test_scores_and_roots_choose_by_their_own_direction() -> None:
    """The higher score, and the lower root of the mean of squared errors."""
    scores = {"net": np.full(30, 0.5), "rival": np.full(30, 0.7)}
    assert champion("demo", "hit_rate", scores, "net", np.arange(30), score=True).variant == "rival"
    chosen = champion("demo", "rmse", scores, "rival", np.arange(30), root=True)
    assert (chosen.variant, chosen.rows[0].value) == ("net", pytest.approx(0.5**0.5))
