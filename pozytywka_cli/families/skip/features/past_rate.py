"""The input of the baselines: the user's skip rate so far."""

from collections.abc import Iterator
from typing import Self

import torch

from pozytywka_cli.evaluation import Flags, Floats
from pozytywka_cli.families.skip.features.play_features import user_rate
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.reader import Reader, ReadInputs
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.learning import Tensors


class PastRate(Reader, frozen=True, forbid_unknown_fields=True):
    """Computes the share of each user's known plays that were skipped, smoothed towards `skip_rate`."""

    skip_rate: float

    @classmethod
    def prepare(cls, log: PlayLog, training: Flags, settings: SkipSettings) -> tuple[Self, Tensors]:
        """Compute the share of the `training` plays, (plays,), that were skipped, and the rates at all plays."""
        reader = cls(float(log.plays["skipped"].to_numpy()[training].mean()))
        return reader, reader.open(log)(log.plays)

    def open(self, log: PlayLog) -> ReadInputs:
        """Return a function from rows to their users' rates, (rows,)."""
        return lambda rows: (torch.from_numpy(user_rate(rows, log, self.skip_rate)),)

    def without(self, inputs: Tensors) -> Iterator[tuple[str, Floats | None, Tensors]]:
        """Yield the rate, and `skip_rate` in its place."""
        yield "user_rate", inputs[0].numpy(), (torch.full_like(inputs[0], self.skip_rate),)
