"""Small services, and models trained on them quickly."""

from functools import cache
from pathlib import Path

import numpy as np
from msgspec import structs

from pozytywka_cli.artifacts import Draft, Origin, Store, Trained, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.weekly import fit
from pozytywka_cli.families.weekly.evaluate import evaluate
from pozytywka_cli.families.weekly.metrics import Split
from pozytywka_cli.families.weekly.model import Model
from pozytywka_cli.families.weekly.train import train
from pozytywka_cli.records import Evaluated, silent
from pozytywka_cli.settings import WeeklySettings

from .worlds import service_from

SETTINGS = WeeklySettings(epochs=2, patience=2, hidden=8)
METRICS = {"RMSE", "MAE", "WAPE", "MASE", "RMSSE", "pinball", "coverage"}


@cache
def noise(weeks: int, artists: int = 12) -> Dataset:
    """Artists with noise around levels of their own."""
    random = np.random.default_rng(4)
    return service_from(random.gamma(5, 1, (artists, weeks)) * random.uniform(20, 400, (artists, 1)))


def trained(dataset: Dataset, variant: str = "lstm", seed: int = 0, **settings: object) -> Trained:
    """A variant trained quickly, with other settings if any are given."""
    changed = structs.replace(SETTINGS, **settings)
    return train(dataset, changed, variant=variant, seed=seed, device="cpu", report=silent)


def evaluated(dataset: Dataset, **settings: object) -> Evaluated:
    """Every variant measured after quick trainings."""
    return evaluate(dataset, structs.replace(SETTINGS, **settings), seed=0, device="cpu", report=silent)


def measured(variant: str, divided: Split, settings: WeeklySettings = SETTINGS) -> Model:
    """A variant fitted to what was known before the first origin."""
    return fit.measured(variant, divided, settings, seed=0, device="cpu", report=silent).fitted.model


def saved(folder: Path, draft: Draft, **settings: object) -> Version:
    """The draft as a version, checked and loaded."""
    store = Store(folder)
    version = store.save(Origin("weekly", draft.variant, settings, 0, "cpu", None, []), draft)
    return store.load("weekly", version.name)
