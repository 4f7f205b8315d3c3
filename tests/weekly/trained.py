"""Small services, and models trained on them quickly."""

from functools import cache
from pathlib import Path

import numpy as np
from msgspec import structs

from pozytywka_cli.artifacts import Draft, Origin, Store, Trained, Version
from pozytywka_cli.dataset.service import Service
from pozytywka_cli.records import Evaluated, silent
from pozytywka_cli.settings import WeeklySettings
from pozytywka_cli.weekly import fitting
from pozytywka_cli.weekly.evaluate import evaluate
from pozytywka_cli.weekly.measure import Split
from pozytywka_cli.weekly.model import Model
from pozytywka_cli.weekly.train import train

from .worlds import service_from

SETTINGS = WeeklySettings(epochs=2, patience=2, hidden=8)
METRICS = {"RMSE", "MAE", "WAPE", "MASE", "RMSSE", "pinball", "coverage"}


@cache
def noise(weeks: int, artists: int = 12) -> Service:
    """Artists with noise around levels of their own."""
    random = np.random.default_rng(4)
    return service_from(random.gamma(5, 1, (artists, weeks)) * random.uniform(20, 400, (artists, 1)))


def trained(service: Service, variant: str = "lstm", seed: int = 0, **settings: object) -> Trained:
    """A variant trained quickly, with other settings if any are given."""
    changed = structs.replace(SETTINGS, **settings)
    return train(service, changed, variant=variant, seed=seed, device="cpu", report=silent)


def evaluated(service: Service, **settings: object) -> Evaluated:
    """Every variant measured after quick trainings."""
    return evaluate(service, structs.replace(SETTINGS, **settings), seed=0, device="cpu", report=silent)


def measured(variant: str, divided: Split, settings: WeeklySettings = SETTINGS) -> Model:
    """A variant fitted to what was known before the first origin."""
    return fitting.measured(variant, divided, settings, seed=0, device="cpu", report=silent).fitted.model


def saved(folder: Path, draft: Draft, **settings: object) -> Version:
    """The draft as a version, checked and loaded."""
    store = Store(folder)
    version = store.save(Origin("weekly", draft.variant, settings, 0, "cpu", None, []), draft)
    return store.load("weekly", version.name)
