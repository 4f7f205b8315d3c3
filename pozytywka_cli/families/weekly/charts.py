"""Charts of the weekly forecasts beside what was listened to."""

import numpy as np
import polars as pl

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

    All of it one week ahead.

    Args:
        forecasts: the rolling forecast of each variant; the artists' charts show the first one.
        divided: the split with the test weeks.
        names: of artists, by their ids.
    """
    weeks = len(divided.test_weeks)
    artists = f"{len(divided.series.artist_ids):,} artists, one week ahead"
    variant, forecast = next(iter(forecasts.items()))
    return [
        Panel(f"Error by week, {artists}", "line", weekly_errors(forecasts, divided), WEEK, ERROR, VARIANT, dots=True),
        Panel(
            f"Calibration, {weeks} weeks of {artists}",
            "line",
            calibration(forecasts, divided),
            NOMINAL,
            OBSERVED,
            VARIANT,
            dots=True,
            diagonal=True,
        ),
        *(
            Panel(f"{names.get(artist, artist)}, with 10 to 90 %", "band", rows, WEEK, LISTENED, VARIANT)
            for artist, rows in fans(variant, forecast, divided).items()
        ),
    ]


def weekly_errors(forecasts: dict[str, Forecast], divided: Split) -> pl.DataFrame:
    """Return each variant's RMSE in each test week, over artists, in seconds."""
    weeks = [divided.series.weeks[week] for week in divided.test_weeks]
    rmse = {name: np.sqrt((errors(one, divided)[:, :, 0] ** 2).mean(axis=0)) for name, one in forecasts.items()}
    return pl.concat(pl.DataFrame({WEEK: weeks, ERROR: values, VARIANT: name}) for name, values in rmse.items())


def calibration(forecasts: dict[str, Forecast], divided: Split) -> pl.DataFrame:
    """Return the share of weeks at or below each quantile of each variant, which is the quantile if calibrated."""
    return pl.concat(
        pl.DataFrame({NOMINAL: QUANTILES, OBSERVED: below, VARIANT: name})
        for name, one in forecasts.items()
        for below in [(divided.truth[..., None] <= one.ahead(1).quantiles).mean(axis=(0, 1))]
    )


def fans(variant: str, forecast: Forecast, divided: Split) -> dict[str, pl.DataFrame]:
    """Return the last 26 weeks of the most played artists, by id, with the forecasts of the test weeks among them."""
    history, (mean, quantiles) = divided.series, forecast.ahead(1)
    shown = range(max(len(history.weeks) - SHOWN_WEEKS, 0), len(history.weeks))
    tested = [week for week in divided.test_weeks if week in shown]
    types = {WEEK: pl.Date, LISTENED: pl.Float64, "low": pl.Float64, "high": pl.Float64, VARIANT: pl.String}
    charts = {}
    for row in divided.top(FANS):
        last = slice(len(divided.test_weeks) - len(tested), None)
        bounds = {"low": quantiles[row, last, 0], "high": quantiles[row, last, -1]}
        fan = {LISTENED: mean[row, last], **bounds, VARIANT: variant}
        actual = {LISTENED: history.listened[row, shown.start :], "low": None, "high": None, VARIANT: ACTUAL}
        parts = [
            {WEEK: [history.weeks[week] for week in weeks], **values}
            for weeks, values in ((tested, fan), (shown, actual))
        ]
        charts[history.artist_ids[row]] = pl.concat(pl.DataFrame(part, schema=types) for part in parts)
    return charts
