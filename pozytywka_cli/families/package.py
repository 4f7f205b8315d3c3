"""Families that are packages: their methods are functions in modules, imported when they are used."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pozytywka_cli.families.family import Evaluated, Predictor, Trained, TrainingRun
from pozytywka_cli.records import Metric, Row

if TYPE_CHECKING:
    from pozytywka_cli.artifacts import Version
    from pozytywka_cli.dataset.loading import Dataset

T = TypeVar("T")


class FamilyPackage:
    """The methods of the contract; `train` is the function `train` in `train.py`, and so on.

    A family whose settings can be searched also has a `tuning_metric`, and the function `trial` in `tune.py`.
    """

    def _call(self, result: type[T], module: str, *arguments: Any, function: str = "") -> T:
        found: T = getattr(import_module(f"{type(self).__module__}.{module}"), function or module)(*arguments)
        return found

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics by their name in JSON, the headline metric first: `METRICS` in `card.py`."""
        metrics: Mapping[str, Metric] = import_module(f"{type(self).__module__}.card").METRICS
        return metrics

    def require_gpu(self) -> None:
        """Check that torch can use a GPU."""
        from pozytywka_cli import learning

        learning.device(gpu=True)

    def train(self, dataset: "Dataset", run: TrainingRun) -> Trained:
        """Measure a variant on held-out data, then fit it on all data."""
        return self._call(Trained, "train", dataset, run)

    def evaluate(self, dataset: "Dataset", run: TrainingRun) -> Evaluated:
        """Measure every variant on held-out data."""
        return self._call(Evaluated, "evaluate", dataset, run)

    def open(self, version: "Version", dataset: "Dataset | None") -> Predictor:
        """Load a version: the method `open` of the family's class in `predict.py`, such as `SkipPredictor`."""
        module = import_module(f"{type(self).__module__}.predict")
        predictor: Predictor = getattr(module, f"{type(self).__name__}Predictor").open(version, dataset)
        return predictor

    def ground_truth(self, dataset: "Dataset", truth: Path, run: TrainingRun) -> list[Row]:
        """Measure variants beside the best values that a known truth allows."""
        return self._call(list[Row], "ground_truth", dataset, truth, run)

    def trial(self, dataset: "Dataset", run: TrainingRun) -> float:
        """Return the validation loss of settings."""
        return self._call(float, "tune", dataset, run, function="trial")
