"""Train the family of a version again on another dataset, and open it: what a replay of past days needs."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
import polars as pl

from pozytywka_cli.artifacts import Origin, Store, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families import registry
from pozytywka_cli.families.family import Predictor, TrainingRun
from pozytywka_cli.records import Report, silent


def refit(version: Version, dataset: Dataset, report: Report = silent, *, most_plays: int = 100_000) -> Predictor:
    """Train a version's variant again, with its settings and seed, on a dataset, and open it with that dataset.

    It is trained on at most `most_plays` plays, those of users drawn at random. Too little data raises a RefusedError.
    """
    family, made = registry.get(version.manifest.family), version.manifest
    settings = msgspec.convert(made.settings, family.Settings)
    run = TrainingRun(settings, made.variant, made.seed, made.device, report)
    draft = family.train(_part(dataset, most_plays, made.seed), run).model
    with TemporaryDirectory() as folder:
        origin = Origin(family.name, draft.variant, made.settings, made.seed, made.device, None, [])
        store = Store(Path(folder))
        return family.open(store.save(origin, draft), dataset)


def _part(dataset: Dataset, most: int, seed: int) -> Dataset:
    """Return the dataset with the plays of as many users as have at most `most` plays together, drawn at random."""
    counts = dataset.plays.group_by("user_id").len().sort("user_id")
    drawn = counts[np.random.default_rng(seed).permutation(len(counts)).tolist()]
    users = drawn.filter(pl.col("len").cum_sum() <= most)["user_id"]
    return replace(dataset, plays=dataset.plays.filter(pl.col("user_id").is_in(users.implode())))
