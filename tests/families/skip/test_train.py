"""Training, evaluation, saving and prediction."""

from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import msgspec
import polars as pl
import pytest

from pozytywka_cli.dataset.loading import load
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.family import Evaluated, TrainingRun
from pozytywka_cli.families.skip import FAMILY, card
from pozytywka_cli.families.skip.evaluate import fit_splits, joined
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.metrics import measure
from pozytywka_cli.families.skip.splits import user_splits
from pozytywka_cli.records import Progress

from .trained import DEFAULT, QUICK, VARIANTS, personas, trained, value
from .worlds import listeners, saved

TIME, USER = "time split", "user folds"


def test_a_generated_taste_is_learned():
    """The probability of a skip is .8 or .2: an AUC of .8 is the best possible; genres alone carry little."""
    draft = trained("advanced").model
    assert 0.72 < value(draft.metrics, "advanced", "roc_auc") < 0.84
    assert value(draft.metrics, "advanced", "log_loss") < value(draft.metrics, "constant", "log_loss") - 0.1
    assert draft.gate is not None
    assert draft.gate.passed
    assert draft.gate.metric == "log_loss"
    assert draft.notes == []


@pytest.mark.parametrize("seed", range(2))
def test_coin_flips_are_predicted_as_well_as_by_the_constant(seed: int):
    """There is nothing to learn; no model is worse than the constant by more than .001, or far from an AUC of .5."""
    given = listeners(seed, users=60, each=100, persona=False)
    rows = FAMILY.train(given, replace(QUICK, seed=seed)).model.metrics
    assert value(rows, "advanced", "log_loss") <= value(rows, "constant", "log_loss") + 0.001
    assert abs(value(rows, "advanced", "roc_auc") - 0.5) < 0.06


def test_a_network_that_never_beats_the_constant_is_the_constant(tmp_path: Path):
    """With a learning rate that wrecks it, the first weights are kept, and a note explains that."""
    given = listeners(5, users=10, each=60, persona=False)
    draft = FAMILY.train(given, quick(learning_rate=5.0)).model
    assert draft.notes == [card.IS_CONSTANT]
    assert draft.gate is not None
    assert draft.gate.difference == 0
    predictor = FAMILY.open(saved(draft, tmp_path), given)
    answers = predictor.predict(predictor.default_requests())
    assert answers["probability"].n_unique() == 1
    assert answers["probability"][0] == pytest.approx(given.plays["skipped"].mean())


def quick(**changes: float) -> TrainingRun:
    """A quick run with changed settings."""
    return replace(QUICK, settings=msgspec.structs.replace(QUICK.settings, **changes))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_seed_gives_the_same_files_and_predictions(variant: str, tmp_path: Path):
    """Bit for bit, in whatever order the plays come."""
    given = personas()
    shuffled = replace(given, plays=given.plays.sample(fraction=1, shuffle=True, seed=3))
    again = FAMILY.train(shuffled, replace(QUICK, variant=variant))
    assert again.model.metrics == trained(variant).model.metrics
    assert again.model.epochs == trained(variant).model.epochs
    first, second = (
        saved(draft, tmp_path / name) for name, draft in (("1", trained(variant).model), ("2", again.model))
    )
    written = {name for name in first.manifest.files if name.endswith((".json", ".safetensors"))}
    assert "model.json" in written
    assert all(first.manifest.files[name] == second.manifest.files[name] for name in written)
    predictors = FAMILY.open(first, given), FAMILY.open(second, shuffled)
    requests = predictors[0].default_requests()
    assert requests.equals(predictors[1].default_requests())
    assert predictors[0].predict(requests).equals(predictors[1].predict(requests))


def test_progress_is_reported_over_all_networks():
    """Of every fit from its first epoch to its last."""
    seen: list[Progress] = []
    run = replace(QUICK, variant="simple", progress=seen.append)
    FAMILY.train(listeners(2, users=4, each=60, persona=False), run)
    assert [(step.stage, step.done, step.total) for step in seen] == [("skip simple", n, 18) for n in range(1, 19)]
    assert all(step.loss is not None for step in seen)


def test_a_note_tells_the_size_of_the_forest_s_sample():
    """If there are more plays than allowed."""
    given = listeners(2, users=5, each=60, persona=True)
    draft = FAMILY.train(given, replace(quick(forest_rows=100), variant="forest")).model
    (note,) = draft.notes
    assert "100" in note
    assert trained("forest").model.notes == []


@cache
def evaluated() -> Evaluated:
    """Every variant, evaluated on that dataset."""
    return FAMILY.evaluate(personas(), QUICK)


