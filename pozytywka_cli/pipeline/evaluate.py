"""Evaluate families on the user's data, or against the known truth of a generated data set."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from pozytywka_cli.artifacts import Store
from pozytywka_cli.dataset.loading import Dataset, load
from pozytywka_cli.dataset.sample import write_sample
from pozytywka_cli.errors import PozytywkaError, UsageError
from pozytywka_cli.families.capabilities import GroundTruth, Tradeoff
from pozytywka_cli.families.family import Evaluated, Family, TrainingRun
from pozytywka_cli.pipeline import builds_on, each
from pozytywka_cli.records import Report
from pozytywka_cli.settings import Settings

C = TypeVar("C")

USERS, WEEKS = 1000, 100  # of the generated data set


class Evaluation(NamedTuple):
    """The evaluations by family, and the errors of families that could not be evaluated."""

    evaluated: dict[str, Evaluated]
    errors: dict[str, PozytywkaError]


def runs(
    families: list[Family], settings: Settings, store: Store, *, seed: int, device: str, progress: Report, jobs: int = 1
) -> dict[str, TrainingRun]:
    """Return, by family, the run of its default variant and its rivals with its section of the settings.

    A family that builds on another gets its promoted version in the store, to fit it again.
    """
    sections = {family.name: settings.section(family.name, family.Settings) for family in families}
    return {
        family.name: TrainingRun(
            sections[family.name],
            family.default,
            seed,
            device,
            progress,
            family.rivals,
            jobs,
            builds_on.refitting(builds_on.version(store, family, family.variants), progress),
        )
        for family in families
    }


def evaluate(
    families: list[Family], dataset: Dataset, runs: Mapping[str, TrainingRun], *, tradeoff: bool = False
) -> Evaluation:
    """Measure every variant of these families; with `tradeoff`, which not every family has, quality against cost."""
    measures = {
        family.name: capable(family, Tradeoff, "--curve").tradeoff if tradeoff else family.evaluate
        for family in families
    }
    return Evaluation(*each(families, lambda family: measures[family.name](dataset, runs[family.name])))


def evaluate_ground_truth(families: list[Family], runs: Mapping[str, TrainingRun], *, seed: int) -> Evaluation:
    """Measure families on a sample of 1,000 users and 100 weeks, drawn with `seed`; nothing is left on disk."""
    measures = {family.name: capable(family, GroundTruth, "--planted").ground_truth for family in families}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        write_sample(folder, users=USERS, weeks=WEEKS, seed=seed)
        dataset = load(folder, Path(scratch) / "plays.parquet", lambda _: None)

        def measure(family: Family) -> Evaluated:
            return Evaluated(measures[family.name](dataset, folder / "truth", runs[family.name]))

        return Evaluation(*each(families, measure))


def capable(family: Family, capability: type[C], flag: str) -> C:
    """Return a family as one with a capability, which `flag` needs; a UsageError if the family does not have it."""
    if not isinstance(family, capability):
        raise UsageError(f"{flag} does not apply to {family.name}", f"Leave out {flag}, or name other families.")
    return family
