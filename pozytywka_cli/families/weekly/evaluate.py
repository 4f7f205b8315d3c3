"""The weekly forecasts beside their baselines, on the last weeks: none sees a week that it forecasts."""

from collections.abc import Collection
from functools import partial

import polars as pl
from msgspec import structs

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.weekly import BASELINES, VARIANTS, charts, exponential_smoothing
from pozytywka_cli.families.weekly.comparison import gains, ratios
from pozytywka_cli.families.weekly.fit import measured, missing_weeks
from pozytywka_cli.families.weekly.metrics import Split, figures, split
from pozytywka_cli.families.weekly.model import Forecast
from pozytywka_cli.families.weekly.series import series
from pozytywka_cli.records import Evaluated, Progress, Report, Row
from pozytywka_cli.settings import WeeklySettings

TOP = 200


def evaluate(dataset: Dataset, settings: WeeklySettings, *, seed: int, device: str, report: Report) -> Evaluated:
    """Every metric of every variant, on all artists and on the 200 most listened to before the test weeks.

    Variants for which there are too few weeks are left out, and so are those of an extra that is not installed.

    Raises:
        RefusedError: fewer than 4 full weeks, or nothing was listened to in the first ones.
    """
    divided = split(series(dataset, settings.measure), settings.test_weeks, settings.horizon)
    left_out = unavailable(len(divided.series.weeks), settings)
    forecasts = tested(divided, settings, left_out.keys(), seed=seed, device=device, report=report)
    top = divided.top(TOP)
    largest = {variant: forecast.of(top) for variant, forecast in forecasts.items()}
    rows = table(forecasts, divided) + table(largest, divided.of(top), f", top {TOP}")
    panels = partial(charts.panels, forecasts, divided, _names(dataset))
    notes = [f"weekly {variant} is left out: {why}" for variant, why in left_out.items()]
    if len(divided.tested) < settings.test_weeks:
        there = f"of {len(divided.series.weeks)} full weeks no more than a third is kept back"
        notes.append(f"weekly is measured on {len(divided.tested)} weeks, not {settings.test_weeks}: {there}")
    return Evaluated(rows, panels, notes)


def _names(dataset: Dataset) -> dict[str, str]:
    known = dataset.artists.filter(pl.col("name").is_not_null())
    return dict(known.select("id", "name").iter_rows())


def unavailable(weeks: int, settings: WeeklySettings) -> dict[str, str]:
    """The variants that cannot be had of so many full weeks, or without their extra, and why."""
    found = {variant: missing_weeks(variant, weeks, settings) for variant in VARIANTS}
    if not exponential_smoothing.available():
        found |= dict.fromkeys(
            exponential_smoothing.METHODS, "it needs the extra `forecast`, pip install 'pozytywka[forecast]'"
        )
    return {variant: why for variant, why in found.items() if why}


def tested(
    divided: Split, settings: WeeklySettings, left_out: Collection[str], *, seed: int, device: str, report: Report
) -> dict[str, Forecast]:
    """What each variant, fitted to the weeks before the first origin, said of the test weeks: see `rolling`."""
    found = {}
    names = [variant for variant in VARIANTS if variant not in left_out]
    for done, variant in enumerate(names, 1):
        found[variant] = measured(variant, divided, settings, seed=seed, device=device, report=report).forecast
        report(Progress("weekly variants", done, len(names)))
    return found


def table(forecasts: dict[str, Forecast], divided: Split, of: str = "") -> list[Row]:
    """The figures of every variant, their ratios, and what it gains over the best baseline.

    `of` says in each row's protocol which artists these are.
    """
    rows = [row for variant, forecast in forecasts.items() for row in figures(variant, forecast, divided)]
    rows += ratios(forecasts, divided) + gains(forecasts, divided, BASELINES)
    return [structs.replace(row, protocol=row.protocol + of) for row in rows]
