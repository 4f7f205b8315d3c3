"""Tables and conclusions of an evaluation, made from rows."""

import math

import pytest

from pozytywka_cli.artifacts import Store
from pozytywka_cli.commands import evaluation_table
from pozytywka_cli.families import registry
from pozytywka_cli.records import Row

SKIP = registry.get("skip")


def rows(**losses: float) -> list[Row]:
    """Return the log loss of variants, with differences from the default; the default's lead is significant."""
    found = [
        Row("skip", name, "time split", "log_loss", loss, loss - 0.01, loss + 0.01) for name, loss in losses.items()
    ]
    for name in losses.keys() - {"advanced"}:
        difference = losses[name] - losses["advanced"]
        p_value = 0.001 if difference > 0 else 0.4
        found.append(Row("skip", name, "time split", "log_loss_difference", difference, -1.0, 1.0, p_value))
    return found


def test_the_default_is_first_and_the_others_are_sorted_by_the_headline_metric():
    """Whatever the order of the rows; a value that is NaN is last."""
    values = {"constant": 0.7, "simple": 0.6, "forest": math.nan, "advanced": 0.65}
    [comparison] = evaluation_table.comparisons(SKIP, rows(**values))
    assert comparison.variants == ["advanced", "simple", "constant", "forest"]
    assert comparison.best("log_loss") == ["simple"]


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ({"advanced": 0.5, "simple": 0.6}, ["advanced (0.5000)", "simple", "more than chance", "0.1000", "0.001"]),
        ({"advanced": 0.6, "simple": 0.5}, ["simple (0.5000)", "advanced", "may be chance", "0.1000", "0.400"]),
    ],
)
def test_the_conclusion_names_the_best_and_whether_its_lead_is_chance(losses, words):
    """Against the default, or the default against the next best."""
    [comparison] = evaluation_table.comparisons(SKIP, rows(**losses))
    conclusion = evaluation_table.conclusion(comparison)
    assert [word for word in words if word not in conclusion] == []


def test_too_few_users_are_not_called_chance():
    """No p-value could have been small, which the conclusion says with the least one."""
    least = Row("skip", "simple", "time split", "log_loss_difference_least_p_value", 0.125)
    [comparison] = evaluation_table.comparisons(SKIP, [*rows(advanced=0.6, simple=0.5), least])
    conclusion = evaluation_table.conclusion(comparison)
    assert [word for word in ("so few", "0.1000", "0.125") if word not in conclusion] == []
    assert "may be chance" not in conclusion


def test_an_unknown_interval_is_left_empty(capsys):
    """Of one user; a metric that others are compared with has no best value."""
    name = "expected_calibration_error_if_calibrated"
    found = [Row("skip", "advanced", "time split", "log_loss", 0.5), Row("skip", "advanced", "time split", name, 0.1)]
    [comparison] = evaluation_table.comparisons(SKIP, found)
    evaluation_table.show(comparison)
    out = capsys.readouterr().out
    assert "0.5000" in out
    assert "None" not in out
    assert comparison.best(name) == []


def test_metrics_that_do_not_fit_are_named(capsys):
    """No line is wider than 100 columns, and nothing is left out in silence."""
    names = [f"a_metric_with_a_long_name_{number}" for number in range(12)]
    wide = [Row("skip", "advanced", "time split", name.replace("_", ""), 0.5) for name in names]
    [comparison] = evaluation_table.comparisons(SKIP, rows(advanced=0.5) + wide)
    evaluation_table.show(comparison)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    assert all(name.replace("_", "") in out.replace("\n", "") for name in names)


def test_without_a_promoted_version_the_next_step_is_named(tmp_path):
    """`pozytywka train skip`."""
    assert "pozytywka train skip" in evaluation_table.promotion(SKIP, Store(tmp_path))
