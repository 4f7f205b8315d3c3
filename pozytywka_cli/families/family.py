"""The contract between a model family and the rest of the package.

A family answers one question (will this track be skipped?) with several variants (networks, baselines). Commands, the
pipeline and the service use nothing of a family but what is declared here.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

import msgspec

from pozytywka_cli.artifacts import Draft, Version
from pozytywka_cli.artifacts.decoding import decoding
from pozytywka_cli.artifacts.manifest import DAMAGED_HINT
from pozytywka_cli.errors import ArtifactError, RefusedError
from pozytywka_cli.records import Metric, Panel, Report, Row, silent

if TYPE_CHECKING:
    import polars as pl

    from pozytywka_cli.dataset.events import Event
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


class Predictor(Protocol):
    """A loaded version with everything that it needs to answer requests; opened once, used any number of times."""

    @property
    def Request(self) -> type[msgspec.Struct]:  # noqa: N802 - a type
        """What one request holds: a line of JSONL, a row of a frame, an HTTP body. Optional fields have defaults."""

    def predict(self, requests: "pl.DataFrame") -> "pl.DataFrame":
        """Answer requests, a row or several for each, in their order.

        The columns of `requests` are the fields of `Request`; optional ones may be missing. The answer to a request
        does not depend on the other requests, and its cost does not grow with the log.
        """

    def default_requests(self) -> "pl.DataFrame":
        """Return what `predict` without input answers; without rows where it needs input."""


Answer = dict[str, Any]  # a row of `Predictor.predict`, as JSON has it


class Answerer(Protocol):
    """A version that answers single requests without frames: what a service holds in memory.

    The answers are those of `Predictor.predict` for the same version and data, to the last bit. Only what is known now
    is asked about; the past is the predictor's.
    """

    @property
    def Request(self) -> type[msgspec.Struct]:  # noqa: N802 - a type
        """What one request holds, as in `Predictor`."""

    def answer(self, requests: Sequence[Any]) -> list[list[Answer]]:
        """Return the rows of each request, an instance of `Request`; they do not depend on the other requests.

        Raises:
            RefusedError: a request cannot be answered.
        """


@runtime_checkable
class Observing(Protocol):
    """An answerer whose answers follow events as they happen."""

    def knows_track(self, track_id: str) -> bool:
        """Return whether a track is in the tracks table: events about others are refused."""

    def observe(self, events: "Iterable[Event]") -> None:
        """Take account of events, in the order in which they were logged."""


Opener = Callable[["Dataset"], Predictor]  # opens one fitted model with the events that are known at a moment


@contextmanager
def loading(version: Version, variants: Collection[str]) -> Iterator[None]:
    """Guard the code that makes a model of a version's files; every `open` of a predictor needs it.

    Whatever that code raises, and a variant that the family does not have, is an ArtifactError that names the version.
    Code that reads the dataset belongs outside of it: an error there is no damage.
    """
    if version.manifest.variant not in variants:
        problem = f"{version.folder} is damaged: unknown variant {version.manifest.variant!r}"
        raise ArtifactError(problem, DAMAGED_HINT)
    with decoding(version.folder):
        yield


def _imported(family: object, module: str) -> Any:
    return import_module(f"{type(family).__module__}.{module}")


def _answerer(family: object) -> Any:
    return getattr(_imported(family, "online"), f"{type(family).__name__}Answerer")


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
        metrics: Mapping[str, Metric] = _imported(self, "card").METRICS
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
        trained: Trained = _imported(self, "train").train(dataset, run)
        headline = next(iter(self.metrics))
        for row in trained.model.metrics:
            if row.metric == headline and not math.isfinite(row.value):
                problem = f"the {headline} of {row.variant} is not a finite number"
                raise RefusedError(problem, "Look for values out of scale: `pozytywka validate`.")
        return trained

    def evaluate(self, dataset: "Dataset", run: TrainingRun) -> Evaluated:
        """Measure every variant on held-out data, and compare each with that of the run."""
        evaluated: Evaluated = _imported(self, "evaluate").evaluate(dataset, run)
        return evaluated

    def open(self, version: Version, dataset: "Dataset | None") -> Predictor:
        """Load a version once, with whatever it precomputes from the data; an ArtifactError if a file is damaged."""
        predictor = getattr(_imported(self, "predict"), f"{type(self).__name__}Predictor")
        opened: Predictor = predictor.open(version, dataset)
        return opened


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
        predictor = getattr(_imported(self, "predict"), f"{type(self).__name__}Predictor")
        opened: Predictor = predictor.open(version, dataset, other)
        return opened


@runtime_checkable
class Online(Protocol):
    """A family whose variants in `online` answer single requests from files, without data, polars and torch.

    Its module `prepare` writes the files, and `online` has the answerer, which imports nothing heavy.
    """

    online: Collection[str]

    def prepare(self, version: Version, dataset: "Dataset", folder: Path) -> None:
        """Write what an answerer needs beside the version itself into an empty folder; perhaps nothing."""
        _imported(self, "prepare").prepare(version, dataset, folder)

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
        loss: float = _imported(self, "tune").trial(dataset, run)
        return loss


@runtime_checkable
class GroundTruth(Protocol):
    """A family that can be measured against the known truth of a generated data set."""

    def ground_truth(self, dataset: "Dataset", truth: Path, run: TrainingRun) -> list[Row]:
        """Return metrics beside the best values that the truth in the folder `truth` allows."""
        rows: list[Row] = _imported(self, "ground_truth").ground_truth(dataset, truth, run)
        return rows


@runtime_checkable
class Tradeoff(Protocol):
    """A family that can measure quality against cost over a grid of settings."""

    def tradeoff(self, dataset: "Dataset", run: TrainingRun) -> Evaluated:
        """Return quality, training time and lookup time for each point of the grid."""
        measured: Evaluated = _imported(self, "evaluate").tradeoff(dataset, run)
        return measured
