"""The baselines, with their intervals: means, a straight line, a season, exponential smoothing by statsforecast."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from msgspec import Meta
from scipy.special import stdtrit

from pozytywka_cli.artifacts import Version
from pozytywka_cli.errors import UnavailableError
from pozytywka_cli.families.weekly.features import Ratio, pooled_ratio, spread_ratio
from pozytywka_cli.families.weekly.forecast import QUANTILES, Forecast, Parameters, compound_poisson, require_history
from pozytywka_cli.families.weekly.series import WEEK, Floats, Series
from pozytywka_cli.settings import Count, NotNegative

SEASONS = 52  # weeks of a year
NEIGHBOURS = 2  # weeks to both sides over which the index of a week of the year is smoothed
SMOOTHING_WEEKS = {"AutoETS": 10, "SES": 2}  # the fewest of each method: no damped trend is fitted to fewer
LEVEL = 80  # % of weeks within the interval of exponential smoothing


class Mean(Parameters, frozen=True):
    """The mean of the last `weeks` weeks (None: of all), with a compound-Poisson interval."""

    ratio: Ratio
    weeks: Count | None = None

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`, all with the same mean; an artist without listening gets zeros."""
        return _level(history, self.weeks, np.ones(horizon), self.ratio)


class Linear(Parameters, frozen=True):
    """A least-squares line through each artist's last `weeks` weeks (None: all), extrapolated; never below zero.

    The interval is the line's own prediction interval (Student's t, weeks − 2 degrees of freedom).
    """

    weeks: Annotated[int, Meta(ge=3)] | None

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`, which has at least 3 weeks."""
        recent = history.listened[:, -(self.weeks or 0) :]  # all if None
        count = recent.shape[1]
        time = np.arange(count) - (count - 1) / 2
        ahead, time_squares = (count - 1) / 2 + np.arange(1, horizon + 1), (time**2).sum()
        level, slope = recent.mean(axis=1)[:, None], (recent * time).sum(axis=1)[:, None] / time_squares
        residual = ((recent - level - slope * time) ** 2).sum(axis=1)[:, None]
        error = np.sqrt(residual / (count - 2) * (1 + 1 / count + ahead**2 / time_squares))
        mean = level + slope * ahead
        quantiles = mean[..., None] + error[..., None] * stdtrit(count - 2, np.array(QUANTILES))
        return Forecast(np.maximum(mean, 0), np.maximum(quantiles, 0))


class Seasonal(Parameters, frozen=True):
    """Each artist's mean of the last 52 weeks times a seasonal index, with a compound-Poisson interval."""

    ratio: Ratio
    # for each week of the year, all listening in it divided by that of a usual week
    index: Annotated[list[NotNegative], Meta(min_length=SEASONS, max_length=SEASONS)]

    @classmethod
    def fitted(cls, history: Series) -> Self:
        """Fit the index to a history of at least 52 weeks: the mean over its years, smoothed over five weeks.

        A usual week is the mean of the 52 weeks around a week, or of the 52 nearest ones at both ends.
        """
        total = history.listened.sum(axis=0)
        ends = np.clip(np.arange(len(total)) + SEASONS // 2, SEASONS, len(total))
        usual = np.array([total[end - SEASONS : end].mean() for end in ends])
        relative = np.divide(total, usual, out=np.ones_like(total), where=usual > 0)
        weeks = np.array([_week_of_year(week) for week in history.weeks])
        sums, counts = np.bincount(weeks, relative, SEASONS), np.bincount(weeks, minlength=SEASONS)
        around = np.arange(-NEIGHBOURS, NEIGHBOURS + 1) + np.arange(SEASONS)[:, None]
        smoothed = np.take(sums, around, mode="wrap").sum(axis=1) / np.take(counts, around, mode="wrap").sum(axis=1)
        return cls(pooled_ratio(history), smoothed.tolist())

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`; an artist without listening in a year gets zeros."""
        weeks = [_week_of_year(history.weeks[-1] + WEEK * step) for step in range(1, horizon + 1)]
        return _level(history, SEASONS, np.array(self.index)[weeks], self.ratio)


def _level(history: Series, weeks: int | None, factors: Floats, ratio: float) -> Forecast:
    """Forecast the mean of the last `weeks` weeks (None: of all) times a factor for each week ahead, (horizon,)."""
    recent = history.listened[:, -(weeks or 0) :]  # all if None
    # the mean of so many noisy weeks has a variance of its own, which adds to that of the next week
    ratios = spread_ratio(history, ratio) * (1 + 1 / recent.shape[1])
    return compound_poisson(recent.mean(axis=1)[:, None] * factors, ratios)


def _week_of_year(week: date) -> int:
    """Return a number from 0 to 51; ISO week 53, which few years have, counts as the 52nd."""
    return min(week.isocalendar().week, SEASONS) - 1


def missing(variant: str) -> bool:
    """Return whether a variant needs the extra, and it is not installed."""
    return variant in SMOOTHING_WEEKS and find_spec("statsforecast") is None


def require(variant: str) -> None:
    """Check that the libraries of a variant are installed, else raise an UnavailableError."""
    if missing(variant):
        problem = f"weekly {variant} needs statsforecast, which is not installed"
        raise UnavailableError(problem, "Install it with `pip install 'pozytywka[forecast]'`.")


class SmoothingParameters(Parameters, frozen=True):
    """The `method`: AutoETS or SES."""

    method: Literal["AutoETS", "SES"]


@dataclass(frozen=True)
class Smoothing:
    """Simple exponential smoothing, or the exponential smoothing model with the lowest AICc (Hyndman et al., 2008).

    A model is fitted to each artist at every forecast. As choosing among some fifteen forms takes long, AutoETS chooses
    and fits once for each artist of a `known` history, where there is one; later weeks then only update the state.
    The interval is the method's own, for normal errors; no forecast is below zero.
    """

    method: Literal["AutoETS", "SES"]
    known: Series | None = None

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`, or raise an UnavailableError; an artist without listening gets zeros."""
        require(self.method)
        require_history(history, SMOOTHING_WEEKS[self.method])
        artists = zip(history.artist_ids, history.listened, strict=True)
        bands = np.array([self._band(artist, listened, horizon) for artist, listened in artists])
        low, mean, high = np.maximum(bands.reshape(-1, 3, horizon), 0).transpose(1, 0, 2)
        return Forecast(mean, np.stack([low, mean, high], axis=-1))

    def _band(self, artist: str, listened: Floats, horizon: int) -> Floats:
        """Return the lower end, the mean and the upper end: (3, horizon)."""
        if not listened.any():
            return np.zeros((3, horizon))
        options = {"h": horizon, "level": [LEVEL]}
        known = self._fits.get(artist)
        band = known.forward(listened, **options) if known else self._fitted(listened).predict(**options)
        return np.stack([band[name] for name in (f"lo-{LEVEL}", "mean", f"hi-{LEVEL}")])

    @cached_property
    def _fits(self) -> dict[str, Any]:
        artists = zip(self.known.artist_ids, self.known.listened, strict=True) if self.known else ()
        return {artist: self._fitted(listened) for artist, listened in artists if listened.any()}

    def _fitted(self, listened: Floats) -> Any:
        from statsforecast.models import AutoETS, SimpleExponentialSmoothingOptimized

        model = AutoETS() if self.method == "AutoETS" else SimpleExponentialSmoothingOptimized()
        return model.fit(np.ascontiguousarray(listened))

    def save(self, folder: Path) -> None:
        """Write `model.json`."""
        SmoothingParameters(self.method).save(folder)

    @classmethod
    def load(cls, version: Version) -> "Smoothing":
        """Load the model of a checked version."""
        return cls(SmoothingParameters.load(version).method)
