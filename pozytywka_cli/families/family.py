"""The contract between a model family and the rest of the package.

A family answers one question (will this track be skipped?) with several variants (networks, baselines). Commands, the
pipeline and the service use nothing of a family but what is declared here.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from pozytywka_cli.artifacts import Draft, Version
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.predictor import Opener, Predictor
from pozytywka_cli.records import Metric, Panel, Report, Row, silent

if TYPE_CHECKING:
    from pozytywka_cli.dataset.loading import Dataset
    from pozytywka_cli.tuning import Space

S = TypeVar("S", bound=msgspec.Struct)


class Variant(msgspec.Struct, frozen=True):
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
    space: "Space" = {}


@dataclass(frozen=True)
class TrainingRun:
    """How to train or evaluate: the family's settings, variant, seed, "cpu" or "cuda", and a report of progress.

    rivals: the variants that are trained in place of `variant` if they are shown to be better on the validation part
    jobs: how many processes an evaluation may take; that changes no result
    other: fits the family that this one builds on to a dataset alone, see `BuildsOn`; None if it has no version
    """

    settings: msgspec.Struct
    variant: str
    seed: int = 0
    device: str = "cpu"
    progress: Report = silent
    rivals: tuple[str, ...] = ()
    jobs: int = 1
    other: "Callable[[Dataset], Opener] | None" = None

    def settings_as(self, kind: type[S]) -> S:
        """Return the settings, which are of the family's own type, or raise a TypeError."""
        if not isinstance(self.settings, kind):
            raise TypeError(f"{type(self.settings).__name__} are not {kind.__name__}")
        return self.settings


class Trained(msgspec.Struct, frozen=True):
    """A trained model, and the baseline that is promoted in its place if the model does not pass the gate."""

    model: Draft
    baseline: Draft


class Evaluated(msgspec.Struct, frozen=True):
    """The metrics of an evaluation.

    panels: draws charts of them; computed only when called
    notes: what could not be measured, and why
    """

    rows: list[Row]
    panels: Callable[[], list[Panel]] = list
    notes: list[str] = []


def own_module(family: object, module: str) -> Any:
    """Import a module of a family that is a package."""
    return import_module(f"{type(family).__module__}.{module}")


class Family(Protocol):
    """A model family. Its module imports nothing heavy; its methods import what they need.

    A family that is a package inherits them: `train` is then the function `train` in its module `train`, and so on,
    and `open` that of the predictor in `predict`, such as `SkipPredictor`.
    Both `train` and `evaluate` raise a RefusedError if there is too little data.

    name: the name on the command line, in settings and in the artifacts folder
    question: the question that the family answers, one sentence
    default: the variant that is trained unless another one is named
    baseline: the variant that a model must not be worse than, and that is promoted if it is
    variants: all variants by name, in the order in which they are listed
    rivals: the cheap variants that are fitted with the default one, and serve where they are shown to be better
    """

    name: str
    question: str
    default: str
    baseline: str
    variants: Mapping[str, Variant]
    rivals: tuple[str, ...] = ()

    @property
    def Settings(self) -> type[msgspec.Struct]:  # noqa: N802 - a type
        """The family's settings; every field has a default and a description (`msgspec.Meta`)."""

    @property
    def reference(self) -> str:
        """The variant that `evaluate` compares the others with."""
        return self.default

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics by their name in JSON; the first one is the headline metric, which the gate tests."""
        metrics: Mapping[str, Metric] = own_module(self, "card").METRICS
        return metrics

    def require_gpu(self) -> None:
        """Check that the libraries that this family computes with can use a GPU, else raise an UnavailableError."""
        from pozytywka_cli import learning

        learning.device(gpu=True)

    def train(self, dataset: "Dataset", run: TrainingRun) -> Trained:
        """Measure a variant beside the baseline on held-out data, then fit it on all data.

        Of the variant and the run's rivals, that one is trained which `evaluation.champion` names from their losses on
        the validation part, which is not the part that the metrics are of.

        Raises:
            RefusedError: there is too little data, or the headline metric is not a finite number.
        """
        trained: Trained = own_module(self, "train").train(dataset, run)
        headline = next(iter(self.metrics))
        for row in trained.model.metrics:
            if row.metric == headline and not math.isfinite(row.value):
                problem = f"the {headline} of {row.variant} is not a finite number"
                raise RefusedError(problem, "Look for values out of scale: `pozytywka validate`.")
        return trained

    def evaluate(self, dataset: "Dataset", run: TrainingRun) -> Evaluated:
        """Measure every variant on held-out data, and compare each with that of the run."""
        evaluated: Evaluated = own_module(self, "evaluate").evaluate(dataset, run)
        return evaluated

    def open(self, version: Version, dataset: "Dataset | None") -> Predictor:
        """Load a version once, with whatever it precomputes from the data; an ArtifactError if a file is damaged."""
        predictor = getattr(own_module(self, "predict"), f"{type(self).__name__}Predictor")
        opened: Predictor = predictor.open(version, dataset)
        return opened
