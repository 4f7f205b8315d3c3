"""What every weekly model can do, and what it answers."""

from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtrik

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.weekly.series import Floats, Series

QUANTILES = (0.1, 0.5, 0.9)
PARAMETERS = "model.json"


class Forecast(NamedTuple):
    """The next weeks' listening in seconds: the mean (artists, …) and the 10, 50 and 90 % quantiles (artists, …, 3).

    In between stand the weeks ahead, nearest first, (artists, horizon); or, once measured, the test weeks and how many
    weeks before each it was forecast, (artists, weeks, horizon).
    """

    mean: Floats
    quantiles: Floats

    def of(self, rows: NDArray[np.intp]) -> "Forecast":
        """The forecast of the artists in `rows`."""
        return Forecast(self.mean[rows], self.quantiles[rows])

    def ahead(self, step: int) -> "Forecast":
        """Of a measured forecast, what was said `step` weeks before: (artists, weeks)."""
        return Forecast(self.mean[:, :, step - 1], self.quantiles[:, :, step - 1])


class Model(Protocol):
    """What every weekly model can do; each artist's forecast depends on that artist's history alone."""

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the `horizon` weeks after `history`: (artists, horizon)."""

    def save(self, folder: Path) -> None:
        """Write the model's files."""


def at_least(history: Series, weeks: int) -> Series:
    """The same history.

    Raises:
        RefusedError: it has fewer weeks than a model needs to read.
    """
    if len(history.weeks) < weeks:
        problem = f"only {len(history.weeks)} full weeks of plays; this model reads {weeks}"
        raise RefusedError(problem, "Predict from at least as many plays, or train weekly again on these.")
    return history


def compound_poisson(mean: Floats, ratio: Floats) -> Forecast:
    """A forecast of sums of Poisson many listens: `mean` (artists, horizon) and `ratio`, the variance ÷ it, in seconds.

    The sum is taken as `ratio` (artists,) times a Poisson count of the same mean and variance (Bohm & Zech, 2014,
    "Statistics of weighted Poisson events"), the count spread evenly half a step to both sides, for listens are not all
    of one length; nothing at all stays zero.
    """
    level = np.array(QUANTILES)
    unit = np.where(ratio > 0, ratio, 1)[:, None, None]
    expected = mean[..., None] / unit
    nothing = level <= np.exp(-expected)
    steps = pdtrik(np.where(nothing, 0.5, level), np.where(nothing, 1.0, expected)) + 0.5
    return Forecast(mean, np.where(nothing, 0.0, unit * steps))
