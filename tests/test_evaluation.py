"""Intervals checked by simulation, and differences, tests and calibration by hand computation."""

import numpy as np
import pytest

from pozytywka_cli.evaluation import (
    champion,
    expected_calibration_error,
    gate,
    group_weights,
    log_loss,
    mean_interval,
    paired_difference,
    reached,
    sign_flip,
    weighted_interval,
)
from pozytywka_cli.records import Gate


def rows(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def test_resamples_draw_as_many_groups_as_there_are() -> None:
    """Groups are numbered in their order, and each resample draws their number, with replacement."""
    codes, draws = group_weights(np.array([30, 10, 30, 20]), resamples=500, seed=1)
    assert codes.tolist() == [2, 0, 2, 1]
    assert draws.shape == (500, 3)
    assert set(draws.sum(axis=1)) == {3.0}
    assert draws.mean(axis=0) == pytest.approx([1, 1, 1], abs=0.15)


def test_an_interval_is_the_same_every_time() -> None:
    """It depends only on the seed."""
    values, groups = np.arange(50.0), np.arange(50) // 5
    assert mean_interval(values, groups) == mean_interval(values, groups)
    assert mean_interval(values, groups) != mean_interval(values, groups, seed=1)


def test_a_mean_of_one_group_has_no_width() -> None:
    """One group is drawn every time."""
    assert mean_interval(rows(1, 2, 6), np.array([4, 4, 4])) == (3.0, 3.0, 3.0)


def test_two_groups_by_hand() -> None:
    """Of two groups of one row, a quarter of the resamples hold only the one, a quarter only the other."""
    assert mean_interval(rows(0, 10), np.array([1, 2])) == (5.0, 0.0, 10.0)


def test_intervals_cover_the_truth() -> None:
    """Of 200 simulated samples of 60 groups that share an effect, some 95 % of the intervals hold the true mean."""
    chance = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 5)
    inside = 0
    for _ in range(200):
        values = 3 + np.repeat(chance.normal(size=60), 5) + chance.normal(size=300)
        _, low, high = mean_interval(values, groups, resamples=300)
        inside += low <= 3 <= high
    assert 180 <= inside <= 198


def test_many_groups_are_drawn_together() -> None:
    """The interval of 9,000 groups is as wide as by its standard error, with only 2,000 weights in a resample."""
    values = np.random.default_rng(0).normal(size=18_000)
    groups = np.arange(18_000) // 2
    assert group_weights(groups)[1].shape == (1000, 2000)
    _, low, high = mean_interval(values, groups)
    assert high - low == pytest.approx(2 * 1.96 / 18_000**0.5, rel=0.1)
    assert sign_flip(values - values.mean(), groups) == pytest.approx(1)
    assert sign_flip(values + 0.03, groups) < 0.001


def test_intervals_over_rows_would_be_too_narrow() -> None:
    """Where the rows of a group share an effect, resampling groups gives a far wider interval."""
    values = np.repeat(np.random.default_rng(0).normal(size=30), 20)
    _, low, high = mean_interval(values, np.repeat(np.arange(30), 20))
    _, low_rows, high_rows = mean_interval(values, np.arange(600))
    assert (high - low) / (high_rows - low_rows) == pytest.approx(20**0.5, rel=0.15)


def test_a_weighted_metric_is_the_mean_for_the_mean() -> None:
    """A metric that takes weights gives the interval of the mean when it is the mean."""
    values, groups = np.random.default_rng(0).normal(size=40), np.arange(40) // 4
    found = weighted_interval(lambda weight: float(np.average(values, weights=weight)), groups, resamples=100)
    assert found == pytest.approx(mean_interval(values, groups, resamples=100))


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
    difference, low, high = paired_difference(model, baseline, groups)
    assert difference == pytest.approx(model.mean() - baseline.mean())
    assert -1.5 < low < difference < high < -0.5
    _, wide_low, wide_high = mean_interval(model, groups)
    assert wide_high - wide_low > 10 * (high - low)


def test_a_difference_of_roots() -> None:
    """With `root` RMSEs are compared: 3 and 4 with 1 and 1."""
    found = paired_difference(rows(9, 9), rows(1, 1), np.array([1, 2]), root=True)
    assert found == (2.0, 2.0, 2.0)
    value, low, high = paired_difference(rows(9, 16), rows(1, 1), np.array([1, 2]), root=True)
    assert (value, low, high) == pytest.approx((12.5**0.5 - 1, 2.0, 3.0))


def test_log_loss_by_hand() -> None:
    """Negative log likelihoods in nats, and finite ones for certain forecasts that fail."""
    found = log_loss(np.array([True, False, True, False]), rows(0.5, 0.25, 0, 1))
    assert found == pytest.approx([np.log(2), -np.log(0.75), -np.log(1e-7), -np.log(1e-7)])


def test_calibration_by_hand() -> None:
    """Two bins: forecasts of .1 came true half the time, forecasts of .9 and 1 always."""
    outcome = np.array([True, False, True, True])
    value, low, high = expected_calibration_error(outcome, rows(0.1, 0.1, 0.9, 1.0), np.array([1, 1, 2, 2]), bins=2)
    assert value == pytest.approx((abs(0.2 - 1) + abs(1.9 - 2)) / 4)
    # of two users, resamples hold either alone, or both
    assert (low, high) == pytest.approx((0.1 / 2, 0.8 / 2))
    assert expected_calibration_error(np.array([True, False]), rows(1, 0), np.array([1, 2])) == (0, 0, 0)


def test_an_interval_of_a_calibration_error_holds_it() -> None:
    """Forecasts that are right for every user together: resamples of users are further off than the whole."""
    outcome, users = np.arange(400) % 2 == 0, np.repeat(np.arange(40), 10)
    outcome[users % 2 == 0] = True
    outcome[users % 2 == 1] = False
    value, low, high = expected_calibration_error(outcome, np.full(400, 0.5), users)
    assert value == low == 0
    assert high > 0.05


def test_a_sign_flip_by_hand() -> None:
    """Of four users' sums, the same sign each, 2 of 16 flips are as far from zero; with one user, both are."""
    users = np.array([1, 1, 2, 3, 4, 4])
    assert sign_flip(rows(1, 1, 2, 2, 1, 1), users) == pytest.approx(2 / 16, abs=0.015)
    assert sign_flip(rows(1, 2), np.array([7, 7])) == 1
    assert sign_flip(rows(0, 0), np.array([1, 2])) == 1


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
    found = gate("error", "mean", rows(2, 3), rows(1, 2), np.array([1, 2]), margin=0.1, **options)
    assert (found.value, found.baseline, found.difference) == pytest.approx(expected)
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
