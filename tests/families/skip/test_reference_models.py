"""The models that the networks are compared with."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import log_loss
from pozytywka_cli.families.skip import VARIANTS, evaluate
from pozytywka_cli.families.skip.features.genre_clusters import Clusters
from pozytywka_cli.families.skip.fit import learn
from pozytywka_cli.families.skip.models.baselines import Model
from pozytywka_cli.families.skip.models.model import Networks
from pozytywka_cli.families.skip.network_fitting import Learned
from pozytywka_cli.families.skip.splits import time_split, user_splits
from pozytywka_cli.families.skip.training_data import TrainingData
from pozytywka_cli.records import silent
from pozytywka_cli.settings import SkipSettings

from .trained import QUICK, planted

GENRES = [["doom", "sludge"], ["doom", "sludge"], ["sludge", "doom"], ["jazz", "swing"], ["swing", "jazz"]]


def training_data(dataset: Dataset) -> TrainingData:
    """Its plays before the last fifth of the time."""
    return TrainingData(dataset, time_split(dataset.plays), SkipSettings())


def fitted(variant: str, given: TrainingData) -> Networks:
    """A variant's only network."""
    model = learn(variant, given, seed=0, device="cpu", report=silent).model
    assert isinstance(model, Networks)
    return model


def named_together() -> Dataset:
    """Genres that are named together, in two scenes that have nothing to do with each other."""
    given = planted()
    artists = given.artists.with_columns(genres=pl.Series(GENRES))
    liked = [GENRES[user % 5] for user in given.users["user_id"]]
    return replace(given, artists=artists, users=given.users.with_columns(favourite_genres=pl.Series(liked)))


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_fit_sees_the_outcome_of_a_test_play(variant: str):
    """With all of them turned, what is said of the plays before is the same, to the bit."""

    def said(dataset: Dataset) -> np.ndarray:
        given = training_data(dataset)
        model = learn(variant, given, seed=0, device="cpu", report=silent).model
        before = given.split.training
        return model.predict_proba(dataset.plays.filter(before), dataset, given.inputs(variant, before))

    dataset = planted()
    test = pl.Series(time_split(dataset.plays).test)
    turned = dataset.plays.with_columns(skipped=pl.col("skipped") ^ test)
    np.testing.assert_array_equal(said(dataset), said(replace(dataset, plays=turned)))


def test_the_users_of_a_fold_teach_its_models_nothing_and_are_answered_by_them(monkeypatch: pytest.MonkeyPatch):
    """With all their outcomes turned, that fold's models say the same of others, to the bit; other folds' do not."""
    given = planted()
    splits = user_splits(given.plays)[:2]
    turned = given.plays.with_columns(skipped=pl.col("skipped") ^ pl.Series(splits[1].test))
    fitted: list[Model] = []

    def seen(variant: str, training_data: TrainingData, **more: Any) -> Learned:
        found = learn(variant, training_data, **more)
        fitted.append(found.model)
        return found

    monkeypatch.setattr(evaluate, "learn", seen)
    for plays in (given.plays, turned):
        answers, _ = evaluate.tested(replace(given, plays=plays), splits, QUICK, seed=0, device="cpu", report=silent)
    here, there = fitted[: len(fitted) // 2], fitted[len(fitted) // 2 :]
    for (split, variant), before, after in zip(product(splits, VARIANTS), here, there, strict=True):
        fold, others = TrainingData(replace(given, plays=turned), split, QUICK), given.plays.filter(splits[1].training)
        inputs = TrainingData(given, split, QUICK).inputs(variant, splits[1].training)
        said = [model.predict_proba(others, given, inputs).tobytes() for model in (before, after)]
        assert (said[0] == said[1]) == (split is splits[1]), variant
        told = answers[variant].probability[split.test]
        assert told.tobytes() == fold.answers(after).probability.tobytes(), variant


def test_a_logistic_regression_has_no_gradient_left():
    """On its training plays the mean residual times each feature is nearly zero, up to the small penalty."""
    given = training_data(planted())
    model = fitted("logistic", given)
    (features,), training = given.inputs("logistic", given.split.training), given.split.training
    residual = model.probability((features,)) - given.skipped[training]
    assert abs(residual.mean()) < 1e-4
    weights = next(model.members.children()).linear.weight.detach().numpy()[0]
    assert residual @ features.numpy() == pytest.approx(-weights, abs=0.3)


def test_the_old_recipe_learns_from_as_many_skips_as_other_plays():
    """So that its probabilities lie around one half, though a third of the plays were skipped."""
    rare = planted().plays.with_columns(skipped=pl.col("skipped") & (pl.int_range(pl.len()) % 3 == 0))
    given = training_data(replace(planted(), plays=rare))
    assert given.skipped.mean() < 0.25
    answers = given.answers(fitted("legacy", given))
    assert answers.probability.mean() == pytest.approx(0.5, abs=0.1)
    assert set(answers.threshold) == {0.5}


def test_the_old_recipe_can_learn_a_genre_that_is_skipped():
    """Where genres decide, it comes near to the truth."""
    given = named_together()
    doom = given.tracks.join(given.artists, left_on="id_artist", right_on="id").filter(
        pl.col("genres").list.contains("doom")
    )
    plays = given.plays.with_columns(skipped=pl.col("track_id").is_in(doom["id"].implode()))
    decided = training_data(replace(given, plays=plays))
    answers = decided.answers(fitted("legacy", decided))
    assert log_loss(decided.skipped[decided.split.test], answers.probability).mean() < 0.1


def test_genres_that_are_named_together_fall_into_one_cluster():
    """And the inputs name each cluster that a user or an artist has once, however many genres it has there."""
    given = named_together()
    reader, (user, artist) = Clusters.prepare(given, np.ones(len(given.plays), np.bool_), SkipSettings())
    cluster = dict(zip(reader.genres.vocabulary, reader.cluster[2:], strict=True))
    assert cluster["doom"] == cluster["sludge"] != cluster["jazz"] == cluster["swing"]
    assert reader.count == 2
    for numbers in (user, artist):
        assert numbers.shape == (len(given.plays), 2)
        assert torch.all(numbers[:, 1] == 0)
        assert set(numbers[:, 0].tolist()) == {1, 2}


def test_genres_of_nobody_are_in_no_cluster():
    """Unknown users and artists have none; a dataset without genres has no clusters at all."""
    given = planted()
    reader, _ = Clusters.prepare(given, np.ones(len(given.plays), np.bool_), SkipSettings())
    stranger = given.plays.head(2).with_columns(user_id=pl.lit(-1), track_id=pl.lit("gone"))
    assert all(torch.all(one == 0) for one in reader.inputs(stranger, given))
    bare = replace(given, users=given.users.clear(), artists=given.artists.clear())
    nothing, inputs = Clusters.prepare(bare, np.ones(len(given.plays), np.bool_), SkipSettings())
    assert nothing.count == 0
    assert all(one.shape == (len(given.plays), 1) and torch.all(one == 0) for one in inputs)
    given = training_data(bare)
    assert given.answers(fitted("legacy", given)).probability.std() < 1e-6
