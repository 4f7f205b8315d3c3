"""The network that forecasts next week's listening, and the model that serves it."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import msgspec
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from pozytywka_cli import learning
from pozytywka_cli.artifacts import Version
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.files import indented_json
from pozytywka_cli.weekly.baselines import PARAMETERS, QUANTILES, Forecast, Linear, Mean, Model
from pozytywka_cli.weekly.features import EXTRAS, Floats, Inputs, Series, inputs, scale

WEIGHTS = "weights.safetensors"
START = (0.0, -1.28, -0.08, 1.28)  # the mean and its quantiles in spreads, a little skewed as sums of listens are
BLOCK = 512  # rows of every forward pass: matrix products of another size may differ in their last bits


class Forecaster(nn.Module):
    """One LSTM layer over the scaled weeks; its last state and the extras give the mean and three quantiles, scaled.

    The last layer starts at zero, so that an untrained network forecasts the mean of all history.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.head = nn.Linear(hidden + EXTRAS, len(START))
        nn.init.zeros_(self.head.weight)
        self.head.bias.data = torch.tensor(START)

    def forward(self, window: Tensor, extras: Tensor) -> Tensor:
        """(rows, window) and (rows, 4) give (rows, 4): the mean, then the quantiles in rising order."""
        _, (state, _) = self.lstm(window.unsqueeze(-1))
        found = self.head(torch.cat((state[-1], extras), dim=1))
        return torch.cat((found[:, :1], found[:, 1:].sort(dim=1).values), dim=1)


def forecast_loss(network: nn.Module, window: Tensor, extras: Tensor, target: Tensor) -> Tensor:
    """Half the squared error of the mean plus twice the pinball loss, averaged over the quantiles (Koenker, 1978)."""
    found = network(window, extras)
    error = target[:, None] - found[:, 1:]
    level = torch.tensor(QUANTILES, device=error.device)
    pinball = torch.maximum(level * error, (level - 1) * error)
    return F.mse_loss(found[:, 0], target) / 2 + 2 * pinball.mean()


class LstmParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`window` in weeks, `hidden` units, and the pooled Σ listen² ÷ Σ listen (`ratio`) in seconds."""

    window: int
    hidden: int
    ratio: float


@dataclass(frozen=True)
class Lstm:
    """A trained network with what it needs to read a history."""

    variant: ClassVar[str] = "lstm"
    parameters: LstmParameters
    network: Forecaster

    @classmethod
    def untrained(cls, parameters: LstmParameters, seed: int) -> "Lstm":
        """A network that forecasts the mean of all history; `seed` decides the weights that training starts from."""
        return cls(parameters, learning.seeded(seed, lambda: Forecaster(parameters.hidden)))

    def forecast(self, history: Series) -> Forecast:
        """Forecast the week after `history`; an artist without any listening gets zeros.

        Raises:
            RefusedError: `history` has fewer weeks than the network reads.
        """
        if len(history.weeks) < self.parameters.window:
            problem = f"only {len(history.weeks)} full weeks of plays; this model reads {self.parameters.window}"
            raise RefusedError(problem, "Predict from at least as many plays, or train weekly again on these.")
        level = scale(history, self.parameters.ratio)
        found = level.seconds(self._forward(inputs(history, level, self.parameters.window)))
        return Forecast(found[:, 0], found[:, 1:])

    @torch.inference_mode()
    def _forward(self, given: Inputs) -> Floats:
        rows = len(given.window)
        padding = ((0, -rows % BLOCK), (0, 0))
        window, extras = (torch.from_numpy(np.pad(values, padding)) for values in (given.window, given.extras))
        blocks = zip(torch.split(window, BLOCK), torch.split(extras, BLOCK), strict=True)
        return torch.cat([self.network(*block) for block in blocks])[:rows].double().numpy()

    def save(self, folder: Path) -> None:
        """Write `weights.safetensors` and `model.json`."""
        save_file(self.network.state_dict(), folder / WEIGHTS)
        (folder / PARAMETERS).write_bytes(indented_json(self.parameters))

    @classmethod
    def load(cls, version: Version) -> "Lstm":
        """The model of a checked version."""
        content = (version.folder / PARAMETERS).read_bytes()
        model = cls.untrained(msgspec.json.decode(content, type=LstmParameters), seed=0)
        model.network.load_state_dict(load_file(version.folder / WEIGHTS))
        model.network.eval()
        return model


def load(version: Version) -> Model:
    """The model of a checked version, whichever variant it is."""
    models: dict[str, type[Lstm] | type[Mean] | type[Linear]] = {"lstm": Lstm, "mean": Mean, "linear": Linear}
    return models[version.manifest.variant].load(version)
