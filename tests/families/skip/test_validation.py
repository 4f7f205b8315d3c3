"""What is decided on the validation plays: whether a model is the constant, and which variant serves."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.dataset.splits import time_cut
from pozytywka_cli.evaluation import VALIDATION, log_loss
from pozytywka_cli.families.skip import FAMILY
from pozytywka_cli.families.skip.evaluate import evaluate, fit_splits
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.fitting import TrainingData, fit_weights, recipe
from pozytywka_cli.families.skip.models.model import Model
from pozytywka_cli.families.skip.models.networks import Networks
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.families.skip.splits import time_split, user_splits
from pozytywka_cli.families.skip.validation import fit, validate

from .trained import QUICK, personas, trained, value
from .worlds import listeners, saved

WRECKED = replace(QUICK, settings=msgspec.structs.replace(QUICK.settings, learning_rate=20.0))


def weights(model: Model) -> list[np.ndarray]:
    """All weights of networks."""
    assert isinstance(model, Networks)
    return [array for member in model.members for array in member.weights.values()]


def test_what_is_fitted_for_validation_does_not_see_the_validation_plays():
    """With all their outcomes reversed, and the same inputs, the weights are the same."""
    log = PlayLog.of(personas())
    data = TrainingData(log, time_split(log.plays), QUICK.settings_as(SkipSettings))
    reader, inputs = data.read("advanced")
    plays = log.plays.with_columns(skipped=log.plays["skipped"] ^ pl.Series(data.split.validation(0)))
    turned = TrainingData(PlayLog.of(replace(personas(), plays=plays)), data.split, data.settings)
    turned._cache[type(reader)] = reader, inputs
    for fitting, alike in ((fit_weights, True), (lambda *how: fit_weights(how[0], how[1].final, how[2]), False)):
        models = (fitting("advanced", each, QUICK).model for each in (data, turned))
        pairs = zip(*(weights(model) for model in models), strict=True)
        assert all(one.tobytes() == other.tobytes() for one, other in pairs) == alike


@pytest.mark.parametrize("number", [0, 1])
def test_networks_that_are_shown_to_beat_the_constant_are_kept_and_others_are_the_constant(number: int):
    """By time and by user; what is the constant has its losses."""
    for given, constant in ((personas(), False), (listeners(3, users=30, each=80, persona=False), True)):
        log = PlayLog.of(given)
        split = (time_split(log.plays), user_splits(log.plays)[0])[number]
        data = TrainingData(log, split, QUICK.settings_as(SkipSettings))
        validated = validate("advanced", data, QUICK)
        assert validated.constant == fit("advanced", data, QUICK, validated).constant == constant
        usual = -np.log([1 - data.read("advanced")[0].skip_rate, data.read("advanced")[0].skip_rate])
        assert set(validated.losses).issubset(usual) == constant


def habits(users: int) -> Dataset:
    """Every other user skips .8 of all tracks, the others .1 of them."""
    given = listeners(1, users=users, each=100, persona=False)
    chance = np.where(given.plays["user_id"].to_numpy() % 2 == 0, 0.8, 0.1)
    return replace(given, plays=given.plays.with_columns(skipped=np.random.default_rng(0).random(len(chance)) < chance))


def test_a_rival_that_is_better_on_the_validation_plays_serves_in_place_of_the_default():
    """Networks wrecked by their learning rate are the constant, and a rival is shown to be better."""
    draft = FAMILY.train(habits(20), replace(WRECKED, rivals=FAMILY.rivals)).model
    assert draft.variant in FAMILY.rivals
    assert draft.chosen_over == "advanced"
    assert draft.gate is not None
    tested = [row for row in draft.metrics if row.protocol != VALIDATION]
    assert draft.gate.value == pytest.approx(value(tested, draft.variant, "log_loss"))
    compared = {row.variant: row.value for row in draft.metrics if row.protocol == VALIDATION}
    assert list(compared) == ["advanced", *FAMILY.rivals]
    assert min(compared, key=compared.__getitem__) == draft.variant
    assert any(draft.variant in note for note in draft.notes)
    assert FAMILY.train(habits(20), WRECKED).model.variant == "advanced"


def test_the_default_serves_where_no_rival_is_shown_to_be_better():
    """Its networks find what a regression on the same features cannot."""
    draft = FAMILY.train(personas(), replace(QUICK, rivals=FAMILY.rivals)).model
    assert (draft.variant, draft.chosen_over) == ("advanced", None)


def test_an_evaluation_tells_which_variant_training_would_choose():
    """By time alone, as `train` does, and only where it is not the default."""
    (note,) = [one for one in evaluate(habits(12), replace(WRECKED, rivals=FAMILY.rivals)).notes if "serves" in one]
    assert note.startswith("time split, ")
    assert not [one for one in evaluate(habits(12), WRECKED).notes if "serves" in one]


def test_an_evaluation_in_several_processes_gives_the_same_predictions_and_notes():
    """To the last bit."""
    log = PlayLog.of(personas())
    splits = [time_split(log.plays), user_splits(log.plays)[0]]
    alone, together = (fit_splits(log, splits, replace(QUICK, jobs=jobs), ["advanced", "simple"]) for jobs in (1, 2))
    for one, other in zip(alone, together, strict=True):
        assert one.notes == other.notes
        for variant, predictions in one.predictions.items():
            assert predictions.probability.tobytes() == other.predictions[variant].probability.tobytes()


def test_a_schedule_is_shorter_with_many_plays():
    """A network sees ten million plays, in whole passes over all of them, and at least one."""
    settings = SkipSettings()
    assert [recipe(settings, rows).epochs for rows in (8_000, 500_000, 1_270_000, 50_000_000)] == [25, 20, 8, 1]


def test_what_serves_is_as_good_as_what_was_evaluated(tmp_path: Path):
    """Trained with `until` where the test plays begin, and asked for each of them at its start."""
    given = personas()
    cut = time_cut(given.plays, 0.8)
    draft = FAMILY.train(given.until(cut), QUICK).model
    tested = given.plays.filter(given.plays["started_at"] > cut)
    requests = tested.select("user_id", "track_id", "session_id", at="started_at")
    answers = FAMILY.open(saved(draft, tmp_path), given).predict(requests)
    served = log_loss(tested["skipped"].to_numpy(), answers["probability"].to_numpy()).mean()
    evaluated = value(trained("advanced").model.metrics, "advanced", "log_loss")
    assert served == pytest.approx(evaluated, abs=0.005)
