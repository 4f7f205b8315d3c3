"""Is one forecast better than another? On the same artists and weeks, with what chance allows."""

import numpy as np
from scipy.special import stdtr

from pozytywka_cli.evaluation import paired_difference, sign_flip
from pozytywka_cli.families.weekly import BASELINE, VARIANTS
from pozytywka_cli.families.weekly.metrics import Split, errors
from pozytywka_cli.families.weekly.model import Forecast
from pozytywka_cli.families.weekly.series import Floats
from pozytywka_cli.records import Row

NETWORK = VARIANTS[0]


def ratios(forecasts: dict[str, Forecast], given: Split) -> list[Row]:
    """Each variant's RMSE as a multiple of the mean's, and the LSTM's as a multiple of it, where they are not zero."""
    rows = []
    for step, protocol in given.protocols.items():
        found = {name: float(np.sqrt(squared.mean())) for name, squared in _squared(forecasts, given, step).items()}
        for variant, value in found.items():
            if plain := found[BASELINE]:
                rows.append(Row("weekly", variant, protocol, f"RMSE ÷ {BASELINE}", value / plain))
            if value and NETWORK in found:
                rows.append(Row("weekly", variant, protocol, f"RMSE of {NETWORK} ÷ its", found[NETWORK] / value))
    return rows


def gains(forecasts: dict[str, Forecast], given: Split, baselines: tuple[str, ...]) -> list[Row]:
    """What every variant gains over the baseline with the lowest RMSE, for each number of weeks ahead.

    The difference of RMSE in seconds (below zero: better) with its 95 % interval over resampled artists, and two
    p-values: of a sign flip over artists, and of Diebold and Mariano's test over weeks, where that has one.
    """
    rows = []
    for step, protocol in given.protocols.items():
        squared = _squared(forecasts, given, step)
        best = min((name for name in baselines if name in squared), key=lambda name: float(squared[name].mean()))
        for variant in (name for name in squared if name != best):
            found = difference(squared[variant], squared[best], step)
            names = (f"RMSE - {best}", f"p of RMSE - {best}", f"p by week of RMSE - {best}")
            rows += [Row("weekly", variant, protocol, name, *value) for name, value in zip(names, found, strict=False)]
    return rows


def _squared(forecasts: dict[str, Forecast], given: Split, step: int) -> dict[str, Floats]:
    return {name: errors(forecast, given)[:, :, step - 1] ** 2 for name, forecast in forecasts.items()}


def difference(ours: Floats, theirs: Floats, step: int) -> list[tuple[float, ...]]:
    """Of squared errors (artists, weeks), of forecasts `step` weeks ahead: see `gains`."""
    apart = (ours - theirs).mean(axis=1)
    found: list[tuple[float, ...]] = [rmse_difference(ours, theirs), (sign_flip(apart, np.arange(len(apart))),)]
    p = diebold_mariano((ours - theirs).mean(axis=0), step)
    return found if p is None else [*found, (p,)]


def rmse_difference(ours: Floats, theirs: Floats) -> tuple[float, float, float]:
    """The difference of root mean squared errors, (artists, …), with its 95 % interval over resampled artists."""
    artists = np.repeat(np.arange(len(ours)), ours[0].size)
    return paired_difference(ours.ravel(), theirs.ravel(), artists, root=True)


def diebold_mariano(difference: Floats, step: int) -> float | None:
    """The p-value of a mean loss difference, (weeks,), of forecasts `step` weeks ahead; None without a variance.

    Diebold & Mariano (1995), with autocovariances up to lag `step` − 1 and the correction for few weeks of Harvey,
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
