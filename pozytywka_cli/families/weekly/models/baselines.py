"""The baselines, with their intervals: means of past weeks, a straight line through them, a seasonal index."""

from datetime import date
from typing import Self

import numpy as np
from scipy.special import stdtrit

from pozytywka_cli.families.weekly.features import pooled_ratio, spread_ratio
from pozytywka_cli.families.weekly.forecast import QUANTILES, Forecast, Parameters, compound_poisson
from pozytywka_cli.families.weekly.series import WEEK, Floats, Series

SEASONS = 52  # weeks of a year
NEIGHBOURS = 2  # weeks to both sides over which the index of a week of the year is smoothed


class Mean(Parameters, frozen=True):
    """The mean of the last `weeks` weeks (None: of all), with a compound-Poisson interval."""

    ratio: float  # the pooled ratio of a week's variance to its mean, in seconds
    weeks: int | None = None

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`, all with the same mean; an artist without listening gets zeros."""
        return _level(history, self.weeks, np.ones(horizon), self.ratio)


class Linear(Parameters, frozen=True):
    """A least-squares line through each artist's last `weeks` weeks (None: all), extrapolated; never below zero.

    The interval is the line's own prediction interval (Student's t, weeks − 2 degrees of freedom).
    """

    weeks: int | None = 11

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`, which has at least 3 weeks."""
        recent = _last(history.listened, self.weeks)
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

    ratio: float  # the pooled ratio of a week's variance to its mean, in seconds
    index: list[float]  # for each week of the year, all listening in it divided by that of a usual week

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
    recent = _last(history.listened, weeks)
    # the mean of so many noisy weeks has a variance of its own, which adds to that of the next week
    ratios = spread_ratio(history, ratio) * (1 + 1 / recent.shape[1])
    return compound_poisson(recent.mean(axis=1)[:, None] * factors, ratios)


def _last(listened: Floats, weeks: int | None) -> Floats:
    """Return the last `weeks` weeks, or all."""
    return listened if weeks is None else listened[:, -weeks:]


def _week_of_year(week: date) -> int:
    """Return a number from 0 to 51; ISO week 53, which few years have, counts as the 52nd."""
    return min(week.isocalendar().week, SEASONS) - 1
