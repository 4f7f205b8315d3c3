"""What a family may have beside the contract: it has a capability by having its methods."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import msgspec

from pozytywka_cli.artifacts import Version
from pozytywka_cli.families.family import Evaluated, TrainingRun, own_module
from pozytywka_cli.families.predictor import Answerer, Predictor
from pozytywka_cli.records import Row

if TYPE_CHECKING:
    from pozytywka_cli.dataset.loading import Dataset


@runtime_checkable
class BuildsOn(Protocol):
    """A family some of whose variants, `asking`, ask the predictor of another family, `builds_on`, if it has a version.

    It never imports the other family: `pipeline` opens the other's predictor, and hands it over. Where models are
    measured, the other model must not have seen what is tested: it is fitted again (`TrainingRun.other`).
    """

    builds_on: str
    asking: tuple[str, ...]

    def open_with(self, version: Version, dataset: "Dataset", other: Callable[[], Predictor | None]) -> Predictor:
        """Load a version like `Family.open`; `other` opens the other predictor when it is first needed, if any."""
        predictor = getattr(own_module(self, "predict"), f"{type(self).__name__}Predictor")
        opened: Predictor = predictor.open(version, dataset, other)
        return opened


@runtime_checkable
class Online(Protocol):
    """A family whose variants in `online` answer single requests from files, without data, polars and torch.

    Its module `prepare` writes the files, and `online` has the answerer, which imports nothing heavy.

    slow_online: whether an answer takes milliseconds, so that a service computes it beside its event loop
    """

    online: Collection[str]
    slow_online: bool = False

    def prepare(self, version: Version, dataset: "Dataset", folder: Path) -> None:
        """Write what an answerer needs beside the version itself into an empty folder; perhaps nothing."""
        own_module(self, "prepare").prepare(version, dataset, folder)

    def open_online(self, version: Version, folder: Path, other: Callable[[], Answerer | None]) -> Answerer:
        """Open a version with what was prepared for it; `other` opens the answerer that this one builds on, if any.

        Raises an ArtifactError if a file is damaged.
        """
        opened: Answerer = _answerer(self).open(version, folder, other)
        return opened

    def online_request(self) -> type[msgspec.Struct]:
        """Return what one request to an answerer holds."""
        request: type[msgspec.Struct] = _answerer(self).Request
        return request


@runtime_checkable
class Tunable(Protocol):
    """A family whose settings `train --tune` can search; `tuning_metric` is the name of the loss of a trial."""

    tuning_metric: str

    def trial(self, dataset: "Dataset", run: TrainingRun) -> float:
        """Return the validation loss of these settings, on data before what the model is tested on."""
        loss: float = own_module(self, "tune").trial(dataset, run)
        return loss


@runtime_checkable
class GroundTruth(Protocol):
    """A family that can be measured against the known truth of a generated data set."""

    def ground_truth(self, dataset: "Dataset", truth: Path, run: TrainingRun) -> list[Row]:
        """Return metrics beside the best values that the truth in the folder `truth` allows."""
        rows: list[Row] = own_module(self, "ground_truth").ground_truth(dataset, truth, run)
        return rows


@runtime_checkable
class Tradeoff(Protocol):
    """A family that can measure quality against cost over a grid of settings."""

    def tradeoff(self, dataset: "Dataset", run: TrainingRun) -> Evaluated:
        """Return quality, training time and lookup time for each point of the grid."""
        measured: Evaluated = own_module(self, "evaluate").tradeoff(dataset, run)
        return measured


def _answerer(family: object) -> Any:
    return getattr(own_module(family, "online"), f"{type(family).__name__}Answerer")
