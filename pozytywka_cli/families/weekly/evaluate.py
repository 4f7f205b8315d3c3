"""Evaluation: every variant on the last weeks, each week forecast from the weeks before it."""

from collections.abc import Collection
from dataclasses import replace
from functools import partial

from msgspec import structs

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.family import Evaluated, TrainingRun
from pozytywka_cli.families.weekly import FAMILY, charts
from pozytywka_cli.families.weekly.forecast import Forecast
from pozytywka_cli.families.weekly.metrics import comparison, metrics
from pozytywka_cli.families.weekly.models.champion import choose
from pozytywka_cli.families.weekly.models.fit import measure, unavailable
from pozytywka_cli.families.weekly.series import series
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.splits import Split, split
from pozytywka_cli.records import Progress, Row

TOP = 200


def evaluate(dataset: Dataset, run: TrainingRun) -> Evaluated:
    """Measure every variant on all artists, and on the 200 with the most listening before the test weeks.

    Variants are left out for which there are too few weeks, or whose extra is not installed. If that is `run.variant`,
    the others are compared with the baseline in its place. Less than `split` needs raises a RefusedError.
    """
    settings = run.settings_as(WeeklySettings)
    divided = split(series(dataset, settings.measure), settings.test_weeks, settings.horizon)
    weeks, tested = len(divided.series.weeks), len(divided.test_weeks)
    reasons = {variant: unavailable(variant, weeks, settings) for variant in FAMILY.variants}
    left_out = {variant: reason for variant, reason in reasons.items() if reason}
    forecasts = rolling_forecasts(divided, run, left_out.keys())
    reference = FAMILY.baseline if run.variant in left_out else run.variant
    rows, top = table(forecasts, reference, divided), divided.top(TOP)
    largest = {variant: Forecast(*(part[top] for part in forecast)) for variant, forecast in forecasts.items()}
    rows += table(largest, reference, replace(divided, series=divided.series.of(top)), f", top {TOP}")
    notes = [f"weekly {variant} is left out: {reason}" for variant, reason in left_out.items()]
    if tested < settings.test_weeks:
        reason = f"at most a third of the {weeks} full weeks is held out"
        notes.append(f"weekly is tested on {tested} weeks, not {settings.test_weeks}: {reason}")
    chosen = choose(divided, run)
    names = dict(dataset.artists.drop_nulls("name").select("id", "name").iter_rows())
    return Evaluated(rows + chosen.rows, partial(charts.panels, forecasts, divided, names), notes + chosen.notes)


def rolling_forecasts(divided: Split, run: TrainingRun, left_out: Collection[str]) -> dict[str, Forecast]:
    """Fit each variant to the training weeks, and return its forecasts of the test weeks."""
    forecasts = {}
    names = [variant for variant in FAMILY.variants if variant not in left_out]
    for done, variant in enumerate(names, 1):
        forecasts[variant], _ = measure(variant, divided, run)
        run.progress(Progress("weekly variants", done, len(names)))
    return forecasts


def table(forecasts: dict[str, Forecast], reference: str, divided: Split, artists: str = "") -> list[Row]:
    """Return the metrics of every variant and its comparisons; `artists` is added to the name of the protocol."""
    rows = [row for variant, forecast in forecasts.items() for row in metrics(variant, forecast, divided)]
    rows += comparison(forecasts, reference, divided)
    return [structs.replace(row, protocol=row.protocol + artists) for row in rows]
