"""Evaluate families on the user's data, or against the known truth of a generated data set."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pozytywka_cli.dataset.loading import Dataset, load
from pozytywka_cli.dataset.sample import write_sample
from pozytywka_cli.errors import PozytywkaError, UsageError
from pozytywka_cli.families.family import Evaluated, Family, GroundTruth, Tradeoff, TrainingRun
from pozytywka_cli.pipeline import each
from pozytywka_cli.records import Report
from pozytywka_cli.settings import Settings

C = TypeVar("C")

USERS, WEEKS = 1000, 100  # of the generated data set


@dataclass(frozen=True)
class Evaluation:
    """The evaluations by family, and the errors of families that could not be evaluated."""

    evaluated: dict[str, Evaluated]
    errors: dict[str, PozytywkaError]


def run_for(family: Family, settings: Settings, *, seed: int, device: str, progress: Report) -> TrainingRun:
    """Return the run of a family's default variant with its section of the settings."""
    section = settings.section(family.name, family.Settings)
    return TrainingRun(section, family.default, seed, device, progress)


def evaluate(
    families: list[Family],
    dataset: Dataset,
    settings: Settings,
    *,
    tradeoff: bool = False,
    seed: int,
    device: str,
    progress: Report,
) -> Evaluation:
    """Measure every variant of these families; with `tradeoff`, quality against cost instead.

    Raises:
        UsageError: a family has no tradeoff to measure.
    """
    measure: dict[str, Callable[[Dataset, TrainingRun], Evaluated]] = {
        family.name: capable(family, Tradeoff, "--curve").tradeoff if tradeoff else family.evaluate
        for family in families
    }

    def work(family: Family) -> Evaluated:
        return measure[family.name](dataset, run_for(family, settings, seed=seed, device=device, progress=progress))

    return Evaluation(*each(families, work))


def evaluate_ground_truth(
    families: list[Family], settings: Settings, *, seed: int, device: str, progress: Report
) -> Evaluation:
    """Measure families on a sample of 1,000 users and 100 weeks, drawn with `seed`; nothing is left on disk.

    Raises:
        UsageError: a family cannot be measured against a known truth.
    """
    for family in families:
        capable(family, GroundTruth, "--planted")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        write_sample(folder, users=USERS, weeks=WEEKS, seed=seed)
        dataset = load(folder, Path(scratch) / "plays.parquet", lambda _: None)

        def work(family: Family) -> Evaluated:
            run = run_for(family, settings, seed=seed, device=device, progress=progress)
            return Evaluated(capable(family, GroundTruth, "--planted").ground_truth(dataset, folder / "truth", run))

        return Evaluation(*each(families, work))


def capable(family: Family, capability: type[C], flag: str) -> C:
    """Return a family as one that has a capability, which `flag` needs.

    Raises:
        UsageError: the family does not have it.
    """
    if not isinstance(family, capability):
        raise UsageError(f"{flag} does not apply to {family.name}", f"Leave out {flag}, or name other families.")
    return family
