"""Replay models of any family that can be."""

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module

import msgspec

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError, UsageError
from pozytywka_cli.experiments.play_totals import window
from pozytywka_cli.experiments.replay.comparison import Measured
from pozytywka_cli.families import registry
from pozytywka_cli.families.family import TrainingRun

FAMILIES = ("skip", "weekly", "recommend")


def check_family(family: str) -> None:
    """Raise a UsageError if the answers of a family cannot be compared with what users played later."""
    if family not in FAMILIES:
        problem = f"{family} cannot be replayed: no play shows whether an answer was right"
        raise UsageError(problem, f"Replay {', '.join(FAMILIES)}, or see `pozytywka evaluate {family}`.")


def replay(family: str, dataset: Dataset, runs: Mapping[str, TrainingRun], days: int) -> Measured:
    """Fit models, given by how to train them, to what was known before the last days, and measure them on these days.

    Raises:
        UsageError: the models cannot be compared with each other.
        RefusedError: there is too little data.
    """
    check_family(family)
    if dataset.plays.is_empty():
        raise RefusedError("there are no plays", "Check the data: `pozytywka validate`.")
    since, _ = window(dataset.plays, days)
    if dataset.until(since).plays.is_empty():
        problem = f"there is no play before the last {days} days that models could be fitted to"
        raise RefusedError(problem, "Take fewer days (--days), or use a longer log.")
    measured: Measured = import_module(f"{__package__}.{family}").measure(dataset, runs, days)
    return measured


def run_of(version: Version, run: TrainingRun) -> TrainingRun:
    """Return a run with the variant, the settings and the seed of a version."""
    made = version.manifest
    settings: msgspec.Struct = msgspec.convert(made.settings, registry.get(made.family).Settings)
    return replace(run, settings=settings, variant=made.variant, seed=made.seed)
