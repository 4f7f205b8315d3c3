"""The analysis of experiments in SQLite and PostgreSQL, beside the same on rows in memory."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sa = pytest.importorskip("sqlalchemy", reason="the extra `experiments` is not installed")

from pozytywka_cli.experiments import database, lifecycle  # noqa: E402
from pozytywka_cli.experiments.analysis import DAY, analyze, over_time, results  # noqa: E402
from pozytywka_cli.experiments.arm_moments import arm_moments  # noqa: E402
from pozytywka_cli.experiments.definition import METRICS  # noqa: E402
from pozytywka_cli.experiments.entries import Exposure, Outcome  # noqa: E402
from pozytywka_cli.experiments.estimation import difference  # noqa: E402
from pozytywka_cli.experiments.moments import fill, of_units  # noqa: E402
from pozytywka_cli.experiments.recording import log_exposures, log_outcomes  # noqa: E402

ARMS = ("control", "treatment")


def log(engine, stored, rows: np.ndarray, metric: str, *, start: int = 0, at: int = 2000) -> None:
    """Log units of (arm, value, weight, earlier value, earlier weight); NaN is not logged, and 2 events are."""
    units = [f"{metric}-{start + number}" for number in range(len(rows))]
    log_exposures(engine, stored.id, [Exposure(u, at, ARMS[int(row[0])]) for u, row in zip(units, rows, strict=True)])
    outcomes = []
    for unit, (_, value, weight, earlier, earlier_weight) in zip(units, rows.tolist(), strict=True):
        outcomes += [Outcome(unit, metric, str(part), at + part, value / 2, weight / 2) for part in range(2)]
        if earlier == earlier:
            outcomes.append(Outcome(unit, metric, "before", at - 1, earlier, earlier_weight))
    log_outcomes(engine, stored.id, outcomes)


def table(seed: int, count: int, missing: float, scale: float = 1.0) -> np.ndarray:
    chance = np.random.default_rng(seed)
    rows = np.column_stack([np.arange(count) % 2, chance.normal(5 * scale, 1, (count, 4)) * [1, 1, 1, 1]])
    rows[chance.random(count) < missing, 3:] = np.nan
    return rows


@pytest.mark.parametrize("metric", ["listened_seconds", "skip_rate"])
@pytest.mark.parametrize(("missing", "scale"), [(0.0, 1.0), (0.3, 1.0), (1.0, 1.0), (0.1, 1e6)])
def test_moments_of_the_database_are_those_of_the_rows(engine, running, metric, missing, scale):
    """Also where many or all units have no past, and where values are large beside their spread."""
    rows = table(0, 60, missing, scale)
    log(engine, running, rows, metric)
    with database.reading(engine) as connection:
        found = arm_moments(connection, running, METRICS[metric])
    columns = rows[:, 1:].copy()
    if METRICS[metric].kind == "mean":
        columns[:, [1, 3]] = 1.0
    if missing == 1.0:
        columns[:, 2:] = found.by_arm["control"].mean[2:]
    filled = fill(columns)
    assert found.with_past == (~np.isnan(rows[:, 3])).sum()
    for number, arm in enumerate(ARMS):
        expected = of_units(filled[rows[:, 0] == number])
        np.testing.assert_allclose(found.by_arm[arm].mean, expected.mean, rtol=1e-9)
        np.testing.assert_allclose(found.by_arm[arm].covariance, expected.covariance, rtol=1e-5, atol=1e-6)


def test_an_analysis_has_a_row_for_each_method(engine, running):
    """The one with CUPED is primary where there is a past, and p-values are adjusted over metrics."""
    rows = table(1, 80, 0.2)
    log(engine, running, rows, "listened_seconds")
    rows[:, 3:] = np.nan
    log(engine, running, rows, "skip_rate")
    found = analyze(engine, running)
    assert found.units == 160
    names = [(one.metric, one.method, one.primary) for one in found.effects]
    expected = [("listened_seconds", "plain", False), ("listened_seconds", "cuped", True), ("skip_rate", "plain", True)]
    assert names == expected
    primary = [one for one in found.effects if one.primary]
    assert all(one.adjusted_p_value >= one.p_value for one in primary)
    assert [one.adjusted_p_value for one in found.effects if not one.primary] == [None]
    for one in found.effects:
        assert one.always_low < one.low < one.difference < one.high < one.always_high


def test_results_are_ready_for_json(engine, running):
    """The experiment, its arms and every effect, computed in another thread."""
    log(engine, running, table(1, 20, 0.2), "listened_seconds")
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(lambda: results(running, analyze(engine, running))).result()
    assert json.loads(json.dumps(found)) == found
    assert (found["experiment"], found["status"], found["sample_ratio_p_value"]) == ("test", "running", 1.0)
    assert [arm["units"] for arm in found["arms"]] == [10, 10]
    assert {row["method"] for row in found["rows"]} == {"plain", "cuped"}


def test_units_without_outcomes_count(engine, running):
    """They listened to nothing."""
    log_exposures(engine, running.id, [Exposure(str(number), 2000, ARMS[number % 2]) for number in range(8)])
    log_outcomes(engine, running.id, [Outcome("0", "listened_seconds", "e", 2000, 40.0)])
    [effect] = [one for one in analyze(engine, running).effects if one.metric == "listened_seconds"]
    assert (effect.control, effect.treatment) == (10, 0)


def test_an_empty_experiment_has_no_effects(engine, running):
    """And nobody, or one unit, is no mismatch."""
    assert (analyze(engine, running).effects, over_time(engine, running, 5)) == ([], [])
    log_exposures(engine, running.id, [Exposure("u", 2000, "control")])
    found = analyze(engine, running)
    assert (found.units, found.is_mismatched, found.effects) == (1, False, [])


def test_a_mismatch_and_crossovers_are_shown(engine, running):
    """52:48 of 10,000 units, three of which saw the other arm later."""
    units = [Exposure(str(number), 2000, ARMS[number >= 5200]) for number in range(10_000)]
    log_exposures(engine, running.id, units)
    log_exposures(engine, running.id, [Exposure(unit, 3000, "treatment") for unit in ("1", "2", "3", "9999")])
    found = analyze(engine, running)
    assert found.is_mismatched
    assert found.sample_ratio_p_value == pytest.approx(6.334e-5, rel=1e-3)
    assert [(arm.units, arm.expected, arm.crossovers) for arm in found.arms] == [(5200, 5000, 3), (4800, 5000, 0)]


def test_changed_weights_are_no_mismatch(engine, running):
    """Each exposure is compared with the weights of its time."""
    log_exposures(engine, running.id, [Exposure(str(number), 2000, ARMS[number % 2]) for number in range(1000)])
    changed = lifecycle.change_weights(engine, "test", {"treatment": "450"}, running.allocations[0].since + 10**15)
    later = changed.allocations[-1].since + 5
    more = [Exposure(f"later {number}", later, ARMS[number % 10 > 0]) for number in range(1000)]
    log_exposures(engine, running.id, more)
    found = analyze(engine, changed)
    assert [arm.expected for arm in found.arms] == pytest.approx([600, 1400])
    assert not found.is_mismatched


def test_looks_over_time_end_with_the_present(engine, running):
    """Each knows only what was logged before it."""
    for look in range(4):
        log(engine, running, table(look, 20, 0.2), "listened_seconds", start=100 * look, at=(look + 1) * DAY - 5)
    looks = over_time(engine, running, 4)
    assert [found.units for _, found in looks] == [20, 40, 60, 80]
    assert [moment for moment, _ in looks] == [DAY, 2 * DAY, 3 * DAY, 4 * DAY]
    assert looks[-1][1] == analyze(engine, running)
    assert [moment for moment, _ in over_time(engine, running, 2)] == [2 * DAY, 4 * DAY]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10, deadline=None)
@given(seed=st.integers(0, 999))
def test_the_order_and_size_of_batches_do_not_matter(engine, running, seed):
    """The same rows, in another order, give the same analysis."""
    metric, rows = METRICS["listened_seconds"], table(seed, 12, 0.2)
    for table_ in (database.exposures, database.outcomes):
        with database.writing(engine) as connection:
            connection.execute(table_.delete())
    log(engine, running, rows, "listened_seconds")
    with database.reading(engine) as connection:
        once = arm_moments(connection, running, metric)
    log(engine, running, rows, "listened_seconds")
    with database.reading(engine) as connection:
        again = arm_moments(connection, running, metric)
    assert difference(*once.by_arm.values()) == difference(*again.by_arm.values())
