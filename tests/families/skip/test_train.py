"""Training, measuring, saving and predicting."""

from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import msgspec
import polars as pl
import pytest

from pozytywka_cli.dataset.loading import load
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.skip import BASELINES, VARIANTS, card, evaluate
from pozytywka_cli.families.skip.features.history import canonical
from pozytywka_cli.families.skip.metrics import figures
from pozytywka_cli.families.skip.predict import default_pairs, predict
from pozytywka_cli.families.skip.splits import user_splits
from pozytywka_cli.families.skip.train import train
from pozytywka_cli.records import Evaluated, Progress, silent
from pozytywka_cli.settings import SkipSettings

from .trained import QUICK, planted, trained, value
from .worlds import listeners, saved


def test_a_planted_taste_is_found():
    """The probability of a skip is .8 or .2: an AUC of .8 is the best there is; genres alone tell little."""
    rows = trained("advanced").model.metrics
    assert 0.72 < value(rows, "advanced", "AUC") < 0.84
    assert value(rows, "advanced", "log loss") < value(rows, "constant", "log loss") - 0.1
    assert trained("advanced").model.gate is not None
    assert trained("advanced").model.gate.passed
    assert trained("advanced").model.notes == []


@pytest.mark.parametrize("seed", range(2))
def test_coin_flips_are_not_told_worse_than_by_the_constant(seed: int):
    """There is nothing to learn; no model is worse than the constant by more than .001, or far from an AUC of .5."""
    given = listeners(seed, users=60, each=100, persona=False)
    rows = train(given, QUICK, variant="advanced", seed=seed, device="cpu", report=silent).model.metrics
    assert value(rows, "advanced", "log loss") <= value(rows, "constant", "log loss") + 0.001
    assert abs(value(rows, "advanced", "AUC") - 0.5) < 0.06


def test_a_network_that_never_beats_the_constant_is_the_constant(tmp_path: Path):
    """With a learning rate that wrecks it, the first weights are kept, and a note says so."""
    given = listeners(5, users=10, each=60, persona=False)
    wrecked = quick(learning_rate=5.0)
    draft = train(given, wrecked, variant="advanced", seed=0, device="cpu", report=silent).model
    assert draft.notes == [
        "the networks do not beat the constant on validation plays by more than chance: the model is the constant"
    ]
    assert draft.gate is not None
    assert draft.gate.difference == 0
    found = predict(saved(draft, tmp_path), given, default_pairs(given))
    assert found["probability"].n_unique() == 1
    assert found["probability"][0] == pytest.approx(given.plays["skipped"].mean())


def quick(**changes: float) -> SkipSettings:
    """Quick settings with changes."""
    return msgspec.structs.replace(QUICK, **changes)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_seed_gives_the_same_files_and_predictions(variant: str, tmp_path: Path):
    """Bit for bit, in whatever order the plays come; a batch predicts as its pairs one by one."""
    given = planted()
    shuffled = replace(given, plays=given.plays.sample(fraction=1, shuffle=True, seed=3))
    again = train(shuffled, QUICK, variant=variant, seed=0, device="cpu", report=silent)
    assert again.model.metrics == trained(variant).model.metrics
    assert again.model.epochs == trained(variant).model.epochs
    first, second = (
        saved(draft, tmp_path / name) for name, draft in (("1", trained(variant).model), ("2", again.model))
    )
    written = {name for name in first.manifest.files if name.endswith((".json", ".safetensors"))}
    assert "model.json" in written
    assert all(first.manifest.files[name] == second.manifest.files[name] for name in written)
    pairs = default_pairs(given).head(700)
    whole = predict(first, given, pairs)
    assert whole.equals(predict(second, given, pairs))
    for row in (0, 1, 350, 699):
        assert predict(first, given, pairs[row]).equals(whole[row])


def test_progress_is_reported_over_all_networks():
    """Epoch 0 has no training loss."""
    seen: list[Progress] = []
    train(
        listeners(2, users=4, each=60, persona=True), QUICK, variant="simple", seed=0, device="cpu", report=seen.append
    )
    assert {step.stage for step in seen} == {"skip simple"}
    assert all(step.done <= step.total == 3 * QUICK.epochs for step in seen if step.loss is None)
    assert seen[0].loss is None
    assert seen[1].loss is not None


def test_the_forest_says_how_many_plays_it_saw():
    """More plays than allowed are drawn at random."""
    given = listeners(2, users=5, each=60, persona=True)
    few = quick(forest_rows=100)
    draft = train(given, few, variant="forest", seed=0, device="cpu", report=silent).model
    assert draft.notes == ["the forest was fitted on 100 plays, drawn at random"]
    assert trained("forest").model.notes == []


