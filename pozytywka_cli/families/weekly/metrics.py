"""The metrics of rolling forecasts, and their comparison with intervals and p-values."""

import numpy as np
from scipy.special import stdtr

from pozytywka_cli.evaluation import LOSS, Interval, mean_interval, paired_difference, sign_flip, tested
from pozytywka_cli.families.weekly import FAMILY
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


def _metrics(forecast: Forecast, divided: Split) -> dict[str, Interval]:
    """Return the metrics at one number of weeks ahead; RMSE and MAE with their intervals over artists.

    WAPE, MASE and RMSSE are left out where their scale is zero on these weeks. MASE and RMSSE divide each artist's
    error by that of "the same as last week" before the test weeks, then average over artists (Hyndman & Koehler, 2006).
    An artist who never changed has no such scale and is left out.
    """
    error, steps = forecast.mean - divided.truth, np.diff(divided.past.listened, axis=1)
    absolute, squared, artists = np.abs(error).mean(axis=1), (error**2).mean(axis=1), np.arange(len(error))
    values: dict[str, Interval] = {
        HEADLINE: mean_interval(squared, artists, root=True, limits=LOSS),
        "mae": mean_interval(absolute, artists, limits=LOSS),
        "pinball_loss": Interval(pinball_loss(forecast.quantiles, divided.truth)),
        "coverage": Interval(coverage(forecast.quantiles, divided.truth)),
    }
    if divided.truth.any():
        values["wape"] = Interval(float(absolute.mean() / divided.truth.mean()))
    if (changed := steps.any(axis=1)).any():
        values["mase"] = Interval(float((absolute[changed] / np.abs(steps[changed]).mean(axis=1)).mean()))
        values["rmsse"] = Interval(float(np.sqrt(squared[changed] / (steps[changed] ** 2).mean(axis=1)).mean()))
    return values


def pinball_loss(quantiles: Floats, truth: Floats) -> float:
    """Return the mean pinball loss over weeks and quantiles, in seconds (Koenker & Bassett, 1978)."""
    error, level = truth[..., None] - quantiles, np.array(QUANTILES)
    return float(np.maximum(level * error, (level - 1) * error).mean())


def coverage(quantiles: Floats, truth: Floats) -> float:
    """Return the share of weeks within the 80 % interval, including its ends."""
    return float(((quantiles[..., 0] <= truth) & (truth <= quantiles[..., -1])).mean())


def comparison(forecasts: dict[str, Forecast], reference: str, divided: Split) -> list[Row]:
    """Compare every variant with the baseline and with the variant `reference`, for each number of weeks ahead.

    `rmse_ratio` is RMSE divided by the baseline's, where that is not zero; `rmse_difference` is RMSE minus the
    reference's, in seconds (negative: better), with its 95 % interval over artists and the p-value of a sign flip over
    artists; `diebold_mariano_p_value` is that of their test over weeks, where it is defined.
    """
    rows = []
    for step, protocol in divided.protocols.items():
        squared = {name: errors(forecast, divided)[:, :, step - 1] ** 2 for name, forecast in forecasts.items()}
        roots = {name: float(np.sqrt(one.mean())) for name, one in squared.items()}
        if baseline := roots[FAMILY.baseline]:
            ratios = {name: root / baseline for name, root in roots.items()}
            rows += [Row("weekly", name, protocol, f"{HEADLINE}_ratio", ratio) for name, ratio in ratios.items()]
        for name in (name for name in squared if name != reference):
            rows += _difference(name, protocol, squared[name], squared[reference], step)
    return rows


def _difference(variant: str, protocol: str, squared: Floats, reference: Floats, step: int) -> list[Row]:
    """Compare squared errors (artists, weeks) of forecasts `step` weeks ahead."""
    artists, difference = np.arange(len(squared)), squared - reference
    groups = np.repeat(artists, squared.shape[1])
    interval = paired_difference(squared.ravel(), reference.ravel(), groups, root=True)
    p_value = sign_flip(difference.mean(axis=1), artists)
    rows = tested(Row("weekly", variant, protocol, f"{HEADLINE}_difference", *interval, p_value), artists)
    if (by_week := diebold_mariano(difference.mean(axis=0), step)) is not None:
        rows.append(Row("weekly", variant, protocol, "diebold_mariano_p_value", by_week))
    return rows


def diebold_mariano(difference: Floats, step: int) -> float | None:
    """Return the p-value of a mean loss difference, (weeks,), of forecasts `step` weeks ahead; None without a variance.

    Diebold & Mariano (1995), with autocovariances up to lag `step` − 1 and the small-sample correction of Harvey,
    Leybourne & Newbold (1997).
    """
    weeks, centred = len(difference), difference - difference.mean()
    covariances = [centred[lag:] @ centred[: weeks - lag] / weeks for lag in range(min(step, weeks))]
    variance = (covariances[0] + 2 * sum(covariances[1:])) / weeks
    correction = (weeks + 1 - 2 * step + step * (step - 1) / weeks) / weeks
    if variance <= 0 or correction <= 0 or weeks < 2:
        return None
    statistic = difference.mean() / np.sqrt(variance) * np.sqrt(correction)
    return float(2 * stdtr(weeks - 1, -abs(statistic)))
