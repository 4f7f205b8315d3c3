"""What answers: a predictor for frames of requests, and an answerer for single ones."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import msgspec

from pozytywka_cli.artifacts import Version
from pozytywka_cli.artifacts.decoding import decoding
from pozytywka_cli.artifacts.manifest import DAMAGED_HINT
from pozytywka_cli.errors import ArtifactError

if TYPE_CHECKING:
    import polars as pl

    from pozytywka_cli.dataset.events import Event
    from pozytywka_cli.dataset.loading import Dataset


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
