"""Outcomes that somebody sends."""

import math

import msgspec
import pytest

from pozytywka_cli.errors import UsageError
from pozytywka_cli.experiments.definition import METRICS, Arm, Experiment, MetricDefinition
from pozytywka_cli.experiments.entries import Outcome, check_outcomes

METRIC = MetricDefinition("clicks", "ratio")
EXPERIMENT = Experiment("test", "user", [Arm("a", "1"), Arm("b", "1")], "salt", [METRIC, METRICS["skip_rate"]])
NOW = 1_700_000_000_000_000
FINE = Outcome("u", "clicks", "e", NOW, 1.0)


def test_outcomes_that_can_be_stored_are_accepted():
    """Of any unit, also one that is not exposed yet, and from a clock that is a little ahead."""
    check_outcomes(EXPERIMENT, [FINE, msgspec.structs.replace(FINE, at=NOW + 10**9, value=-5.0, weight=0.0)], NOW)
    check_outcomes(EXPERIMENT, [], NOW)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((field, text) for field in ("unit", "event") for text in ("", "\0", "a\nb", "\ud800", "x" * 201)),
        ("metric", "likes"),
        ("metric", "skip_rate"),
        ("metric", ""),
        ("at", 0),
        ("at", -(2**63)),
        ("at", 2**63),
        ("at", NOW + 2 * 86_400_000_000),
        *((field, number) for field in ("value", "weight") for number in (math.nan, math.inf, -math.inf)),
        ("weight", -0.5),
    ],
)
def test_others_are_refused(field, value):
    """With their number, the field and a next step; metrics from the log, too, which would be counted twice."""
    with pytest.raises(UsageError, match=f"^outcome 2: {field} ") as caught:
        check_outcomes(EXPERIMENT, [FINE, msgspec.structs.replace(FINE, **{field: value})], NOW)
    assert caught.value.hint
