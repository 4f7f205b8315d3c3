"""The charts, by hand and compared with scikit-learn, and permutation importance."""

import math

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from pozytywka_cli.families.skip import charts
from pozytywka_cli.families.skip.charts import calibration, panels, permutation_importance, roc, skip_times, thinned
from pozytywka_cli.records import Panel, Progress, silent

RANDOM = np.random.default_rng(0)
MANY = 3000
SKIPPED = RANDOM.random(MANY) < 0.4
PROBABILITIES = {
    "advanced": np.clip(0.4 + 0.2 * SKIPPED + 0.2 * RANDOM.normal(size=MANY), 0, 1),
    "forest": np.round(np.clip(0.4 + 0.1 * SKIPPED + 0.2 * RANDOM.normal(size=MANY), 0, 1), 1),
    "constant": np.full(MANY, 0.4),
}
PLAYS = pl.DataFrame({"skipped": SKIPPED, "listened_ms": np.where(SKIPPED, 30_000, 200_000)})


def plays(*listened: tuple[bool, int | None]) -> pl.DataFrame:
    """Plays that were skipped or not, and how many milliseconds of them were played."""
    return pl.DataFrame(listened, {"skipped": pl.Boolean, "listened_ms": pl.Int64}, orient="row")


def titles(drawn: list[Panel]) -> list[str]:
    """The titles of panels, without their numbers."""
    return [panel.title.partition(",")[0] for panel in drawn]


def test_calibration_by_hand() -> None:
    """Twenty forecasts in order make ten bins of two: the mean of both, and 0, a half or all of them skipped."""
    forecast = np.arange(20) / 20
    skipped = np.repeat([False, True], 10)
    skipped[0] = True
    order = RANDOM.permutation(20)
    bins = calibration(skipped[order], forecast[order])
    assert bins[charts.FORECAST].to_list() == pytest.approx([0.025 + 0.1 * number for number in range(10)])
    assert bins[charts.OBSERVED].to_list() == [0.5, 0, 0, 0, 0, 1, 1, 1, 1, 1]


def test_equal_forecasts_share_a_bin() -> None:
    """Half the plays at .2 and half at .7 are two bins; a constant is one."""
    skipped = np.array([True, False, False, False] * 5 + [True, True, False, True] * 5)
    bins = calibration(skipped, np.repeat([0.2, 0.7], 20))
    assert bins.rows() == [(pytest.approx(0.2), 0.25), (pytest.approx(0.7), 0.75)]
    assert calibration(skipped, np.full(40, 0.3)).rows() == [(pytest.approx(0.3), 0.5)]


@pytest.mark.parametrize("variant", list(PROBABILITIES))
def test_a_roc_curve_is_scikit_learns(variant: str) -> None:
    """Point by point, with and without ties."""
    curve = roc(SKIPPED, PROBABILITIES[variant])
    false, true, _ = roc_curve(SKIPPED, PROBABILITIES[variant], drop_intermediate=False)
    assert curve[charts.FALSE].to_list() == false.tolist()
    assert curve[charts.TRUE].to_list() == true.tolist()


@pytest.mark.parametrize("kind", [True, False])
def test_plays_of_one_kind_have_no_roc_curve(kind: bool) -> None:
    """It would divide by zero."""
    assert roc(np.full(5, kind), np.arange(5) / 5).is_empty()


def test_a_long_curve_keeps_200_of_its_points() -> None:
    """With both ends; a short one stays as it is."""
    whole = roc(SKIPPED, PROBABILITIES["advanced"])
    points = thinned(whole)
    assert len(points) == 200
    assert set(points.rows()) <= set(whole.rows())
    assert (points.row(0), points.row(-1)) == ((0, 0), (1, 1))
    short = roc(SKIPPED, PROBABILITIES["forest"])
    assert thinned(short).equals(short)


def test_skip_times_by_hand() -> None:
    """Bars of five seconds; the last one holds what comes later, and plays to the end are in none."""
    bars = skip_times(
        plays((True, 0), (True, 4999), (True, 5000), (True, 299_999), (True, 300_000), (True, 900_000), (False, 7000))
    )
    assert bars[charts.START].to_list() == [0, 5, 295, 300]
    assert bars["to"].to_list() == [5, 10, 300, 305]
    assert bars[charts.SHARE].to_list() == pytest.approx([100 / 3, 100 / 6, 100 / 6, 100 / 3])


