"""The models that the networks are compared with."""

from dataclasses import replace
from itertools import product

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import log_loss
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.skip import evaluate
from pozytywka_cli.families.skip.features.genres import GenreClusters
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.fitting import FittedModel, TrainingData
from pozytywka_cli.families.skip.models.model import Model
from pozytywka_cli.families.skip.models.networks import Networks
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.families.skip.splits import time_split, user_splits
from pozytywka_cli.families.skip.validation import Validated, fit

from .trained import DEFAULT, QUICK, VARIANTS, personas

GENRES = [["doom", "sludge"], ["doom", "sludge"], ["sludge", "doom"], ["jazz", "swing"], ["swing", "jazz"]]


def training_data(dataset: Dataset) -> TrainingData:
    """Its plays before the last fifth of the time."""
    log = PlayLog.of(dataset)
    return TrainingData(log, time_split(log.plays), SkipSettings())


def all_plays(dataset: Dataset) -> np.ndarray:
    """A flag for each play."""
    return np.ones(len(dataset.plays), np.bool_)


def fitted(variant: str, data: TrainingData) -> Networks:
    """A variant's only network."""
    model = fit(variant, data, DEFAULT).model
    assert isinstance(model, Networks)
    return model


def two_scenes() -> Dataset:
    """Two groups of genres, of which no list has genres of both."""
    given = personas()
    artists = given.artists.with_columns(genres=pl.Series(GENRES))
    liked = [GENRES[user % 5] for user in given.users["user_id"]]
    return replace(given, artists=artists, users=given.users.with_columns(favourite_genres=pl.Series(liked)))


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_fit_depends_on_the_outcome_of_a_test_play(variant: str):
    """With all of them reversed, predictions for the plays before are the same, to the bit."""

    def predictions(dataset: Dataset) -> bytes:
        data = training_data(dataset)
        before = data.split.training
        model = fit(variant, data, DEFAULT).model
        known = model.reader.known(data.log.plays.filter(before), data.log)
        return model.predict_proba(data.inputs(variant, before), known).tobytes()

    dataset = replace(personas(), plays=PlayLog.of(personas()).plays)
    test = pl.Series(time_split(dataset.plays).test)
    reversed_outcomes = dataset.plays.with_columns(skipped=pl.col("skipped") ^ test)
    assert predictions(dataset) == predictions(replace(dataset, plays=reversed_outcomes))


def test_the_models_of_a_fold_do_not_depend_on_its_test_users_and_predict_them(monkeypatch: pytest.MonkeyPatch):
    """With all their outcomes reversed, only the other folds' models predict anything else for other users."""
    log = PlayLog.of(personas())
    splits = user_splits(log.plays)[:2]
    reversed_outcomes = log.plays.with_columns(skipped=pl.col("skipped") ^ pl.Series(splits[1].test))
    changed = PlayLog.of(replace(personas(), plays=reversed_outcomes))
    models: list[Model] = []

    def recorded(variant: str, data: TrainingData, run: TrainingRun, validated: Validated | None) -> FittedModel:
        fitted = fit(variant, data, run, validated)
        models.append(fitted.model)
        return fitted

    monkeypatch.setattr(evaluate, "fit", recorded)
    for each in (log, changed):
        predictions = evaluate.joined(evaluate.fit_splits(each, splits, QUICK), splits)
    half, others = len(models) // 2, splits[1].training
    rows = log.plays.filter(others)
    for (split, variant), before, after in zip(product(splits, VARIANTS), models[:half], models[half:], strict=True):
        first, second = (
            model.predict_proba(model.reader.open(log)(rows), model.reader.known(rows, log))
            for model in (before, after)
        )
        assert (first.tobytes() == second.tobytes()) == (split is splits[1]), variant
        fold = TrainingData(changed, split, SkipSettings()).predictions(after)
        assert predictions[variant].probability[split.test].tobytes() == fold.probability.tobytes(), variant


def test_a_logistic_regression_has_no_gradient_left():
    """On its training plays the mean residual times each feature is nearly zero, up to the small penalty."""
    given = training_data(personas())
    model = fitted("logistic", given)
    (features,), training = given.inputs("logistic", given.split.training), given.split.training
    residual = model.probability((features,)) - given.skipped[training]
    assert abs(residual.mean()) < 1e-4
    weights = model.members[0].weights["linear.weight"][0]
    assert residual @ features == pytest.approx(-weights, abs=0.3)


def test_the_legacy_network_is_fitted_on_as_many_skips_as_other_plays():
    """So that its probabilities are around one half, though a sixth of the plays were skipped."""
    rare = personas().plays.with_columns(skipped=pl.col("skipped") & (pl.int_range(pl.len()) % 3 == 0))
    given = training_data(replace(personas(), plays=rare))
    assert given.skipped.mean() < 0.25
    predictions = given.predictions(fitted("legacy", given))
    assert predictions.probability.mean() == pytest.approx(0.5, abs=0.1)
    assert set(predictions.threshold) == {0.5}


def test_the_legacy_network_learns_a_genre_that_is_skipped():
    """If genres decide, its log loss is near zero."""
    given = two_scenes()
    doom = given.tracks.join(given.artists, left_on="id_artist", right_on="id").filter(
        pl.col("genres").list.contains("doom")
    )
    plays = given.plays.with_columns(skipped=pl.col("track_id").is_in(doom["id"].implode()))
    decided = training_data(replace(given, plays=plays))
    predictions = decided.predictions(fitted("legacy", decided))
    assert log_loss(decided.skipped[decided.split.test], predictions.probability).mean() < 0.1


def test_genres_in_the_same_lists_are_in_one_cluster():
    """And the inputs name each cluster that a user or an artist has once, however many genres it has there."""
    given = two_scenes()
    reader, (user, artist) = GenreClusters.prepare(PlayLog.of(given), all_plays(given), SkipSettings())
    cluster = dict(zip(reader.genres.vocabulary, reader.cluster[2:], strict=True))
    assert cluster["doom"] == cluster["sludge"] != cluster["jazz"] == cluster["swing"]
    assert reader.count == 2
    for numbers in (user, artist):
        assert numbers.shape == (len(given.plays), 2)
        assert np.all(numbers[:, 1] == 0)
        assert set(numbers[:, 0].tolist()) == {1, 2}


def test_unknown_users_and_artists_have_no_cluster():
    """A dataset without genres has no clusters at all."""
    given = personas()
    reader, _ = GenreClusters.prepare(PlayLog.of(given), all_plays(given), SkipSettings())
    stranger = given.plays.head(2).with_columns(user_id=pl.lit(-1, pl.Int64), track_id=pl.lit("gone"))
    assert all(np.all(one == 0) for one in reader.open(PlayLog.of(given))(stranger))
    bare = replace(given, users=given.users.clear(), artists=given.artists.clear())
    nothing, inputs = GenreClusters.prepare(PlayLog.of(bare), all_plays(bare), SkipSettings())
    assert nothing.count == 0
    assert all(one.shape == (len(given.plays), 1) and np.all(one == 0) for one in inputs)
    given = training_data(bare)
    assert given.predictions(fitted("legacy", given)).probability.std() < 1e-6
