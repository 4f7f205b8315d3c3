"""The old systems' LSTM, for comparison: raw seconds of eleven weeks, and no regard to how often an artist is heard."""

from collections import deque
from dataclasses import dataclass

import msgspec
import numpy as np
import torch

from pozytywka_cli import learning
from pozytywka_cli.families.weekly.checkpoint import Networked
from pozytywka_cli.families.weekly.features import pooled_ratio, spread_ratio
from pozytywka_cli.families.weekly.model import Forecast, at_least, compound_poisson
from pozytywka_cli.families.weekly.networks import ReluForecaster, asked, squared_loss
from pozytywka_cli.families.weekly.series import Series
from pozytywka_cli.learning import Recipe, Tensors

WINDOW = 11
HIDDEN = 33
# AdamW without weight decay is Adam; a batch and epochs of these sizes keep the time of training bearable
RECIPE = Recipe(
    epochs=20, batch_size=128, learning_rate=1e-3, weight_decay=0.0, patience=20, rows_per_epoch=25_000, stop_after=20
)


class LegacyParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many weeks it looks ahead, and the pooled variance ÷ mean of a week (`ratio`) in seconds."""

    ratio: float
    horizon: int

    def network(self) -> ReluForecaster:
        """An untrained one."""
        return ReluForecaster(HIDDEN, self.horizon)


@dataclass(frozen=True)
class LegacyLstm(Networked[LegacyParameters, ReluForecaster]):
    """A trained network; its intervals, which it had none of, are compound-Poisson ones around what it says."""

    kind = LegacyParameters

    @classmethod
    def fitted(cls, history: Series, *, horizon: int, seed: int, device: str) -> "LegacyLstm":
        """Train on every week of `history` from the twelfth on, for 20 epochs."""
        model = cls.untrained(LegacyParameters(pooled_ratio(history), horizon), seed)
        given, where = examples(history, horizon), torch.device(device)
        deque(learning.fit(model.network, squared_loss, given, None, RECIPE, seed=seed, device=where), maxlen=0)
        return model

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`, as many as it was trained for at most.

        Raises:
            RefusedError: `history` has fewer than 11 weeks.
        """
        window = at_least(history, WINDOW).listened[:, -WINDOW:].astype(np.float32)
        mean = np.maximum(asked(self.network, window)[:, :horizon], 0)
        return compound_poisson(mean, spread_ratio(history, self.parameters.ratio))


def examples(history: Series, horizon: int) -> Tensors:
    """Every 11 weeks of every artist, and the `horizon` weeks after them, in seconds."""
    runs = np.lib.stride_tricks.sliding_window_view(history.listened.astype(np.float32), WINDOW + horizon, axis=1)
    rows = runs.reshape(-1, WINDOW + horizon)
    return torch.from_numpy(rows[:, :WINDOW].copy()), torch.from_numpy(rows[:, WINDOW:].copy())
