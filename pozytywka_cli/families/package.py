"""Families that are packages: their methods are functions in modules, imported when they are used."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pozytywka_cli.families.family import Evaluated, Trained, TrainingRun
from pozytywka_cli.records import Metric, Row

if TYPE_CHECKING:
    from pozytywka_cli.dataset.loading import Dataset


class FamilyPackage:
    """The methods of the contract, each from the module of its name: `train` is the function `train` in `train.py`."""

    def _module(self, name: str) -> Any:
        return import_module(f"{type(self).__module__}.{name}")

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics by their name in JSON, the headline metric first."""
        metrics: Mapping[str, Metric] = self._module("card").METRICS
        return metrics

    def require_gpu(self) -> None:
        """Check that torch can use a GPU."""
        from pozytywka_cli import learning

        learning.device(gpu=True)

    def train(self, dataset: "Dataset", run: TrainingRun) -> Trained:
        """Measure a variant on held-out data, then fit it on all data."""
        trained: Trained = self._module("train").train(dataset, run)
        return trained

    def evaluate(self, dataset: "Dataset", run: TrainingRun) -> Evaluated:
        """Measure every variant on held-out data."""
        evaluated: Evaluated = self._module("evaluate").evaluate(dataset, run)
        return evaluated

    def ground_truth(self, dataset: "Dataset", truth: Path, run: TrainingRun) -> list[Row]:
        """Measure variants beside the best values that a known truth allows."""
        rows: list[Row] = self._module("ground_truth").ground_truth(dataset, truth, run)
        return rows


class TunableFamilyPackage(FamilyPackage):
    """The same, of a family whose settings can be searched: the function `trial` is in `tune.py`."""

    def trial(self, dataset: "Dataset", run: TrainingRun) -> float:
        """Return the validation loss of settings."""
        loss: float = self._module("tune").trial(dataset, run)
        return loss
