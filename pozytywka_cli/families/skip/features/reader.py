"""What computes the inputs of a model."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, Self

import polars as pl

from pozytywka_cli.artifacts import Version
from pozytywka_cli.evaluation import Flags, Floats
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.learning import Tensors

PARAMETERS = "model.json"  # the file of a reader
ReadInputs = Callable[[pl.DataFrame], Tensors]


class Reader(Protocol):
    """Computes the inputs of a model; fitted on training plays and saved with the model.

    Rows are plays or candidates: user_id, session_id (null: a new session), track_id, started_at (UTC, µs),
    advertisement_before. A row's inputs depend on that row and the log alone.
    """

    @property
    def skip_rate(self) -> float:
        """The share of training plays that were skipped."""

    @classmethod
    def prepare(cls, log: PlayLog, training: Flags, settings: SkipSettings) -> tuple[Self, Tensors]:
        """Return a reader fitted on the `training` plays, (plays,), and its inputs for all plays."""

    def open(self, log: PlayLog) -> ReadInputs:
        """Return a function from rows to inputs; everything that does not depend on the rows is computed here."""

    def known(self, rows: pl.DataFrame, log: PlayLog) -> Flags:
        """Return which rows' users the inputs tell anything about: (rows,)."""

    def without(self, inputs: Tensors) -> Iterator[tuple[str, Floats | None, Tensors]]:
        """Yield each input's name, its value in each row if it is a number, and the inputs without its information."""

    def save(self, folder: Path) -> None:
        """Write the reader's files."""

    @classmethod
    def load(cls, version: Version) -> Self:
        """Load the reader of a checked version."""
