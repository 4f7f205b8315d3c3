"""Charts of the weekly forecasts beside what was listened to."""

import numpy as np
import polars as pl

from pozytywka_cli.catalogue.names import shorten
from pozytywka_cli.families.weekly.forecast import QUANTILES, Forecast
from pozytywka_cli.families.weekly.metrics import errors
from pozytywka_cli.families.weekly.splits import Split
from pozytywka_cli.records import Panel

FANS = 6  # artists with a chart of their own
SHOWN_WEEKS = 26  # of each artist
ACTUAL = "actual"
VARIANT = "variant"
WEEK, ERROR = "week", "RMSE over all artists, seconds"
NOMINAL, OBSERVED = "forecast quantile", "share of weeks at or below it"
LISTENED = "seconds in the week"


def panels(forecasts: dict[str, Forecast], divided: Split, names: dict[str, str]) -> list[Panel]:
    """Return charts of the error by week, the calibration of the quantiles, and the forecasts of six artists.

    All of it is one week ahead. The artists' charts show the first of the forecasts; `names` are by artists' ids.
    """
    artists = f"{len(divided.series.artist_ids):,} artists"
    error = f"Error by week, {artists}, one week ahead"
    quantiles = f"Calibration, {len(divided.test_weeks)} weeks of {artists}, one week ahead"
    return [
        Panel(error, "line", weekly_errors(forecasts, divided), WEEK, ERROR, VARIANT, dots=True),
        Panel(quantiles, "line", calibration(forecasts, divided), NOMINAL, OBSERVED, VARIANT, dots=True, diagonal=True),
        *(
            Panel(f"{shorten(names.get(artist, artist))}, with 10 to 90 %", "band", rows, WEEK, LISTENED, VARIANT)
            for artist, rows in fans(*next(iter(forecasts.items())), divided).items()
        ),
    ]


def weekly_errors(forecasts: dict[str, Forecast], divided: Split) -> pl.DataFrame:
    """Return each variant's RMSE in each test week, over artists, in seconds."""
    weeks = [divided.series.weeks[week] for week in divided.test_weeks]
    rmse = {name: np.sqrt((errors(one, divided)[:, :, 0] ** 2).mean(axis=0)) for name, one in forecasts.items()}
    return pl.concat(pl.DataFrame({WEEK: weeks, ERROR: values, VARIANT: name}) for name, values in rmse.items())


def calibration(forecasts: dict[str, Forecast], divided: Split) -> pl.DataFrame:
    """Return the share of weeks at or below each quantile of each variant, which is the quantile if calibrated."""
    below = {name: divided.truth[..., None] <= forecast.ahead(1).quantiles for name, forecast in forecasts.items()}
    return pl.concat(
        pl.DataFrame({NOMINAL: QUANTILES, OBSERVED: weeks.mean(axis=(0, 1)), VARIANT: name})
        for name, weeks in below.items()
    )


def fans(variant: str, forecast: Forecast, divided: Split) -> dict[str, pl.DataFrame]:
    """Return the last 26 weeks of the most played artists, by id, with the forecasts of the test weeks among them."""
    history, (mean, quantiles) = divided.series, forecast.ahead(1)
    shown = history.weeks[-SHOWN_WEEKS:]
    tested = shown[-len(divided.test_weeks) :]
    types = {WEEK: pl.Date, LISTENED: pl.Float64, "low": pl.Float64, "high": pl.Float64, VARIANT: pl.String}
    charts = {}
    for row in divided.top(FANS):
        low, _, high = quantiles[row, -len(tested) :].T
        fan = (tested, mean[row, -len(tested) :], low, high, variant)
        actual = (shown, history.listened[row, -len(shown) :], None, None, ACTUAL)
        parts = (pl.DataFrame(dict(zip(types, part, strict=True)), schema=types) for part in (fan, actual))
        charts[history.artist_ids[row]] = pl.concat(parts)
    return charts
