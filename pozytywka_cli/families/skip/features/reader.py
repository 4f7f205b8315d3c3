"""The base of what computes the inputs of models."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import msgspec
import polars as pl

from pozytywka_cli.artifacts import Version
from pozytywka_cli.evaluation import Flags, Floats
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.files import indented_json
from pozytywka_cli.learning import Tensors

PARAMETERS = "model.json"
ReadInputs = Callable[[pl.DataFrame], Tensors]


class Reader(msgspec.Struct, frozen=True):
    """Computes the inputs of a model; fitted on training plays and saved with the model.

    Rows are plays or candidates: user_id, session_id (null: a new session), track_id, started_at (UTC, µs),
    advertisement_before. The inputs of a row depend on that row and the log alone.
    """

    @property
    def skip_rate(self) -> float:
        """The share of training plays that were skipped."""
        raise NotImplementedError

    @classmethod
    def prepare(cls, log: PlayLog, training: Flags, settings: SkipSettings) -> tuple[Self, Tensors]:
        """Return a reader fitted on the `training` plays, (plays,), and its inputs for all plays."""
        raise NotImplementedError

    def open(self, log: PlayLog) -> ReadInputs:
        """Return a function from rows to inputs; everything that does not depend on the rows is computed here."""
        raise NotImplementedError

    def without(self, inputs: Tensors) -> Iterator[tuple[str, Floats | None, Tensors]]:
        """Yield each input's name, its value in each row if it is a number, and the inputs without its information."""
        raise NotImplementedError

    def known(self, rows: pl.DataFrame, log: PlayLog) -> Flags:
        """Return which rows' users the inputs tell anything about, by plays or by the users table: (rows,)."""
        return log.knows(rows)

    def save(self, folder: Path) -> None:
        """Write `model.json`, and other files that the reader has."""
        (folder / PARAMETERS).write_bytes(indented_json(self))

    @classmethod
    def load(cls, version: Version) -> Self:
        """Load the reader of a checked version."""
        return msgspec.json.decode((version.folder / PARAMETERS).read_bytes(), type=cls)