@pytest.mark.parametrize("protocol", [TIME, USER])
def test_every_variant_has_all_metrics(protocol: str):
    """Each with an interval around its value, and each with a difference from the default variant.

    The calibration error has no interval, and constants have no slope.
    """
    rows = [row for row in evaluated().rows if row.protocol == protocol]
    metrics = [row for row in rows if row.metric in FAMILY.metrics]
    constants = {row.variant for row in metrics if row.metric == "roc_auc" and row.value == 0.5}
    assert "advanced" not in constants
    slopes = set(product(constants, ["calibration_slope"]))
    assert {(row.variant, row.metric) for row in metrics} == set(product(VARIANTS, FAMILY.metrics)) - slopes
    assert {row.metric for row in metrics if row.low is None} == {name for name in FAMILY.metrics if "_error" in name}
    assert all(row.low <= row.value <= row.high for row in metrics if row.low is not None and row.high is not None)
    assert value(rows, "constant", "roc_auc") == 0.5
    assert value(rows, "constant", "balanced_accuracy") == 0.5
    differences = [row for row in rows if row not in metrics]
    assert {row.metric for row in differences} == {"log_loss_difference"}
    assert {row.variant for row in differences} == set(VARIANTS) - {"advanced"}
    assert all(row.p_value is not None and 0 < row.p_value <= 1 for row in differences)


def test_notes_name_protocol_and_variant_and_count_the_folds():
    """Genres carry little here, so that `simple` is the constant."""
    by_time, by_user = evaluated().notes
    assert by_time == f"{TIME}, simple: {card.IS_CONSTANT}"
    assert by_user == f"{USER}, simple: {card.IS_CONSTANT} (in 5 of 5 folds)"


def test_training_and_evaluation_give_the_same_metrics():
    """The metrics in a manifest are those of the time split."""
    rows = {(row.variant, row.metric): row for row in evaluated().rows if row.protocol == TIME}
    for row in trained("advanced").model.metrics:
        assert rows[row.variant, row.metric] == row
    assert {row.variant for row in trained("advanced").model.metrics} == {"advanced", "user-rate", "constant"}


def test_the_card_explains_every_variant_and_metric():
    """With the headline metric first."""
    card = trained("advanced").model.card
    assert set(card.glossary) == set(VARIANTS)
    assert card.metrics == FAMILY.metrics
    assert next(iter(card.metrics)) == "log_loss"


def test_too_few_users_are_evaluated_by_time_only():
    """And a note gives the reason."""
    few = FAMILY.evaluate(listeners(2, users=5, each=60, persona=True), QUICK)
    assert {row.protocol for row in few.rows} == {TIME}
    assert "only 5 users" in few.notes[-1]


@pytest.mark.parametrize(
    ("plays", "parts"),
    [
        (listeners(0, users=3, each=19, persona=True).plays, ("57 plays by 3 users", "100 plays by 2 users")),
        (listeners(0, users=1, each=120, persona=True).plays, ("120 plays by 1 user", "100 plays by 2 users")),
        (listeners(0, users=2, each=60, persona=True).plays.with_columns(skipped=False), ("0 of 120 plays",)),
        (listeners(0, users=2, each=60, persona=True).plays.with_columns(skipped=True), ("120 of 120 plays",)),
    ],
)
def test_a_log_with_too_little_in_it_is_refused(plays: pl.DataFrame, parts: tuple[str, ...]):
    """The message tells what there is and what is needed."""
    with pytest.raises(RefusedError) as refused:
        FAMILY.train(replace(personas(), plays=plays), QUICK)
    assert all(part in refused.value.message for part in parts)
    assert refused.value.hint


@pytest.mark.real
def test_users_outside_the_training_plays_are_predicted_as_well_as_in_the_study(real: Path, tmp_path: Path):
    """By folds of users, AUC at least .765 and log loss at most .540."""
    log = PlayLog.of(load(real / "pozytywka-2023", tmp_path / "plays.parquet", lambda _: None))
    splits = user_splits(log.plays)
    predictions = joined(fit_splits(log, splits, DEFAULT, ["advanced"]), splits)
    rows = measure("advanced", USER, log.plays, predictions["advanced"])
    assert 0.765 <= value(rows, "advanced", "roc_auc") <= 0.79
    assert value(rows, "advanced", "log_loss") <= 0.540


@pytest.mark.real
def test_the_real_log_reaches_the_metrics_of_the_study(real: Path, tmp_path: Path):
    """AUC at least .775 and log loss at most .514 on later plays; much more would be a leak."""
    given = load(real / "pozytywka-2023", tmp_path / "plays.parquet", lambda _: None)
    rows = FAMILY.train(given, DEFAULT).model.metrics
    assert 0.775 <= value(rows, "advanced", "roc_auc") <= 0.80
    assert value(rows, "advanced", "log_loss") <= 0.514
    assert value(rows, "constant", "log_loss") == pytest.approx(0.641, abs=0.001)