@cache
def measured() -> Evaluated:
    """Every variant, measured on that dataset."""
    return evaluate.evaluate(planted(), QUICK, seed=0, device="cpu", report=silent)


@pytest.mark.parametrize("protocol", ["time", "user"])
def test_every_variant_stands_beside_its_baselines(protocol: str):
    """The same metrics for all, each with an interval that holds the figure."""
    rows = [row for row in measured().rows if row.protocol == protocol]
    figures = [row for row in rows if " - " not in row.metric]
    metrics = {"log loss", "AUC", "accuracy", "balanced accuracy", "Brier", "ECE"}
    assert sorted((row.variant, row.metric) for row in figures) == sorted(product(VARIANTS, metrics))
    assert all(row.low is not None and row.high is not None for row in figures)
    assert all(row.low <= row.value <= row.high for row in figures if row.low is not None and row.high is not None)
    assert value(rows, "constant", "AUC") == 0.5
    assert value(rows, "constant", "balanced accuracy") == 0.5
    assert {row.variant for row in rows if " - " in row.metric} == set(VARIANTS) - set(BASELINES)
    assert measured().notes == [
        f"by time, simple: {card.NO_GAIN}",
        f"by user, simple: {card.NO_GAIN} (in 5 of 5 folds)",
    ]


def test_training_measures_what_evaluation_measures():
    """The figures in a manifest are those of the protocol by time."""
    ours = {(row.variant, row.metric): row for row in measured().rows if row.protocol == "time"}
    for row in trained("advanced").model.metrics:
        assert ours[row.variant, row.metric] == row
    assert {row.variant for row in trained("advanced").model.metrics} == {"advanced", "user-rate", "constant"}


def test_too_few_users_are_measured_by_time_alone():
    """And a note says why."""
    few = evaluate.evaluate(listeners(2, users=5, each=60, persona=True), QUICK, seed=0, device="cpu", report=silent)
    assert {row.protocol for row in few.rows} == {"time"}
    assert few.notes[-1:] == ["skip is measured by time only: only 5 users; the protocol by user needs at least 12"]


@pytest.mark.parametrize(
    ("plays", "message", "hint"),
    [
        (
            listeners(0, users=3, each=19, persona=True).plays,
            "only 57 plays by 3 users; skip needs at least 100 plays by 2 users",
            "Give it a longer log.",
        ),
        (
            listeners(0, users=1, each=120, persona=True).plays,
            "only 120 plays by 1 users; skip needs at least 100 plays by 2 users",
            "Give it a longer log.",
        ),
        (
            listeners(0, users=2, each=60, persona=True).plays.with_columns(skipped=False),
            "of 120 plays none was skipped: there is nothing to tell apart",
            "Give it a log with plays of both kinds.",
        ),
        (
            listeners(0, users=2, each=60, persona=True).plays.with_columns(skipped=True),
            "of 120 plays every one was skipped: there is nothing to tell apart",
            "Give it a log with plays of both kinds.",
        ),
    ],
)
def test_a_log_with_too_little_in_it_is_refused(plays: pl.DataFrame, message: str, hint: str):
    """It says what there is and what is needed."""
    with pytest.raises(RefusedError) as refused:
        train(replace(planted(), plays=plays), QUICK, variant="advanced", seed=0, device="cpu", report=silent)
    assert (refused.value.message, refused.value.hint) == (message, hint)


@pytest.mark.real
def test_users_that_nothing_was_fitted_on_are_told_as_well_as_in_the_study(
    real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """By folds of users, AUC at least .760 and log loss at most .551."""
    monkeypatch.setattr(evaluate, "VARIANTS", ("advanced",))
    given = load(real / "pozytywka-2023", tmp_path / "plays.parquet", lambda _: None)
    given = replace(given, plays=canonical(given.plays))
    found, _ = evaluate.tested(given, user_splits(given.plays), SkipSettings(), seed=0, device="cpu", report=silent)
    rows = figures("advanced", "user", given.plays, found["advanced"])
    assert 0.760 <= value(rows, "advanced", "AUC") <= 0.785
    assert value(rows, "advanced", "log loss") <= 0.551


@pytest.mark.real
def test_the_real_log_reaches_the_figures_of_the_study(real: Path, tmp_path: Path):
    """AUC at least .768 and log loss at most .525 on later plays; much more would be a leak."""
    given = load(real / "pozytywka-2023", tmp_path / "plays.parquet", lambda _: None)
    rows = train(given, SkipSettings(), variant="advanced", seed=0, device="cpu", report=silent).model.metrics
    assert 0.768 <= value(rows, "advanced", "AUC") <= 0.79
    assert value(rows, "advanced", "log loss") <= 0.525
    assert value(rows, "constant", "log loss") == pytest.approx(0.641, abs=0.001)
