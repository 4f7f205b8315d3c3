"""Quick runs, fitted variants, and a skip model whose answers are known."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from pozytywka_cli.artifacts import Draft, Origin, Store, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.family import Trained, TrainingRun
from pozytywka_cli.families.recommend import FAMILY
from pozytywka_cli.families.recommend.card import text
from pozytywka_cli.families.recommend.features.embeddings import Embeddings
from pozytywka_cli.families.recommend.features.history import History
from pozytywka_cli.families.recommend.features.signals import ALL, NEW, Signals
from pozytywka_cli.families.recommend.models.completion import by_predictor
from pozytywka_cli.families.recommend.models.fit import fit
from pozytywka_cli.families.recommend.models.lists import Ranker
from pozytywka_cli.families.recommend.models.model import BlendWeights, Model, Weights
from pozytywka_cli.families.recommend.predict import RecommendPredictor
from pozytywka_cli.families.recommend.settings import RecommendSettings

from .worlds import dense, history_of

VARIANTS = list(FAMILY.variants)
SETTINGS = RecommendSettings(factors=8, iterations=3, epochs=2)
EQUAL = BlendWeights(Weights(dict.fromkeys(NEW, 1.0), 0.5), Weights(dict.fromkeys(ALL, 1.0), 0.5))


@dataclass
class Skips:
    """A predictor of skips: `chance` of a user and a track; `asked` counts the pairs."""

    chance: Callable[[int, str], float] = lambda user, track: 0.25
    asked: list[int] = field(default_factory=list)

    def predict(self, requests: pl.DataFrame) -> pl.DataFrame:
        self.asked.append(len(requests))
        values = [float(self.chance(*pair)) for pair in requests.select("user_id", "track_id").iter_rows()]
        return requests.with_columns(probability=pl.Series(values, dtype=pl.Float64))


def by_name(user: int, track: str) -> float:
    """A chance of a skip that depends on the name of the track alone."""
    return (sum(track.encode()) % 10) / 20 + 0.1


def refitted(chance: Callable[[int, str], float] = by_name) -> Callable[[Dataset], Callable[[Dataset], Skips]]:
    """What fits a skip model to a dataset, and what opens it then, in `TrainingRun.other`."""
    return lambda training: lambda known: Skips(chance)


def run(variant: str = "blend", **changes: object) -> TrainingRun:
    """A quick run; settings and fields of a run may be changed."""
    names = set(RecommendSettings.__struct_fields__)
    settings = msgspec.structs.replace(SETTINGS, **{name: value for name, value in changes.items() if name in names})
    return TrainingRun(settings, variant, **{name: value for name, value in changes.items() if name not in names})


def model(variant: str, history: History, **changes: object) -> Model:
    """A variant fitted to a history; all signals of the blend weigh 1."""
    return fit(history, run(variant, **changes), EQUAL)[0]


def ranker(variant: str, history: History, skips: Skips | None = None) -> Ranker:
    """The same as a ranker, with a skip model if any."""
    return model(variant, history).ranker(history, lambda: by_predictor(skips) if skips else None)


def signals_of(history: History, factors: int = 3) -> Signals:
    """The signals of a history, with drawn embeddings of the tracks that have plays."""
    drawn = np.random.default_rng(0).normal(size=(len(history.tracks), factors))
    return Signals(history, Embeddings(dense(np.where(history.eligible[:, None], drawn, 0.0)), 20.0, 2.0))


def trained(data: Dataset, variant: str = "blend", **changes: object) -> Trained:
    """A variant trained quickly."""
    return FAMILY.train(data, run(variant, **changes))


def saved(folder: Path, draft: Draft) -> Version:
    """The draft as a version, checked and loaded."""
    store = Store(folder)
    version = store.save(Origin("recommend", draft.variant, {}, 0, "cpu", None, []), draft)
    return store.load("recommend", version.name)


def saved_model(folder: Path, made: Model) -> Version:
    """A model without metrics as a version."""
    return saved(folder, Draft(made.variant, made.save, {}, [], text(made.variant, 30)))


def opened(
    folder: Path, data: Dataset, variant: str = "blend", skips: Skips | None = None, **changes: object
) -> RecommendPredictor:
    """The predictor of a variant that was fitted to all plays of the dataset."""
    made = model(variant, history_of(data), **changes)
    return RecommendPredictor.open(saved_model(folder, made), data, lambda: skips)
