"""What the weekly forecasts look like beside what came."""

import numpy as np
import polars as pl

from pozytywka_cli.families.weekly.metrics import Split, errors
from pozytywka_cli.families.weekly.model import QUANTILES, Forecast
from pozytywka_cli.records import Panel

FANS = 6  # artists whose series are shown
SHOWN = 26  # weeks of them
CAME = "listened to"
VARIANT = "variant"
WEEK, ERROR = "week", "RMSE over all artists, seconds"
NOMINAL, OBSERVED = "quantile that was forecast", "share of weeks at or below it"
LISTENED = "seconds in the week"


def panels(forecasts: dict[str, Forecast], divided: Split, names: dict[str, str]) -> list[Panel]:
    """The error of each week, the calibration of the quantiles, and fans of the six most heard artists.

    All of it one week ahead.

    Args:
        forecasts: what each variant said of the test weeks; the fans are the first one's.
        divided: the test weeks.
        names: of artists, by their ids.
    """
    weeks, artists = len(divided.tested), len(divided.series.artist_ids)
    told = f"{artists:,} artists, one week ahead"
    variant, forecast = next(iter(forecasts.items()))
    return [
        Panel(f"Error by week, {told}", "line", weekly_errors(forecasts, divided), WEEK, ERROR, VARIANT, dots=True),
        Panel(
            f"Calibration, {weeks} weeks of {told}",
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
    """Each variant's RMSE in each test week, over artists, in seconds."""
    tested = [divided.series.weeks[week] for week in divided.tested]
    found = {name: np.sqrt((errors(said, divided)[:, :, 0] ** 2).mean(axis=0)) for name, said in forecasts.items()}
    return pl.concat(pl.DataFrame({WEEK: tested, ERROR: rmse, VARIANT: name}) for name, rmse in found.items())


def calibration(forecasts: dict[str, Forecast], divided: Split) -> pl.DataFrame:
    """How many of the weeks lie at or below each quantile of each variant: good ones as many as it says."""
    return pl.concat(
        pl.DataFrame({NOMINAL: QUANTILES, OBSERVED: below, VARIANT: name})
        for name, said in forecasts.items()
        for below in [(divided.truth[..., None] <= said.ahead(1).quantiles).mean(axis=(0, 1))]
    )


def fans(variant: str, forecast: Forecast, divided: Split) -> dict[str, pl.DataFrame]:
    """The last 26 weeks of the most heard artists, by id, and what was forecast of the test weeks among them."""
    history, mean = divided.series, forecast.ahead(1).mean
    shown = range(max(len(history.weeks) - SHOWN, 0), len(history.weeks))
    tested = [week for week in divided.tested if week in shown]
    said = forecast.ahead(1).quantiles
    found = {}
    for row in divided.top(FANS):
        kept = slice(len(divided.tested) - len(tested), None)
        fan = {LISTENED: mean[row, kept], "low": said[row, kept, 0], "high": said[row, kept, -1], VARIANT: variant}
        came = {LISTENED: history.listened[row, shown.start :], "low": None, "high": None, VARIANT: CAME}
        parts = [
            ({WEEK: [history.weeks[week] for week in of]} | values) for of, values in ((tested, fan), (shown, came))
        ]
        types = {WEEK: pl.Date, LISTENED: pl.Float64, "low": pl.Float64, "high": pl.Float64, VARIANT: pl.String}
        found[history.artist_ids[row]] = pl.concat(pl.DataFrame(part, schema=types) for part in parts)
    return found
