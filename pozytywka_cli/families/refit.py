"""Fit the variant of a version again, to other data: what it would have answered without seeing the rest."""

from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from weakref import finalize

import msgspec
import numpy as np
import polars as pl

from pozytywka_cli.artifacts import Origin, Store, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families import registry
from pozytywka_cli.families.family import Family, TrainingRun
from pozytywka_cli.families.predictor import Opener, Predictor
from pozytywka_cli.records import Report, silent

MOST_PLAYS = 25_000  # of whole users: more make a skip model hardly better, and take minutes


class Refitted:
    """A fitted model in a folder of its own, which is removed with it; calling it opens a predictor."""

    def __init__(self, family: Family, run: TrainingRun, dataset: Dataset) -> None:
        draft = family.train(dataset, run).model
        folder = mkdtemp(prefix="pozytywka-")
        finalize(self, rmtree, folder, ignore_errors=True)  # a TemporaryDirectory would warn that nobody closed it
        self._family, store = family, Store(Path(folder))
        settings = msgspec.to_builtins(run.settings)
        origin = Origin(family.name, draft.variant, settings, run.seed, run.device, None, dataset.inputs)
        self._version = store.save(origin, draft)

    def __call__(self, dataset: Dataset) -> Predictor:
        """Open the model with the events that a dataset knows, which may be later than those that it learned from."""
        return self._family.open(self._version, dataset)


def refit(version: Version, dataset: Dataset, report: Report = silent, *, most_plays: int = MOST_PLAYS) -> Opener:
    """Fit the variant of a version again with its settings and seed; the caller has cut the dataset to what is known.

    Of a larger dataset it learns from the plays of random users, at most `most_plays`; of one user at least.

    Raises:
        RefusedError: there is too little data.
    """
    made, family = version.manifest, registry.get(version.manifest.family)
    settings = msgspec.convert(made.settings, family.Settings)
    run = TrainingRun(settings, made.fallback_for or made.variant, made.seed, progress=report)
    return Refitted(family, run, some_users(dataset, most_plays))


def some_users(dataset: Dataset, most_plays: int) -> Dataset:
    """Return the dataset with the plays of random users, at most `most_plays`; of one user at least."""
    if len(dataset.plays) <= most_plays:
        return dataset
    counts = dataset.plays["user_id"].value_counts().sort("user_id")
    order = np.random.default_rng(0).permutation(len(counts))
    enough = np.cumsum(counts["count"].to_numpy()[order]) <= most_plays
    kept = counts["user_id"].gather(order[: max(1, enough.sum())]).implode()
    return replace(
        dataset,
        plays=dataset.plays.filter(pl.col("user_id").is_in(kept)),
        purchases=dataset.purchases.filter(pl.col("user_id").is_in(kept)),
    )
