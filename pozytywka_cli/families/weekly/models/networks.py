"""The networks, their losses, and their forward pass."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pozytywka_cli import learning
from pozytywka_cli.families.weekly.features import Singles
from pozytywka_cli.families.weekly.forecast import QUANTILES
from pozytywka_cli.families.weekly.series import Floats

START = (0.0, -1.28, -0.08, 1.28)  # mean and quantiles in spreads: slightly skewed, as sums of listens are


class Forecaster(nn.Module):
    """One LSTM layer over the scaled weeks; a linear layer maps its last state and the extras to the scaled forecast.

    A weighted sum of the recent `levels` is added to each week's forecast. The absolute weights sum to one at most, so
    that no forecast lies much further from an artist's mean than the levels do. The last layers start at zero: an
    untrained network forecasts the mean of all history.
    """

    def __init__(self, hidden: int, extras: int, *, levels: int = 0, horizon: int = 1) -> None:
        super().__init__()
        self.horizon = horizon
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.head = nn.Linear(hidden + extras, horizon * len(START))
        self.mix = nn.Linear(hidden + extras, horizon * levels) if levels else None
        nn.init.zeros_(self.head.weight)
        self.head.bias.data = torch.tensor(START * horizon)
        if self.mix is not None:
            nn.init.zeros_(self.mix.weight)
            nn.init.zeros_(self.mix.bias)

    def forward(self, window: Tensor, extras: Tensor, levels: Tensor) -> Tensor:
        """Map (rows, window), (rows, extras) and (rows, levels) to mean and rising quantiles: (rows, horizon, 4)."""
        _, (state, _) = self.lstm(window.unsqueeze(-1))
        hidden = torch.cat((state[-1], extras), dim=1)
        scaled = self.head(hidden).unflatten(1, (self.horizon, -1))
        if self.mix is not None:
            weights = self.mix(hidden).unflatten(1, (self.horizon, -1))
            weights = weights / weights.abs().sum(dim=-1, keepdim=True).clamp(min=1)
            scaled = scaled + (weights * levels[:, None]).sum(dim=-1, keepdim=True)
        return torch.cat((scaled[..., :1], scaled[..., 1:].sort(dim=-1).values), dim=-1)


def forecast_loss(network: nn.Module, window: Tensor, extras: Tensor, levels: Tensor, target: Tensor) -> Tensor:
    """Return half the squared error of the mean plus twice the mean pinball loss of the quantiles (Koenker, 1978).

    `target` is (rows, horizon), scaled.
    """
    scaled = network(window, extras, levels)
    error = target[..., None] - scaled[..., 1:]
    level = torch.tensor(QUANTILES, device=error.device)
    pinball = torch.maximum(level * error, (level - 1) * error)
    return F.mse_loss(scaled[..., 0], target) / 2 + 2 * pinball.mean()


class ReluForecaster(nn.Module):
    """The network of the old systems, on unscaled seconds: an LSTM layer with ReLU for tanh, and a linear one."""

    def __init__(self, hidden: int, horizon: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.gates = nn.Linear(1 + hidden, 4 * hidden)
        self.head = nn.Linear(hidden, horizon)

    def forward(self, window: Tensor) -> Tensor:
        """Map (rows, window) to (rows, horizon)."""
        state = cell = window.new_zeros(len(window), self.hidden)
        for week in torch.split(window, 1, dim=1):
            input_gate, forget_gate, output_gate, candidate = self.gates(torch.cat((week, state), dim=1)).chunk(
                4, dim=1
            )
            cell = forget_gate.sigmoid() * cell + input_gate.sigmoid() * candidate.relu()
            state = output_gate.sigmoid() * cell.relu()
        seconds: Tensor = self.head(state)
        return seconds


def squared_loss(network: nn.Module, window: Tensor, target: Tensor) -> Tensor:
    """Return the mean squared error."""
    return F.mse_loss(network(window), target)


def forward(network: nn.Module, *inputs: Singles) -> Floats:
    """Return a network's outputs; an output does not depend on the other rows, not even in its last bits."""
    outputs: Floats = learning.forward(network, tuple(map(torch.from_numpy, inputs)), double=True).double().numpy()
    return outputs
