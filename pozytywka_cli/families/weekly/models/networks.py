"""The networks: their layers and losses, how they are saved, and their forecasts."""

from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from pozytywka_cli import learning
from pozytywka_cli.artifacts import Version
from pozytywka_cli.artifacts.decoding import decoding
from pozytywka_cli.families.weekly.features import Ratio, scale, spread_ratio
from pozytywka_cli.families.weekly.forecast import QUANTILES, Forecast, Parameters, compound_poisson, require_history
from pozytywka_cli.families.weekly.models.calibration import COVERAGE
from pozytywka_cli.families.weekly.models.lstm_inputs import LstmParameters, Singles, inputs
from pozytywka_cli.families.weekly.series import Floats, Series
from pozytywka_cli.settings import Count

WEIGHTS = "weights.safetensors"
# mean and quantiles in spreads without a mixture: slightly skewed, as sums of listens are
START = (0.0, -1.28, -0.08, 1.28)
LEGACY_WINDOW, LEGACY_HIDDEN = 11, 33


class Network(nn.Module):
    """A network with its hyperparameters, which are of the `kind` that a subclass names and decide its shape."""

    kind: ClassVar[type[Parameters]]

    def __init__(self, hyperparameters: Parameters) -> None:
        super().__init__()
        self.hyperparameters = hyperparameters

    @classmethod
    def untrained(cls, hyperparameters: Parameters, seed: int) -> Self:
        """Return a network with the weights that training starts from, which depend on `seed` alone."""
        return learning.seeded(seed, lambda: cls(hyperparameters))

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors` and `model.json`."""
        save_file(self.state_dict(), folder / WEIGHTS)
        self.hyperparameters.save(folder)

    @classmethod
    def load(cls, version: Version) -> Self:
        """Load the network of a checked version."""
        network = cls.untrained(cls.kind.load(version), seed=0)
        with decoding(version.path(WEIGHTS)):
            learning.load_weights(network, version.path(WEIGHTS))
        return network.eval()

    def outputs(self, *rows: Singles) -> Floats:
        """Return the outputs for rows; one does not depend on the other rows, not even in its last bits."""
        outputs: Floats = learning.forward(self, tuple(map(torch.from_numpy, rows)), double=True).double().numpy()
        return outputs


class Lstm(Network):
    """One LSTM layer over the scaled weeks; a linear layer maps its last state and the extras to the scaled forecast.

    What it answers is added to the mixture's forecast. The last layer starts at zero: an untrained network forecasts
    what the mixture does.

    Versions from before the mixture start at the mean of all history, and add a weighted sum of the recent `levels`,
    whose absolute weights sum to one at most.
    """

    kind = LstmParameters
    hyperparameters: LstmParameters

    def __init__(self, hyperparameters: LstmParameters) -> None:
        super().__init__(hyperparameters)
        hidden, horizon, levels = hyperparameters.hidden, hyperparameters.horizon, hyperparameters.mixed
        features = hidden + hyperparameters.extras
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.head = nn.Linear(features, horizon * len(START))
        self.mix = nn.Linear(features, horizon * levels) if levels else None
        nn.init.zeros_(self.head.weight)
        self.head.bias.data = torch.tensor(START * horizon) * (hyperparameters.mixture is None)
        if self.mix is not None:
            nn.init.zeros_(self.mix.weight)
            nn.init.zeros_(self.mix.bias)

    @property
    def adds(self) -> bool:
        """Whether the forecast is another one than that which training started from."""
        return bool(self.head.weight.any())

    def forward(self, window: Tensor, extras: Tensor, levels: Tensor, start: Tensor) -> Tensor:
        """Map the `Inputs` to mean and rising quantiles: (rows, horizon, 4)."""
        _, (state, _) = self.lstm(window.unsqueeze(-1))
        hidden, horizon = torch.cat((state[-1], extras), dim=1), self.hyperparameters.horizon
        scaled = (start + self.head(hidden)).unflatten(1, (horizon, -1))
        if self.mix is not None:
            weights = self.mix(hidden).unflatten(1, (horizon, -1))
            weights = weights / weights.abs().sum(dim=-1, keepdim=True).clamp(min=1)
            scaled = scaled + (weights * levels[:, None]).sum(dim=-1, keepdim=True)
        return torch.cat((scaled[..., :1], scaled[..., 1:].sort(dim=-1).values), dim=-1)

    def loss(self, window: Tensor, extras: Tensor, levels: Tensor, start: Tensor, target: Tensor) -> Tensor:
        """Return half the squared error of the mean plus twice the mean pinball loss of the quantiles (Koenker, 1978).

        `target` is (rows, horizon), scaled.
        """
        scaled = self(window, extras, levels, start)
        error = target[..., None] - scaled[..., 1:]
        level = torch.tensor(QUANTILES, device=error.device)
        pinball = torch.maximum(level * error, (level - 1) * error)
        return F.mse_loss(scaled[..., 0], target) / 2 + 2 * pinball.mean()

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`; an artist without listening gets zeros."""
        level = scale(require_history(history, self.hyperparameters.window), self.hyperparameters.ratio)
        mixture, calibration = self.hyperparameters.mixture, self.hyperparameters.calibration
        if mixture and not self.adds:  # the same numbers, not rounded to single precision
            forecast = mixture.interval(mixture.outlook(history, horizon), upper=COVERAGE)
        else:
            seconds = level.seconds(self.outputs(*inputs(history, level, self.hyperparameters))[:, :horizon])
            forecast = Forecast(seconds[..., 0], seconds[..., 1:])
        return calibration.calibrated(level.mean, forecast) if calibration else forecast


class LegacyParameters(Parameters, frozen=True):
    """The hyperparameters of the old systems' network, beside those that are fixed."""

    ratio: Ratio
    horizon: Count  # weeks ahead


class LegacyLstm(Network):
    """The network of the old systems, on unscaled seconds: an LSTM layer with ReLU for tanh, and a linear one.

    They had no intervals, so these are compound-Poisson ones.
    """

    kind = LegacyParameters
    hyperparameters: LegacyParameters

    def __init__(self, hyperparameters: LegacyParameters) -> None:
        super().__init__(hyperparameters)
        self.gates = nn.Linear(1 + LEGACY_HIDDEN, 4 * LEGACY_HIDDEN)
        self.head = nn.Linear(LEGACY_HIDDEN, hyperparameters.horizon)

    def forward(self, window: Tensor) -> Tensor:
        """Map (rows, window) to (rows, horizon)."""
        state = cell = window.new_zeros(len(window), LEGACY_HIDDEN)
        for week in torch.split(window, 1, dim=1):
            gates = self.gates(torch.cat((week, state), dim=1))
            input_gate, forget_gate, output_gate, candidate = gates.chunk(4, dim=1)
            cell = forget_gate.sigmoid() * cell + input_gate.sigmoid() * candidate.relu()
            state = output_gate.sigmoid() * cell.relu()
        seconds: Tensor = self.head(state)
        return seconds

    def loss(self, window: Tensor, target: Tensor) -> Tensor:
        """Return the mean squared error."""
        return F.mse_loss(self(window), target)

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`, from the last 11."""
        window = require_history(history, LEGACY_WINDOW).listened[:, -LEGACY_WINDOW:].astype(np.float32)
        mean = np.maximum(self.outputs(window)[:, :horizon], 0)
        return compound_poisson(mean, spread_ratio(history, self.hyperparameters.ratio))
