"""The LSTM of the old systems, for comparison: unscaled seconds of eleven weeks."""

from collections import deque
from dataclasses import dataclass

import msgspec
import numpy as np
import torch

from pozytywka_cli import learning
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.weekly.features import pooled_ratio, spread_ratio
from pozytywka_cli.families.weekly.forecast import Forecast, compound_poisson, require_history
from pozytywka_cli.families.weekly.models.checkpoint import NetworkModel
from pozytywka_cli.families.weekly.models.networks import ReluForecaster, forward, squared_loss
from pozytywka_cli.families.weekly.series import Series
from pozytywka_cli.learning import Recipe, Tensors

WINDOW = 11
HIDDEN = 33
# AdamW without weight decay is Adam; these sizes of batches and epochs keep training short
RECIPE = Recipe(
    epochs=20, batch_size=128, learning_rate=1e-3, weight_decay=0.0, patience=20, rows_per_epoch=25_000, stop_after=20
)


class LegacyParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many weeks it looks ahead, and the pooled ratio of a week's variance to its mean, in seconds."""

    ratio: float
    horizon: int

    def network(self) -> ReluForecaster:
        """Return an untrained network."""
        return ReluForecaster(HIDDEN, self.horizon)


@dataclass(frozen=True)
class LegacyLstm(NetworkModel[LegacyParameters, ReluForecaster]):
    """The network with its hyperparameters; the old systems had no intervals, so they are compound-Poisson ones."""

    kind = LegacyParameters

    @classmethod
    def fitted(cls, history: Series, horizon: int, run: TrainingRun) -> "LegacyLstm":
        """Train on every week of `history` from the twelfth on, for 20 epochs."""
        model = cls.untrained(LegacyParameters(pooled_ratio(history), horizon), run.seed)
        rows, device = examples(history, horizon), torch.device(run.device)
        deque(learning.fit(model.network, squared_loss, rows, None, RECIPE, seed=run.seed, device=device), maxlen=0)
        return model

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`, at most the trained horizon.

        Raises:
            RefusedError: `history` has fewer than 11 weeks.
        """
        window = require_history(history, WINDOW).listened[:, -WINDOW:].astype(np.float32)
        mean = np.maximum(forward(self.network, window)[:, :horizon], 0)
        return compound_poisson(mean, spread_ratio(history, self.parameters.ratio))


def examples(history: Series, horizon: int) -> Tensors:
    """Return every 11 weeks of every artist, and the `horizon` weeks after them, in seconds."""
    runs = np.lib.stride_tricks.sliding_window_view(history.listened.astype(np.float32), WINDOW + horizon, axis=1)
    rows = runs.reshape(-1, WINDOW + horizon)
    return torch.from_numpy(rows[:, :WINDOW].copy()), torch.from_numpy(rows[:, WINDOW:].copy())
