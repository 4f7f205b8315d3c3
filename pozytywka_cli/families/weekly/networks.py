"""The networks that forecast, their losses, and how one is asked."""

import copy

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pozytywka_cli.families.weekly.features import Singles
from pozytywka_cli.families.weekly.model import QUANTILES
from pozytywka_cli.families.weekly.series import Floats

START = (0.0, -1.28, -0.08, 1.28)  # the mean and its quantiles in spreads, a little skewed as sums of listens are
BLOCK = 512  # rows of every forward pass


class Forecaster(nn.Module):
    """One LSTM layer over the scaled weeks; its last state and the extras give the weeks ahead, scaled.

    What is found of each week is moved by a mix of the recent `levels`. The sizes of its weights sum to one at most, so
    that no artist, however far its levels lie from its mean, is forecast much further away than they do. The last
    layers start at zero: an untrained network forecasts the mean of all history.
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
        """(rows, window), (rows, extras) and (rows, levels) give the mean and rising quantiles: (rows, horizon, 4)."""
        _, (state, _) = self.lstm(window.unsqueeze(-1))
        known = torch.cat((state[-1], extras), dim=1)
        found = self.head(known).unflatten(1, (self.horizon, -1))
        if self.mix is not None:
            weights = self.mix(known).unflatten(1, (self.horizon, -1))
            weights = weights / weights.abs().sum(dim=-1, keepdim=True).clamp(min=1)
            found = found + (weights * levels[:, None]).sum(dim=-1, keepdim=True)
        return torch.cat((found[..., :1], found[..., 1:].sort(dim=-1).values), dim=-1)


def forecast_loss(network: nn.Module, window: Tensor, extras: Tensor, levels: Tensor, target: Tensor) -> Tensor:
    """Half the squared error of the mean plus twice the pinball loss, averaged over the quantiles (Koenker, 1978).

    `target` is (rows, horizon), scaled.
    """
    found = network(window, extras, levels)
    error = target[..., None] - found[..., 1:]
    level = torch.tensor(QUANTILES, device=error.device)
    pinball = torch.maximum(level * error, (level - 1) * error)
    return F.mse_loss(found[..., 0], target) / 2 + 2 * pinball.mean()


class ReluForecaster(nn.Module):
    """The old systems' network, on seconds as they are: an LSTM layer with ReLU in place of tanh, and a linear one."""

    def __init__(self, hidden: int, horizon: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.gates = nn.Linear(1 + hidden, 4 * hidden)
        self.head = nn.Linear(hidden, horizon)

    def forward(self, window: Tensor) -> Tensor:
        """(rows, window) gives (rows, horizon)."""
        state = cell = window.new_zeros(len(window), self.hidden)
        for week in torch.split(window, 1, dim=1):
            into, kept, out, candidate = self.gates(torch.cat((week, state), dim=1)).chunk(4, dim=1)
            cell = kept.sigmoid() * cell + into.sigmoid() * candidate.relu()
            state = out.sigmoid() * cell.relu()
        found: Tensor = self.head(state)
        return found


def squared_loss(network: nn.Module, window: Tensor, target: Tensor) -> Tensor:
    """The mean squared error."""
    return F.mse_loss(network(window), target)


@torch.inference_mode()
def asked(network: nn.Module, *inputs: Singles) -> Floats:
    """What the network answers; all arrays share their first dimension.

    An answer does not depend on what else is asked. Its last bits would: matrix products take rows together, and how
    depends on their number and place. So it is found with twice the digits, in blocks of one size, and rounded.
    """
    rows, exact = len(inputs[0]), copy.deepcopy(network).double()
    padded = (torch.from_numpy(np.pad(part, ((0, -rows % BLOCK), (0, 0)))).double() for part in inputs)
    blocks = zip(*(torch.split(part, BLOCK) for part in padded), strict=True)
    found: Floats = torch.cat([exact(*block) for block in blocks])[:rows].float().double().numpy()
    return found
