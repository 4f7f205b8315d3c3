"""The plain forecasts, with their intervals: means of past weeks, a straight line through them, the time of year."""

from datetime import date
from pathlib import Path
from typing import Self

import msgspec
import numpy as np
from scipy.special import stdtrit

from pozytywka_cli.artifacts import Version
from pozytywka_cli.families.weekly.features import pooled_ratio, spread_ratio
from pozytywka_cli.families.weekly.model import PARAMETERS, QUANTILES, Forecast, compound_poisson
from pozytywka_cli.families.weekly.series import WEEK, Floats, Series
from pozytywka_cli.files import indented_json

SEASONS = 52  # weeks of a year, over which a level holds all of them
NEAR = 2  # weeks to both sides over which the index of a week of the year is smoothed


class Plain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model that is its few parameters."""

    def save(self, folder: Path) -> None:
        """Write `model.json`."""
        (folder / PARAMETERS).write_bytes(indented_json(self))

    @classmethod
    def load(cls, version: Version) -> Self:
        """The model of a checked version."""
        return msgspec.json.decode((version.folder / PARAMETERS).read_bytes(), type=cls)


class Mean(Plain, frozen=True, forbid_unknown_fields=True):
    """The mean of the last `weeks` weeks (None: of all), with a compound-Poisson interval.

    `ratio` is the pooled variance ÷ mean of a week in seconds.
    """

    ratio: float
    weeks: int | None = None

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`, all alike; an artist without any listening gets zeros."""
        recent = _last(history.listened, self.weeks)
        # the mean is itself a sum of as many noisy weeks: its own variance comes on top of the next week's
        ratio = spread_ratio(history, self.ratio) * (1 + 1 / recent.shape[1])
        return compound_poisson(_repeated(recent.mean(axis=1), horizon), ratio)


class Linear(Plain, frozen=True, forbid_unknown_fields=True):
    """A least-squares line through each artist's last `weeks` weeks (None: all), carried on; never below zero.

    The interval is the line's own prediction interval (Student's t, weeks − 2 degrees of freedom).
    """

    weeks: int | None = 11

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`, which has at least 3 weeks."""
        recent = _last(history.listened, self.weeks)
        count = recent.shape[1]
        time = np.arange(count) - (count - 1) / 2
        ahead, inertia = (count - 1) / 2 + np.arange(1, horizon + 1), (time**2).sum()
        level, slope = recent.mean(axis=1)[:, None], (recent * time).sum(axis=1)[:, None] / inertia
        residual = ((recent - level - slope * time) ** 2).sum(axis=1)[:, None]
        error = np.sqrt(residual / (count - 2) * (1 + 1 / count + ahead**2 / inertia))
        mean = level + slope * ahead
        quantiles = mean[..., None] + error[..., None] * stdtrit(count - 2, np.array(QUANTILES))
        return Forecast(np.maximum(mean, 0), np.maximum(quantiles, 0))


class Seasonal(Plain, frozen=True, forbid_unknown_fields=True):
    """Each artist's mean of the last 52 weeks times the index of the time of year, with a compound-Poisson interval.

    `index` holds, for each week of the year, all listening in it ÷ its usual amount; `ratio` is the pooled variance ÷
    mean of a week in seconds.
    """

    ratio: float
    index: list[float]

    @classmethod
    def fitted(cls, history: Series) -> Self:
        """The index of a history of at least 52 weeks: the mean over its years, smoothed over five weeks.

        A week's usual amount is the mean of the 52 weeks around it, or of those nearest to that.
        """
        total = history.listened.sum(axis=0)
        ends = np.clip(np.arange(len(total)) + SEASONS // 2, SEASONS, len(total))
        usual = np.array([total[end - SEASONS : end].mean() for end in ends])
        relative = np.divide(total, usual, out=np.ones_like(total), where=usual > 0)
        weeks = np.array([_week_of_year(week) for week in history.weeks])
        sums, counts = np.bincount(weeks, relative, SEASONS), np.bincount(weeks, minlength=SEASONS)
        around = np.arange(-NEAR, NEAR + 1) + np.arange(SEASONS)[:, None]
        smoothed = np.take(sums, around, mode="wrap").sum(axis=1) / np.take(counts, around, mode="wrap").sum(axis=1)
        return cls(pooled_ratio(history), smoothed.tolist())

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`; an artist without any listening in a year gets zeros."""
        weeks = [_week_of_year(history.weeks[-1] + WEEK * step) for step in range(1, horizon + 1)]
        recent = history.listened[:, -SEASONS:]
        mean = _repeated(recent.mean(axis=1), horizon) * np.array(self.index)[weeks]
        return compound_poisson(mean, spread_ratio(history, self.ratio) * (1 + 1 / recent.shape[1]))


def _week_of_year(week: date) -> int:
    """From 0 to 51; ISO week 53, which few years have, counts as the 52nd."""
    return min(week.isocalendar().week, SEASONS) - 1


def _last(listened: Floats, weeks: int | None) -> Floats:
    """The last `weeks` weeks, or all."""
    return listened if weeks is None else listened[:, -weeks:]


def _repeated(level: Floats, horizon: int) -> Floats:
    return np.repeat(level[:, None], horizon, axis=1)
