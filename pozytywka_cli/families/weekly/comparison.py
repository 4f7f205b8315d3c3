"""Compare forecasts of the same artists and weeks, with intervals and p-values."""

import numpy as np
from scipy.special import stdtr

from pozytywka_cli.evaluation import paired_difference, sign_flip
from pozytywka_cli.families.weekly import FAMILY
from pozytywka_cli.families.weekly.forecast import Forecast
from pozytywka_cli.families.weekly.metrics import HEADLINE, errors
from pozytywka_cli.families.weekly.series import Floats
from pozytywka_cli.families.weekly.splits import Split
from pozytywka_cli.records import Row


def comparison(forecasts: dict[str, Forecast], reference: str, divided: Split) -> list[Row]:
    """Compare every variant with the baseline and with the variant `reference`, for each number of weeks ahead.

    Returns:
        `rmse_ratio`: RMSE divided by the baseline's, where that is not zero
        `rmse_difference`: RMSE minus the reference's, in seconds (negative: better), with its 95 % interval over
            resampled artists and the p-value of a sign flip over artists
        `diebold_mariano_p_value`: the p-value of Diebold and Mariano's test over weeks, where it is defined
    """
    rows = []
    for step, protocol in divided.protocols.items():
        squared = {name: errors(forecast, divided)[:, :, step - 1] ** 2 for name, forecast in forecasts.items()}
        rmse = {name: float(np.sqrt(one.mean())) for name, one in squared.items()}
        if baseline := rmse[FAMILY.baseline]:
            rows += [
                Row("weekly", name, protocol, f"{HEADLINE}_ratio", value / baseline) for name, value in rmse.items()
            ]
        for name in (name for name in squared if name != reference):
            rows += _difference(name, protocol, squared[name], squared[reference], step)
    return rows


def _difference(variant: str, protocol: str, squared: Floats, reference: Floats, step: int) -> list[Row]:
    """Compare squared errors (artists, weeks) of forecasts `step` weeks ahead."""
    artists, difference = np.arange(len(squared)), squared - reference
    value, low, high = paired_difference(
        squared.ravel(), reference.ravel(), np.repeat(artists, squared.shape[1]), root=True
    )
    p_value = sign_flip(difference.mean(axis=1), artists)
    rows = [Row("weekly", variant, protocol, f"{HEADLINE}_difference", value, low, high, p_value)]
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