def test_the_four_panels() -> None:
    """In their order; a variant has the same label in all of them, its name and its AUC."""
    drawn = panels(PLAYS, PROBABILITIES, {"advanced": [("some", 0.1), ("more", 0.2)]})
    assert titles(drawn) == ["Calibration curve", "ROC curve", "When tracks are skipped", "Permutation importance"]
    labels = [
        f"{variant}, AUC {roc_auc_score(SKIPPED, probability):.3f}" for variant, probability in PROBABILITIES.items()
    ]
    for panel in drawn[:2]:
        assert panel.rows[charts.VARIANT].unique(maintain_order=True).to_list() == labels
    assert drawn[3].rows.rows() == [("more", 0.2, labels[0]), ("some", 0.1, labels[0])]
    for panel in drawn:
        assert {panel.x, panel.y} | ({panel.series} if panel.series else set()) <= set(panel.rows.columns)


def test_only_the_largest_importances_are_shown() -> None:
    """Fifteen of forty, from the largest; negative ones, which are chance, come last."""
    given = [(f"input {number}", number / 100 - 0.3) for number in range(40)]
    shown = panels(PLAYS, PROBABILITIES, {"advanced": given})[3].rows
    assert shown[charts.INPUT].to_list() == [f"input {number}" for number in range(39, 24, -1)]


@pytest.mark.parametrize(
    ("given", "importance", "expected"),
    [
        (plays((False, 200_000), (False, None)), [("a", 0.0)], ["Calibration curve", "Permutation importance"]),
        (plays((True, 3000)), [], ["Calibration curve", "When tracks are skipped"]),
        (plays((True, 3000), (False, 9000)), [], ["Calibration curve", "ROC curve", "When tracks are skipped"]),
    ],
)
def test_what_would_be_empty_is_left_out(
    given: pl.DataFrame, importance: list[tuple[str, float]], expected: list[str]
) -> None:
    """No skips, one play, two plays: the rest is there."""
    size = len(given)
    drawn = panels(
        given, {"advanced": np.linspace(0.2, 0.6, size), "constant": np.full(size, 0.3)}, {"advanced": importance}
    )
    assert titles(drawn) == expected
    assert all(panel.rows.null_count().sum_horizontal().item() == 0 for panel in drawn)


def sure(inputs: np.ndarray) -> np.ndarray:
    """A model that is .9 sure of a skip where the second input is above zero, and else of none."""
    return np.where(inputs[:, 1] > 0, 0.9, 0.1)


def test_only_the_input_that_matters_is_important() -> None:
    """It costs ln 9 for each play whose sign another play's value changes, some half of them; the others exactly 0."""
    inputs = RANDOM.normal(size=(1000, 3)).astype(np.float32)
    kept = inputs.copy()
    steps: list[Progress] = []
    importances = permutation_importance(sure, inputs, ["a", "b", "c"], inputs[:, 1] > 0, 0, steps.append)
    assert [name for name, _ in importances] == ["a", "b", "c"]
    assert (importances[0][1], importances[2][1]) == (0, 0)
    changed = importances[1][1] / math.log(9) * 1000
    assert changed == pytest.approx(round(changed))
    assert 400 < changed < 600
    assert np.array_equal(inputs, kept)
    assert [(step.done, step.total) for step in steps] == [(1, 3), (2, 3), (3, 3)]


def test_the_seed_decides_what_is_shuffled_and_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most so many plays are scored, each beside its own outcome, and not the same ones for another seed."""
    monkeypatch.setattr(charts, "SHUFFLED", 100)
    inputs = RANDOM.normal(size=(1000, 2)).astype(np.float32)
    skipped = inputs[:, 1] > 0
    scored: list[np.ndarray] = []

    def score(given: np.ndarray) -> np.ndarray:
        scored.append(given.copy())
        return sure(given)

    importances = [permutation_importance(score, inputs, ["a", "b"], skipped, seed, silent) for seed in (0, 0, 1)]
    assert {len(given) for given in scored} == {100}
    assert importances[0] == importances[1]
    assert not np.array_equal(scored[0], scored[6])
    assert 30 < importances[2][1][1] / math.log(9) * 100 < 70
