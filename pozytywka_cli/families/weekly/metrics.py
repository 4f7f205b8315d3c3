"""The metrics of a rolling forecast."""

import numpy as np

from pozytywka_cli.evaluation import mean_interval, weighted_interval
from pozytywka_cli.families.weekly.forecast import QUANTILES, Forecast
from pozytywka_cli.families.weekly.series import Floats
from pozytywka_cli.families.weekly.splits import Split
from pozytywka_cli.records import Row

HEADLINE = "rmse"


def errors(forecast: Forecast, divided: Split) -> Floats:
    """Return forecast minus truth: (artists, test weeks, horizon), in seconds."""
    return np.asarray(forecast.mean - divided.truth[:, :, None])


def rmse(forecast: Forecast, divided: Split) -> float:
    """Return the root mean squared error over artists, weeks and horizons, in seconds."""
    return float(np.sqrt((errors(forecast, divided) ** 2).mean()))


def metrics(variant: str, forecast: Forecast, divided: Split) -> list[Row]:
    """Return every metric of a rolling forecast, for each number of weeks ahead."""
    return [
        Row("weekly", variant, protocol, metric, *value)
        for step, protocol in divided.protocols.items()
        for metric, value in _metrics(forecast.ahead(step), divided).items()
    ]


def _metrics(forecast: Forecast, divided: Split) -> dict[str, tuple[float, ...]]:
    """Return the metrics at one number of weeks ahead; RMSE and MAE with their intervals over resampled artists."""
    error = forecast.mean - divided.truth
    absolute, squared, artists = np.abs(error).mean(axis=1), (error**2).mean(axis=1), np.arange(len(error))
    return {
        HEADLINE: weighted_interval(lambda weights: float(np.sqrt(np.average(squared, weights=weights))), artists),
        "mae": mean_interval(absolute, artists),
        "pinball_loss": (pinball_loss(forecast.quantiles, divided.truth),),
        "coverage": (coverage(forecast.quantiles, divided.truth),),
        **_relative(absolute, squared, divided),
    }


def _relative(absolute: Floats, squared: Floats, divided: Split) -> dict[str, tuple[float]]:
    """Return WAPE, MASE and RMSSE, without those whose scale is zero on these weeks.

    MASE and RMSSE divide each artist's error by that of "the same as last week" before the test weeks, then average
    over artists (Hyndman & Koehler, 2006). An artist who never changed has no such scale and is left out.
    """
    relative, steps = {}, np.diff(divided.past.listened, axis=1)
    changed = steps.any(axis=1)
    if divided.truth.any():
        relative["wape"] = (float(absolute.mean() / divided.truth.mean()),)
    if changed.any():
        relative["mase"] = (float((absolute[changed] / np.abs(steps[changed]).mean(axis=1)).mean()),)
        relative["rmsse"] = (float(np.sqrt(squared[changed] / (steps[changed] ** 2).mean(axis=1)).mean()),)
    return relative


def pinball_loss(quantiles: Floats, truth: Floats) -> float:
    """Return the mean pinball loss over weeks and quantiles, in seconds (Koenker & Bassett, 1978)."""
    error, level = truth[..., None] - quantiles, np.array(QUANTILES)
    return float(np.maximum(level * error, (level - 1) * error).mean())


def coverage(quantiles: Floats, truth: Floats) -> float:
    """Return the share of weeks within the 80 % interval, including its ends."""
    return float(((quantiles[..., 0] <= truth) & (truth <= quantiles[..., -1])).mean())
