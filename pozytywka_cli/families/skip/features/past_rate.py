"""The input of the baselines: the user's skip rate so far."""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec
import polars as pl
import torch

from pozytywka_cli.artifacts import Version
from pozytywka_cli.evaluation import Flags, Floats
from pozytywka_cli.families.skip.features.play_features import user_rate
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.reader import PARAMETERS, ReadInputs
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.files import indented_json
from pozytywka_cli.learning import Tensors


class PastRate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A `Reader` of the share of each user's known plays that were skipped, smoothed towards `skip_rate`."""

    skip_rate: float

    @classmethod
    def prepare(cls, log: PlayLog, training: Flags, _: SkipSettings) -> tuple[Self, Tensors]:
        """Compute the share of the `training` plays, (plays,), that were skipped, and the rates at all plays."""
        reader = cls(float(log.plays["skipped"].to_numpy()[training].mean()))
        return reader, reader.open(log)(log.plays)

    def open(self, log: PlayLog) -> ReadInputs:
        """Return a function from rows to their users' rates, (rows,)."""
        return lambda rows: (torch.from_numpy(user_rate(rows, log, self.skip_rate)),)

    def known(self, rows: pl.DataFrame, log: PlayLog) -> Flags:
        """Return which rows' users have plays or are in the users table: (rows,)."""
        return log.knows(rows)

    def without(self, inputs: Tensors) -> Iterator[tuple[str, Floats | None, Tensors]]:
        """Yield the name of the rate, the rate, and `skip_rate` in its place."""
        yield "user_rate", inputs[0].numpy(), (torch.full_like(inputs[0], self.skip_rate),)

    def save(self, folder: Path) -> None:
        """Write `model.json`."""
        (folder / PARAMETERS).write_bytes(indented_json(self))

    @classmethod
    def load(cls, version: Version) -> Self:
        """Load the reader of a checked version."""
        return msgspec.json.decode((version.folder / PARAMETERS).read_bytes(), type=cls)
