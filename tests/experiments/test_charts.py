"""Charts of an experiment over time."""

import math
from datetime import date

import pytest
from scipy import stats

sa = pytest.importorskip("sqlalchemy", reason="the extra `experiments` is not installed")

from pozytywka_cli.experiments import lifecycle  # noqa: E402
from pozytywka_cli.experiments.analysis import DAY, over_time  # noqa: E402
from pozytywka_cli.experiments.charts import panels  # noqa: E402
from pozytywka_cli.experiments.definition import METRICS, Arm, Experiment  # noqa: E402
from pozytywka_cli.experiments.entries import Exposure, Outcome  # noqa: E402
from pozytywka_cli.experiments.recording import log_exposures, log_outcomes  # noqa: E402

METRIC = "listened_seconds"


@pytest.fixture
def started(engine):
    """An experiment with one metric, since the beginning of 1970, planned for eight units."""
    arms = [Arm("control", "1"), Arm("treatment", "1")]
    lifecycle.create(engine, Experiment("test", "user", arms, "salt", [METRICS[METRIC]], 8))
    return lifecycle.start(engine, "test", 5)


def log(engine, stored, arm: str, values: dict[str, float], at: int) -> None:
    log_exposures(engine, stored.id, [Exposure(unit, at, arm) for unit in values])
    log_outcomes(engine, stored.id, [Outcome(unit, METRIC, "e", at, value) for unit, value in values.items()])


def test_effects_sequences_and_ratios_by_hand(engine, started):
    """Two units in each arm on the first day, 1 and 3 against 2 and 6; on the second one more, which changes all."""
    log(engine, started, "control", {"a": 1.0, "b": 3.0}, 10)
    log(engine, started, "treatment", {"c": 2.0, "d": 6.0}, 20)
    log(engine, started, "control", {"e": 5.0}, DAY + 10)
    interval, sequence, ratio = panels(over_time(engine, started, 5))
    error, freedom = math.sqrt(2 / 2 + 8 / 2), 25 / 17
    day, arm, difference, low, high = interval.rows.row(0)
    assert (day, arm, difference) == (date(1970, 1, 1), "treatment", 2.0)
    reach = stats.t.ppf(0.975, freedom) * error
    assert (low, high) == pytest.approx((2 - reach, 2 + reach))
    intrinsic = 4 / 8 * (-2 * math.log(0.05) + math.log(-2 * math.log(0.05)) + 1)
    multiplier = math.sqrt(2 * (intrinsic + 1) / intrinsic * math.log(math.sqrt(intrinsic + 1) / 0.05))
    reach = stats.t.ppf(stats.norm.cdf(multiplier), freedom) * error
    assert sequence.rows.row(0)[3:] == pytest.approx((2 - reach, 2 + reach))
    assert interval.rows.row(1)[:3] == (date(1970, 1, 2), "treatment", 1.0)
    assert [row[:2] for row in sequence.rows.iter_rows()] == [row[:2] for row in interval.rows.iter_rows()]
    assert ratio.rows.rows() == [
        (date(1970, 1, 1), "control", 1.0),
        (date(1970, 1, 1), "treatment", 1.0),
        (date(1970, 1, 2), "control", 1.2),
        (date(1970, 1, 2), "treatment", 0.8),
    ]
    assert f"{stats.chi2.sf(0.2, 1):.2g}" in ratio.title
