"""Small datasets, and models trained on them quickly."""

from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
from msgspec import structs

from pozytywka_cli.artifacts import Draft, Origin, Store, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.family import Evaluated, Trained, TrainingRun
from pozytywka_cli.families.weekly import FAMILY
from pozytywka_cli.families.weekly.forecast import Model
from pozytywka_cli.families.weekly.models import fit
from pozytywka_cli.families.weekly.predict import WeeklyPredictor
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.splits import Split
from pozytywka_cli.records import Report, silent

from .worlds import dataset_from

SETTINGS = WeeklySettings(epochs=2, patience=2, hidden=8)
METRICS = {"rmse", "mae", "wape", "mase", "rmsse", "pinball_loss", "coverage"}


@cache
def noise(weeks: int, artists: int = 12) -> Dataset:
    """Artists with noise around levels of their own."""
    random = np.random.default_rng(4)
    return dataset_from(random.gamma(5, 1, (artists, weeks)) * random.uniform(20, 400, (artists, 1)))


def run(variant: str = "lstm", seed: int = 0, report: Report = silent, **settings: object) -> TrainingRun:
    """A quick training run, with other settings if any are given."""
    return TrainingRun(structs.replace(SETTINGS, **settings), variant, seed, progress=report)


def trained(dataset: Dataset, variant: str = "lstm", seed: int = 0, **settings: object) -> Trained:
    """A variant trained quickly."""
    return FAMILY.train(dataset, run(variant, seed, **settings))


def evaluated(dataset: Dataset, **settings: object) -> Evaluated:
    """Every variant measured after quick trainings."""
    return FAMILY.evaluate(dataset, run(**settings))


def measured(variant: str, divided: Split, settings: WeeklySettings = SETTINGS) -> Model:
    """A variant fitted to the training weeks of a split."""
    return fit.fit(variant, divided.past, TrainingRun(settings, variant), log_weeks=len(divided.series.weeks))[0]


def saved(folder: Path, draft: Draft, **settings: object) -> Version:
    """The draft as a version, checked and loaded."""
    store = Store(folder)
    version = store.save(Origin("weekly", draft.variant, settings, 0, "cpu", None, []), draft)
    return store.load("weekly", version.name)


def opened(folder: Path, dataset: Dataset, variant: str = "lstm", **settings: object) -> WeeklyPredictor:
    """The predictor of a variant that was trained on the same dataset."""
    return WeeklyPredictor.open(saved(folder, trained(dataset, variant, **settings).model, **settings), dataset)


def predicted(version: Version, dataset: Dataset) -> pl.DataFrame:
    """The forecast of all artists."""
    predictor = WeeklyPredictor.open(version, dataset)
    return predictor.predict(predictor.default_requests())
