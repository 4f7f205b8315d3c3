"""Replays of each family, on a small sample."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.artifacts import Origin, Store
from pozytywka_cli.dataset.loading import Dataset, load
from pozytywka_cli.dataset.sample import write_sample
from pozytywka_cli.errors import RefusedError, UsageError
from pozytywka_cli.experiments.replay.comparison import compare
from pozytywka_cli.experiments.replay.models import replay, run_of
from pozytywka_cli.families import registry
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.recommend.settings import RecommendSettings
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.families.weekly.series import series
from pozytywka_cli.families.weekly.settings import WeeklySettings
from tests.artifacts.versions import draft

DAYS = 28


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    """40 users, 30 weeks."""
    folder = tmp_path_factory.mktemp("replay")
    write_sample(folder / "data", users=40, weeks=30)
    return load(folder / "data", folder / "plays.parquet", lambda _: None)


def runs(settings, *variants: str) -> dict[str, TrainingRun]:
    return {variant: TrainingRun(settings, variant) for variant in variants}


def values(family: str, dataset: Dataset, models: dict[str, TrainingRun], days: int = DAYS) -> dict:
    """The value of each metric and model."""
    return {(row.metric, row.model): row.value for row in compare(replay(family, dataset, models, days))}


def test_skip_predicts_the_last_plays_from_what_was_known_before(dataset):
    """The constant is the share of skips known at the moment, whatever happens later; all plays after it count."""
    end = dataset.plays["started_at"].max() + timedelta(microseconds=1)
    since = end - timedelta(days=DAYS)
    models = runs(SkipSettings(), "constant", "user-rate")
    later = dataset.plays.filter(pl.col("started_at") >= since)
    share, skipped = dataset.until(since).plays["skipped"].mean(), later["skipped"].to_numpy()
    found = values("skip", dataset, models)
    assert found["log_loss", "constant"] == pytest.approx(-np.log(np.where(skipped, share, 1 - share)).mean())
    assert found["brier_score", "constant"] == pytest.approx(((share - skipped) ** 2).mean())
    assert found["balanced_accuracy", "constant"] == 0.5
    assert found["log_loss", "user-rate"] < found["log_loss", "constant"]
    measured = replay("skip", dataset, models, DAYS)
    assert (measured.since, measured.count, len(measured.groups)) == (since, later["user_id"].n_unique(), len(later))


def test_weekly_forecasts_each_full_week_from_those_before(dataset):
    """By hand for the last week's listening; all money goes to the wrong artists where the right ones get nothing."""
    listened = series(dataset, "total").listened
    truth, past = listened[:, -4:], listened[:, -5:-1]
    known = listened[:, :-4].any(axis=1)
    found = values("weekly", dataset, runs(WeeklySettings(), "last", "mean"))
    error = past[known] - truth[known]
    assert found["rmse", "last"] == pytest.approx(np.sqrt((error**2).mean()))
    assert found["mae", "last"] == pytest.approx(np.abs(error).mean())
    shares = [part[known] / part[known].sum(axis=0) for part in (past, truth)]
    wrong = np.abs(shares[0] - shares[1]).sum(axis=0).mean() / 2
    assert found["misallocated_share", "last"] == pytest.approx(wrong)
    assert 0 < found["misallocated_share", "mean"] < 1


def test_recommend_is_measured_as_by_evaluate(dataset):
    """On as many days: the same lists, the same hits."""
    family, settings = registry.get("recommend"), RecommendSettings(test_days=DAYS, factors=8)
    found = values("recommend", dataset, runs(settings, "popular", "als"))
    evaluated = family.evaluate(dataset, TrainingRun(settings, family.default)).rows
    expected = {(row.metric, row.variant): row.value for row in evaluated if row.protocol == "new tracks"}
    assert found == {key: pytest.approx(expected[key]) for key in found}
    assert ("success@20", "als") in found


def test_a_version_is_fitted_as_it_was_made(tmp_path):
    """With its variant, also where that is a fallback, its settings and its seed."""
    store = Store(tmp_path)
    origin = Origin("skip", "advanced", {"epochs": 3}, 5, "cpu", None, [])
    version = store.load("skip", store.save(origin, draft(variant="constant", fallback_for="advanced")).name)
    run = run_of(version, TrainingRun(SkipSettings(), "advanced", 0))
    assert (run.variant, run.seed, run.settings) == ("constant", 5, SkipSettings(epochs=3))


def test_what_cannot_be_compared_is_refused(dataset):
    """Similar artists, more days than there are, no plays, and forecasts of different things."""
    skips, none = runs(SkipSettings(), "constant", "user-rate"), replace(dataset, plays=dataset.plays.clear())
    mixed = runs(WeeklySettings(), "last") | {"mean": TrainingRun(WeeklySettings(measure="mean"), "mean")}
    for error, act in (
        (UsageError, partial(replay, "similar", dataset, skips, DAYS)),
        (RefusedError, partial(replay, "skip", dataset, skips, 3650)),
        (RefusedError, partial(replay, "skip", none, skips, DAYS)),
        (UsageError, partial(replay, "weekly", dataset, mixed, DAYS)),
        (UsageError, partial(replay, "weekly", dataset, runs(WeeklySettings(), "last", "mean"), 6)),
        (RefusedError, partial(replay, "weekly", dataset, runs(WeeklySettings(), "last", "seasonal"), DAYS)),
    ):
        with pytest.raises(error) as caught:
            act()
        assert caught.value.hint
