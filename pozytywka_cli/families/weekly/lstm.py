"""The LSTM that forecasts every artist's next weeks, as it is kept and asked."""

from dataclasses import dataclass

import msgspec

from pozytywka_cli.families.weekly.checkpoint import Networked
from pozytywka_cli.families.weekly.features import Reading, inputs, scale
from pozytywka_cli.families.weekly.model import Forecast, at_least
from pozytywka_cli.families.weekly.networks import Forecaster, asked
from pozytywka_cli.families.weekly.series import Series


class LstmParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the network reads (`Reading`), its `hidden` units, and how many weeks it looks ahead.

    `ratio` is the pooled variance ÷ mean of a week in seconds. The defaults are those of versions that were made before
    there was a choice.
    """

    window: int
    hidden: int
    ratio: float
    half_lives: tuple[float, ...] = ()
    annual: bool = False
    horizon: int = 1

    @classmethod
    def of(cls, reading: Reading, hidden: int, ratio: float, horizon: int) -> "LstmParameters":
        """The parameters of a network that reads this."""
        return cls(reading.window, hidden, ratio, reading.half_lives, reading.annual, horizon)

    @property
    def reading(self) -> Reading:
        """What the network reads."""
        return Reading(self.window, self.half_lives, self.annual)

    def network(self) -> Forecaster:
        """An untrained one."""
        return Forecaster(self.hidden, self.reading.extras, levels=len(self.half_lives), horizon=self.horizon)


@dataclass(frozen=True)
class Lstm(Networked[LstmParameters, Forecaster]):
    """A trained network with what it needs to read a history; untrained, it forecasts the mean of all history."""

    kind = LstmParameters

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`, as many as it was trained for at most; a silent artist gets zeros.

        Raises:
            RefusedError: `history` has fewer weeks than the network reads.
        """
        level = scale(at_least(history, self.parameters.window), self.parameters.ratio)
        scaled = asked(self.network, *inputs(history, level, self.parameters.reading).arrays)
        found = level.seconds(scaled[:, :horizon])
        return Forecast(found[..., 0], found[..., 1:])
