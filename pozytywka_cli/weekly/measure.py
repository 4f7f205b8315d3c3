"""Rolling origin: each test week is forecast from the weeks before it; how far the forecasts were off."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import mean_interval, weighted_interval
from pozytywka_cli.records import Row
from pozytywka_cli.weekly.baselines import QUANTILES, Forecast, Model
from pozytywka_cli.weekly.features import Floats, Series

MIN_WEEKS = 4


@dataclass(frozen=True)
class Split:
    """The artists that were listened to before the test weeks, which begin at week number `start`."""

    series: Series
    start: int

    @property
    def past(self) -> Series:
        """All that may be known when the first test week begins."""
        return self.series.before(self.start)

    @property
    def truth(self) -> Floats:
        """What came: (artists, test weeks), in seconds."""
        return self.series.listened[:, self.start :]

    @property
    def protocol(self) -> str:
        """How the figures were come by."""
        return f"rolling {len(self.series.weeks) - self.start} weeks"

    def top(self, count: int) -> NDArray[np.intp]:
        """The rows of the artists with the most listening before the test weeks."""
        return np.argsort(-self.past.listened.sum(axis=1), kind="stable")[:count]

    def of(self, rows: NDArray[np.intp]) -> "Split":
        """The same weeks of the artists in `rows`."""
        return Split(self.series.of(rows), self.start)


def enough(history: Series) -> Series:
    """The same series.

    Raises:
        RefusedError: fewer than 4 full weeks.
    """
    if len(history.weeks) < MIN_WEEKS:
        problem = f"only {len(history.weeks)} full weeks of plays; weekly needs at least {MIN_WEEKS}"
        raise RefusedError(problem, "Give it a longer log; a full week runs from Monday to Sunday, UTC.")
    return history


def heard(history: Series, weeks: int) -> None:
    """Check that there is a level to start from.

    Raises:
        RefusedError: nothing was listened to in the first `weeks` weeks.
    """
    if not history.listened[:, :weeks].any():
        problem = f"nothing was listened to in the {weeks} full weeks from {history.weeks[0]}"
        raise RefusedError(problem, "Give it a log without such a gap at its beginning.")


def split(history: Series, test_weeks: int) -> Split:
    """Keep the last `test_weeks` weeks, a third of all at most, for testing.

    Raises:
        RefusedError: too few weeks, or no listening before the test weeks.
    """
    weeks = len(enough(history).weeks)
    start = weeks - min(test_weeks, weeks // 3)
    heard(history, start)
    return Split(history.of(np.flatnonzero(history.listened[:, :start].any(axis=1))), start)


def rolling(model: Model, given: Split) -> Forecast:
    """One step ahead from the beginning of each test week: (artists, test weeks)."""
    weeks = range(given.start, len(given.series.weeks))
    means, quantiles = zip(*(model.forecast(given.series.before(week)) for week in weeks), strict=True)
    return Forecast(np.stack(means, axis=1), np.stack(quantiles, axis=1))


def rmse(forecast: Forecast, given: Split) -> float:
    """The root of the mean squared error over artists and weeks, in seconds."""
    return float(np.sqrt(((forecast.mean - given.truth) ** 2).mean()))


def figures(variant: str, protocol: str, forecast: Forecast, given: Split) -> list[Row]:
    """Every metric of a rolling forecast, RMSE and MAE with their intervals over resampled artists."""
    error = forecast.mean - given.truth
    absolute, squared, artists = np.abs(error).mean(axis=1), (error**2).mean(axis=1), np.arange(len(error))
    found: dict[str, tuple[float, ...]] = {
        "RMSE": weighted_interval(lambda weights: float(np.sqrt(np.average(squared, weights=weights))), artists),
        "MAE": mean_interval(absolute, artists),
        "pinball": (pinball(forecast.quantiles, given.truth),),
        "coverage": (coverage(forecast.quantiles, given.truth),),
        **_relative(absolute, squared, given),
    }
    return [Row("weekly", variant, protocol, metric, *value) for metric, value in found.items()]


def _relative(absolute: Floats, squared: Floats, given: Split) -> dict[str, tuple[float]]:
    """WAPE, MASE and RMSSE; one whose scale is zero on these weeks is left out.

    MASE and RMSSE divide each artist's error by that of "as last week" before the test weeks, then average over artists
    (Hyndman & Koehler, 2006); an artist that never changed has no such scale and is left out.
    """
    found, steps = {}, np.diff(given.past.listened, axis=1)
    moved = steps.any(axis=1)
    if given.truth.any():
        found["WAPE"] = (float(absolute.mean() / given.truth.mean()),)
    if moved.any():
        found["MASE"] = (float((absolute[moved] / np.abs(steps[moved]).mean(axis=1)).mean()),)
        found["RMSSE"] = (float(np.sqrt(squared[moved] / (steps[moved] ** 2).mean(axis=1)).mean()),)
    return found


def pinball(quantiles: Floats, truth: Floats) -> float:
    """The mean pinball loss over weeks and quantiles, in seconds (Koenker & Bassett, 1978)."""
    error, level = truth[..., None] - quantiles, np.array(QUANTILES)
    return float(np.maximum(level * error, (level - 1) * error).mean())


def coverage(quantiles: Floats, truth: Floats) -> float:
    """The share of weeks within the 80 % interval, its ends included."""
    return float(((quantiles[..., 0] <= truth) & (truth <= quantiles[..., -1])).mean())
