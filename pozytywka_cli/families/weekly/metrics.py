"""Rolling origin: each test week is forecast from the weeks before it; how far the forecasts were off."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import mean_interval, weighted_interval
from pozytywka_cli.families.weekly.model import QUANTILES, Forecast, Model
from pozytywka_cli.families.weekly.series import Floats, Series
from pozytywka_cli.records import Row

MIN_WEEKS = 4


@dataclass(frozen=True)
class Split:
    """The artists that were listened to before week number `start`, from which on every week is an origin.

    The test weeks are those that all `horizon` of these forecasts reach: from `start + horizon - 1` on.
    """

    series: Series
    start: int
    horizon: int = 1

    @property
    def past(self) -> Series:
        """All that may be known to what is measured."""
        return self.series.before(self.start)

    @property
    def tested(self) -> range:
        """The numbers of the test weeks."""
        return range(self.start + self.horizon - 1, len(self.series.weeks))

    @property
    def truth(self) -> Floats:
        """What came: (artists, test weeks), in seconds."""
        return self.series.listened[:, self.tested.start :]

    @property
    def protocols(self) -> dict[int, str]:
        """How the figures were come by, for each number of weeks ahead."""
        name = f"rolling {len(self.tested)} weeks"
        steps = range(1, self.horizon + 1)
        return {1: name} if self.horizon == 1 else {step: f"{name}, {step} ahead" for step in steps}

    def top(self, count: int) -> NDArray[np.intp]:
        """The rows of the artists with the most listening before the first origin."""
        return np.argsort(-self.past.listened.sum(axis=1), kind="stable")[:count]

    def of(self, rows: NDArray[np.intp]) -> "Split":
        """The same weeks of the artists in `rows`."""
        return replace(self, series=self.series.of(rows))


def enough(history: Series, horizon: int = 1) -> Series:
    """The same series.

    Raises:
        RefusedError: fewer than 4 full weeks; one more for each further week of the `horizon`.
    """
    needed = MIN_WEEKS + horizon - 1
    if len(history.weeks) < needed:
        farther = f" to look {horizon} weeks ahead" if horizon > 1 else ""
        problem = f"only {len(history.weeks)} full weeks of plays; weekly needs at least {needed}{farther}"
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


def least_weeks(part: int, kept: int) -> int:
    """The fewest weeks of which `part` are left when the last `kept`, or a third if that is less, are kept back."""
    return min(part + kept, 3 * (part - 1) // 2 + 1)


def kept_back(weeks: int, wanted: int) -> int:
    """How many of so many weeks are kept back: as many as are wanted, a third at most."""
    return min(wanted, weeks // 3)


def split(history: Series, test_weeks: int, horizon: int = 1) -> Split:
    """Keep the last `test_weeks` weeks, a third of all at most, for testing, and the origins that look as far as them.

    Raises:
        RefusedError: too few weeks, or no listening before the first origin.
    """
    weeks = len(enough(history, horizon).weeks) - (horizon - 1)
    start = weeks - kept_back(weeks, test_weeks)
    heard(history, start)
    return Split(history.of(np.flatnonzero(history.listened[:, :start].any(axis=1))), start, horizon)


def rolling(model: Model, given: Split) -> Forecast:
    """Every test week as it was forecast 1 to `horizon` weeks before it: (artists, test weeks, horizon)."""
    origins = range(given.start, len(given.series.weeks))
    found = [model.forecast(given.series.before(origin), given.horizon) for origin in origins]

    def of(step: int) -> Forecast:
        made = [found[week - step - given.start] for week in given.tested]
        means, quantiles = zip(*((one.mean[:, step], one.quantiles[:, step]) for one in made), strict=True)
        return Forecast(np.stack(means, axis=1), np.stack(quantiles, axis=1))

    means, quantiles = zip(*(of(step) for step in range(given.horizon)), strict=True)
    return Forecast(np.stack(means, axis=2), np.stack(quantiles, axis=2))


def errors(forecast: Forecast, given: Split) -> Floats:
    """How much more was forecast than came: (artists, test weeks, horizon), in seconds."""
    return np.asarray(forecast.mean - given.truth[:, :, None])


def rmse(forecast: Forecast, given: Split) -> float:
    """The root of the mean squared error over artists, weeks and horizons, in seconds."""
    return float(np.sqrt((errors(forecast, given) ** 2).mean()))


def figures(variant: str, forecast: Forecast, given: Split) -> list[Row]:
    """Every metric of a rolling forecast, for each number of weeks ahead."""
    return [
        Row("weekly", variant, protocol, metric, *value)
        for step, protocol in given.protocols.items()
        for metric, value in _metrics(forecast.ahead(step), given).items()
    ]


def _metrics(forecast: Forecast, given: Split) -> dict[str, tuple[float, ...]]:
    """Of one number of weeks ahead; RMSE and MAE with their intervals over resampled artists."""
    error = forecast.mean - given.truth
    absolute, squared, artists = np.abs(error).mean(axis=1), (error**2).mean(axis=1), np.arange(len(error))
    return {
        "RMSE": weighted_interval(lambda weights: float(np.sqrt(np.average(squared, weights=weights))), artists),
        "MAE": mean_interval(absolute, artists),
        "pinball": (pinball(forecast.quantiles, given.truth),),
        "coverage": (coverage(forecast.quantiles, given.truth),),
        **_relative(absolute, squared, given),
    }


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
