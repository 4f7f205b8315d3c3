"""The contract between a model family and the rest of the package.

A family answers one question (will this track be skipped?) with several variants (networks, baselines). Commands, the
pipeline and the service use nothing of a family but what is declared here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

import msgspec

from pozytywka_cli.artifacts import Draft, Version
from pozytywka_cli.records import Gate, Metric, Panel, Report, Row, silent

if TYPE_CHECKING:
    import polars as pl

    from pozytywka_cli.dataset.loading import Dataset
    from pozytywka_cli.tuning import Space

__all__ = [
    "Evaluated",
    "Family",
    "Gate",
    "GroundTruth",
    "Predictor",
    "Tradeoff",
    "Trained",
    "TrainingRun",
    "Tunable",
    "Variant",
]

S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True)
class Variant:
    """One way to answer a family's question.

    description: what it is, for cards and help
    baseline: whether it is a reference method that the other variants are compared with
    gpu: whether it can be fitted on a GPU
    extra: the optional dependency (`pip install 'pozytywka[extra]'`) that it needs
    space: the settings that `train --tune` searches; empty where there is nothing to tune
    """

    description: str
    baseline: bool = False
    gpu: bool = False
    extra: str | None = None
    space: "Space" = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingRun:
    """How to train or evaluate: the family's settings, the variant, the seed, "cpu" or "cuda", and a progress report.

    `evaluate` compares every variant with `variant`.
    """

    settings: msgspec.Struct
    variant: str
    seed: int = 0
    device: str = "cpu"
    progress: Report = silent

    def settings_as(self, kind: type[S]) -> S:
        """Return the settings, which are of the family's own type.

        Raises:
            TypeError: they belong to another family.
        """
        if not isinstance(self.settings, kind):
            raise TypeError(f"{type(self.settings).__name__} are not {kind.__name__}")
        return self.settings


@dataclass(frozen=True)
class Trained:
    """A trained model, and the baseline that is promoted in its place if the model does not pass the gate."""

    model: Draft
    baseline: Draft


@dataclass(frozen=True)
class Evaluated:
    """The metrics of an evaluation.

    panels: draws charts of them; computed only when called
    notes: what could not be measured, and why
    """

    rows: list[Row]
    panels: Callable[[], list[Panel]] = list
    notes: list[str] = field(default_factory=list)


class Predictor(Protocol):
    """A loaded version with everything that it needs to answer requests; opened once, used any number of times."""

    @property
    def Request(self) -> type[msgspec.Struct]:  # noqa: N802 - a type
        """What one request holds: a line of JSONL, a row of a frame, an HTTP body. Optional fields have defaults."""
        ...

    def predict(self, requests: "pl.DataFrame") -> "pl.DataFrame":
        """Answer requests, a row or several for each, in their order.

        The columns of `requests` are the fields of `Request`; optional ones may be missing. The answer to a request
        does not depend on the other requests, and its cost does not grow with the log.
        """
        ...

    def default_requests(self) -> "pl.DataFrame":
        """Return what `predict` without input answers; without rows where it needs input."""
        ...


class Family(Protocol):
    """A model family. Its module imports nothing heavy; its methods import what they need."""

    @property
    def name(self) -> str:
        """The name on the command line, in settings and in the artifacts folder."""
        ...

    @property
    def question(self) -> str:
        """The question that the family answers, one sentence."""
        ...

    @property
    def Settings(self) -> type[msgspec.Struct]:  # noqa: N802 - a type
        """The family's settings; every field has a default and a description (`msgspec.Meta`)."""
        ...

    @property
    def variants(self) -> Mapping[str, Variant]:
        """All variants by name, in the order in which they are listed."""
        ...

    @property
    def default(self) -> str:
        """The variant that is trained unless another one is named."""
        ...

    @property
    def baseline(self) -> str:
        """The variant that a model must not be worse than, and that is promoted if it is."""
        ...

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics by their name in JSON; the first one is the headline metric, which the gate tests."""
        ...

    def require_gpu(self) -> None:
        """Check that the libraries that this family computes with can use a GPU.

        Raises:
            UnavailableError: they cannot; the message names what is missing.
        """
        ...

    def train(self, dataset: "Dataset", run: TrainingRun) -> Trained:
        """Measure a variant beside the baseline on held-out data, then fit it on all data.

        Raises:
            RefusedError: there is too little data.
        """
        ...

    def evaluate(self, dataset: "Dataset", run: TrainingRun) -> Evaluated:
        """Measure every variant on held-out data.

        Raises:
            RefusedError: there is too little data.
        """
        ...

    def open(self, version: Version, dataset: "Dataset | None") -> Predictor:
        """Load a version once, with whatever it precomputes from the data.

        Raises:
            ArtifactError: a file of the version is missing or damaged.
        """
        ...


@runtime_checkable
class Tunable(Protocol):
    """A family whose settings `train --tune` can search."""

    @property
    def tuning_metric(self) -> str:
        """The name of the loss that `trial` returns."""
        ...

    def trial(self, dataset: "Dataset", run: TrainingRun) -> float:
        """Return the validation loss of these settings, on data before what the model is tested on."""
        ...


@runtime_checkable
class GroundTruth(Protocol):
    """A family that can be measured against the known truth of a generated data set."""

    def ground_truth(self, dataset: "Dataset", truth: Path, run: TrainingRun) -> list[Row]:
        """Return metrics beside the best values that the truth in the folder `truth` allows."""
        ...


@runtime_checkable
class Tradeoff(Protocol):
    """A family that can measure quality against cost over a grid of settings."""

    def tradeoff(self, dataset: "Dataset", run: TrainingRun) -> Evaluated:
        """Return quality, training time and lookup time for each point of the grid."""
        ...
