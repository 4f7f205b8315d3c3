"""What a weekly model returns, what every weekly model can do, and how its parameters are saved."""

from pathlib import Path
from typing import NamedTuple, Protocol, Self

import msgspec
import numpy as np
from scipy.special import pdtrik

from pozytywka_cli.artifacts import Version
from pozytywka_cli.artifacts.decoding import read_json
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.weekly.series import Floats, Series
from pozytywka_cli.files import indented_json

QUANTILES = (0.1, 0.5, 0.9)
PARAMETERS = "model.json"


class Forecast(NamedTuple):
    """Forecasts in seconds: the mean (artists, …) and the 10, 50 and 90 % quantiles (artists, …, 3).

    The dimensions between are the weeks ahead, nearest first; in a rolling forecast they are the test weeks and how
    many weeks before each it was forecast, (artists, weeks, horizon).
    """

    mean: Floats
    quantiles: Floats

    def ahead(self, step: int) -> "Forecast":
        """Return the part of a rolling forecast that was made `step` weeks ahead: (artists, weeks)."""
        return Forecast(self.mean[:, :, step - 1], self.quantiles[:, :, step - 1])


class Model(Protocol):
    """A weekly model.

    Each artist's forecast depends on that artist's history alone, but for the mixture and the LSTM that starts from it:
    there all artists of the history share an index.
    """

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`, at most those that it was trained for: (artists, horizon).

        Raises a RefusedError if `history` has fewer weeks than the model reads.
        """

    def save(self, folder: Path) -> None:
        """Write the model's files."""


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The parameters of a model, apart from the weights of a network."""

    def save(self, folder: Path) -> None:
        """Write `model.json`; a RefusedError if a parameter is one that `load` would not accept."""
        content = indented_json(self)  # JSON has null in place of NaN and infinity
        try:
            msgspec.json.decode(content, type=type(self))
        except msgspec.ValidationError as error:
            hint = "Look for values out of scale: `pozytywka validate`."
            raise RefusedError(f"the fitted model cannot be used: {error}", hint) from None
        (folder / PARAMETERS).write_bytes(content)

    @classmethod
    def load(cls, version: Version) -> Self:
        """Read `model.json` of a checked version."""
        return read_json(version.path(PARAMETERS), cls)


def require_history(history: Series, weeks: int) -> Series:
    """Return the same history after checking that a model can read it, else raise a RefusedError."""
    if len(history.weeks) < weeks:
        problem = f"only {len(history.weeks)} full weeks of plays; this model reads {weeks}"
        raise RefusedError(problem, "Predict from at least as many plays, or train weekly again on these.")
    return history


def compound_poisson(mean: Floats, ratio: Floats, upper: float = QUANTILES[-1]) -> Forecast:
    """Return the forecast of a sum of Poisson many listens with this mean, (artists, horizon), in seconds.

    The sum is approximated by `ratio`, (artists,) or (artists, horizon), the variance divided by the mean, in seconds,
    times a Poisson count of the same mean and variance (Bohm & Zech, 2014, "Statistics of weighted Poisson events").
    The count is spread evenly half a step to both sides, as listens differ in length; a mean of zero stays zero.
    Where the 10 % quantile is zero, the last quantile is the one at `upper`: at .8, the interval holds 80 %.
    """
    unit = np.where(ratio > 0, ratio, 1).reshape(*ratio.shape, *[1] * (3 - ratio.ndim))
    expected = mean[..., None] / unit
    level = np.broadcast_to(QUANTILES, (*mean.shape, len(QUANTILES))).copy()
    level[..., -1] = np.where(QUANTILES[0] <= np.exp(-expected[..., 0]), upper, QUANTILES[-1])
    nothing = level <= np.exp(-expected)
    steps = pdtrik(np.where(nothing, 0.5, level), np.where(nothing, 1.0, expected)) + 0.5
    return Forecast(mean, np.where(nothing, 0.0, unit * steps))
