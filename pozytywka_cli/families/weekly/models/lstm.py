"""The LSTM: its hyperparameters and its forecast."""

from dataclasses import dataclass

import msgspec

from pozytywka_cli.families.weekly.features import InputShape, inputs, scale
from pozytywka_cli.families.weekly.forecast import Forecast, require_history
from pozytywka_cli.families.weekly.models.checkpoint import NetworkModel
from pozytywka_cli.families.weekly.models.networks import Forecaster, forward
from pozytywka_cli.families.weekly.series import Series


class LstmParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The shape of the inputs (`InputShape`), the `hidden` units, and how many weeks the network looks ahead.

    `ratio` is the pooled ratio of a week's variance to its mean, in seconds. The defaults are those of old versions,
    which do not have these fields.
    """

    window: int
    hidden: int
    ratio: float
    half_lives: tuple[float, ...] = ()
    annual: bool = False
    horizon: int = 1

    @classmethod
    def of(cls, shape: InputShape, hidden: int, ratio: float, horizon: int) -> "LstmParameters":
        """Return the parameters of a network with inputs of this shape."""
        return cls(shape.window, hidden, ratio, shape.half_lives, shape.annual, horizon)

    @property
    def shape(self) -> InputShape:
        """The shape of the network's inputs."""
        return InputShape(self.window, self.half_lives, self.annual)

    def network(self) -> Forecaster:
        """Return an untrained network."""
        return Forecaster(self.hidden, self.shape.extras, levels=len(self.half_lives), horizon=self.horizon)


@dataclass(frozen=True)
class Lstm(NetworkModel[LstmParameters, Forecaster]):
    """The network with its hyperparameters; untrained, it forecasts the mean of all history."""

    kind = LstmParameters

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`, at most the trained horizon; an artist without listening gets zeros.

        Raises:
            RefusedError: `history` has fewer weeks than the network reads.
        """
        level = scale(require_history(history, self.parameters.window), self.parameters.ratio)
        scaled = forward(self.network, *inputs(history, level, self.parameters.shape))
        seconds = level.seconds(scaled[:, :horizon])
        return Forecast(seconds[..., 0], seconds[..., 1:])
