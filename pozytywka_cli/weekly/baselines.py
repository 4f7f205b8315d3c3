"""The plain forecasts, with their intervals: means of past weeks, and a straight line through them."""

from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol, Self

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtrik, stdtrit

from pozytywka_cli.artifacts import Version
from pozytywka_cli.files import indented_json
from pozytywka_cli.weekly.features import Floats, Series, spread_ratio

QUANTILES = (0.1, 0.5, 0.9)
PARAMETERS = "model.json"


class Forecast(NamedTuple):
    """Next week's listening in seconds: the mean (artists,) and the 10, 50 and 90 % quantiles (artists, 3).

    A rolling forecast has the weeks as its second axis.
    """

    mean: Floats
    quantiles: Floats

    def of(self, rows: NDArray[np.intp]) -> "Forecast":
        """The forecast of the artists in `rows`."""
        return Forecast(self.mean[rows], self.quantiles[rows])


class Model(Protocol):
    """What every weekly model can do; each artist's forecast depends on that artist's history alone."""

    variant: ClassVar[str]

    def forecast(self, history: Series) -> Forecast:
        """Forecast the week after `history`."""

    def save(self, folder: Path) -> None:
        """Write the model's files."""


class _Plain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model that is its few parameters."""

    def save(self, folder: Path) -> None:
        """Write `model.json`."""
        (folder / PARAMETERS).write_bytes(indented_json(self))

    @classmethod
    def load(cls, version: Version) -> Self:
        """The model of a checked version."""
        return msgspec.json.decode((version.folder / PARAMETERS).read_bytes(), type=cls)


class Mean(_Plain, frozen=True, forbid_unknown_fields=True):
    """The mean of the last `weeks` weeks (None: of all), with a compound-Poisson interval.

    `ratio` is the pooled Σ listen² ÷ Σ listen in seconds.
    """

    variant: ClassVar[str] = "mean"
    ratio: float
    weeks: int | None = None

    def forecast(self, history: Series) -> Forecast:
        """Forecast the week after `history`; an artist without any listening gets zeros."""
        recent = history.listened if self.weeks is None else history.listened[:, -self.weeks :]
        mean = recent.mean(axis=1)
        # the mean is itself a sum of as many noisy weeks: its own variance comes on top of the next week's
        step = spread_ratio(history, self.ratio) * (1 + 1 / recent.shape[1])
        return Forecast(mean, compound_poisson_quantiles(mean, step))


class Linear(_Plain, frozen=True, forbid_unknown_fields=True):
    """A least-squares line through each artist's last `weeks` weeks, one step on; never below zero.

    The interval is the line's own prediction interval (Student's t, weeks − 2 degrees of freedom).
    """

    variant: ClassVar[str] = "linear"
    weeks: int = 11

    def forecast(self, history: Series) -> Forecast:
        """Forecast the week after `history`, which has at least 3 weeks."""
        recent = history.listened[:, -self.weeks :]
        count = recent.shape[1]
        time = np.arange(count) - (count - 1) / 2
        ahead, inertia = (count + 1) / 2, (time**2).sum()
        level, slope = recent.mean(axis=1), (recent * time).sum(axis=1) / inertia
        residual = ((recent - level[:, None] - slope[:, None] * time) ** 2).sum(axis=1)
        error = np.sqrt(residual / (count - 2) * (1 + 1 / count + ahead**2 / inertia))
        mean = level + slope * ahead
        quantiles = mean[:, None] + error[:, None] * stdtrit(count - 2, np.array(QUANTILES))
        return Forecast(np.maximum(mean, 0), np.maximum(quantiles, 0))


def compound_poisson_quantiles(mean: Floats, ratio: Floats) -> Floats:
    """The 10, 50 and 90 % quantiles of sums of Poisson many listens: (artists, 3), in seconds.

    `mean` and `ratio`, the variance ÷ the mean, are (artists,) in seconds. The sum is taken as `ratio` times a Poisson
    count of the same mean and variance (Bohm & Zech, 2014, "Statistics of weighted Poisson events"), the count spread
    evenly half a step to both sides, for listens are not all of one length; nothing at all stays zero.
    """
    level = np.array(QUANTILES)
    unit = np.where(ratio > 0, ratio, 1)[:, None]
    expected = mean[:, None] / unit
    nothing = level <= np.exp(-expected)
    steps = pdtrik(np.where(nothing, 0.5, level), np.where(nothing, 1.0, expected)) + 0.5
    return np.where(nothing, 0.0, unit * steps)
