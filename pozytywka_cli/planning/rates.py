"""Divide a budget among artists by next week's forecast, and backtest such plans on past weeks."""

from dataclasses import dataclass, field

import msgspec
import numpy as np
import polars as pl
from msgspec import structs

from pozytywka_cli.artifacts import Manifest, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.weekly.models.fit import measure, unavailable
from pozytywka_cli.families.weekly.predict import WeeklyPredictor
from pozytywka_cli.families.weekly.series import Floats, Series
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.splits import Split, split
from pozytywka_cli.families.weekly.trends import trends
from pozytywka_cli.planning.payouts import CENTS, Cents, Rule, payouts, require_weight
from pozytywka_cli.records import Progress, Report

WEEKS = 13
PLAN = "the plan"
BASELINES = {"last week": "last", "mean of 4 weeks": "mean4", "mean of all weeks": "mean"}


class Backtest(msgspec.Struct, frozen=True):
    """The errors of the pay-outs to `artists` over `weeks` weeks, in money: `by` the plan, or by a baseline."""

    by: str
    weeks: int
    artists: int
    absolute_error: float  # the mean over weeks and artists of how much an artist gets too much or too little
    misallocated: float  # what goes to the wrong artists in an average week, which is half the sum of those errors


@dataclass(frozen=True)
class Rates:
    """The plan of one week.

    rows: artist_id, name, week (the Monday of the week that is paid for), forecast (s), trend, share (of the budget)
        and payout (money), sorted by artist_id
    """

    rows: pl.DataFrame
    method: str  # the variant that made the forecast, and whether it is a fallback
    backtest: list[Backtest]
    notes: list[str] = field(default_factory=list)  # why there is no backtest


def rates(version: Version, dataset: Dataset, rule: Rule, report: Report) -> Rates:
    """Divide the budget by a weekly version's forecast of next week: see `payouts`.

    Raises:
        RefusedError: there are fewer than 4 full weeks of plays, the version does not forecast total listening, every
            forecast is 0, or the rule cannot pay these artists.
        UsageError: the floor is above the cap.
        UnavailableError: the version needs an extra that is not installed.
    """
    if version.manifest.settings.get("measure", "total") != "total":
        problem = f"weekly {version.name} forecasts the mean listen, which does not show how much was listened to"
        raise RefusedError(problem, "Train one that forecasts total listening: `pozytywka train weekly`.")
    predictor = WeeklyPredictor.open(version, dataset)
    forecast = predictor.predict(predictor.default_requests().with_columns(horizon=1)).sort("artist_id")
    weights = rule.weights(forecast["mean"].to_numpy(), forecast["trend"].to_numpy())
    require_weight(weights)
    paid = payouts(rule, weights)
    amounts = {"share": pl.Series(paid / rule.budget), "payout": pl.Series(paid / CENTS)}
    rows = forecast.select("artist_id", "name", "week", pl.col("mean").alias("forecast"), "trend", **amounts)
    method = forecast["method"][0]
    try:
        return Rates(rows, method, backtest(version.manifest, predictor.history, rule, report))
    except RefusedError as error:
        return Rates(rows, method, [], [f"There is no backtest: {error.message}."])


def backtest(manifest: Manifest, history: Series, rule: Rule, report: Report) -> list[Backtest]:
    """Return the errors of the plan, and of paying by the last week, the last 4 and all, over the last 13 weeks.

    The pay-outs of `plans` are compared with the same budget divided by actual listening, under the same floor and cap
    but without premium and cut. Too few weeks for the variant, or artists for the rule, raise a RefusedError.
    """
    divided = split(history, WEEKS)
    actual, (artists, weeks) = _paid(rule, divided.truth), divided.truth.shape
    planned = plans(manifest, divided, rule, report)
    errors = {by: np.abs(paid - actual) / CENTS for by, paid in planned.items()}
    return [Backtest(by, weeks, artists, float(e.mean()), float(e.sum() / 2 / weeks)) for by, e in errors.items()]


def plans(manifest: Manifest, divided: Split, rule: Rule, report: Report) -> dict[str, Cents]:
    """Return what the plan and the baselines would have paid in each test week: (artists, weeks) each.

    The version's variant is fitted again, with its settings and seed, to the weeks before all test weeks (a third of
    the log at most); each test week's forecast and trends come from the weeks before it. The artists are those with
    listening before all test weeks. Only the plan has the premium and the cut. For errors see `backtest`.
    """
    settings = structs.replace(msgspec.convert(manifest.settings, WeeklySettings), test_weeks=WEEKS)
    if missing := unavailable(manifest.variant, len(divided.series.weeks), settings, ahead=divided.horizon):
        raise RefusedError(missing, "Use a longer log.")
    pay_outs = {}
    for done, (by, variant) in enumerate({PLAN: manifest.variant, **BASELINES}.items(), 1):
        forecast, _ = measure(variant, divided, TrainingRun(settings, variant, manifest.seed, progress=report))
        weights = forecast.ahead(1).mean
        if by == PLAN:
            changes = [trends(divided.series.before(week)) for week in divided.test_weeks]
            weights = rule.weights(weights, np.stack(changes, axis=1))
        pay_outs[by] = _paid(rule, weights)
        report(Progress("backtest", done, 1 + len(BASELINES)))
    return pay_outs


def _paid(rule: Rule, weights: Floats) -> Cents:
    """Divide the budget in each week by these weights, whatever the trends are: (artists, weeks)."""
    return np.stack([payouts(rule, week) for week in weights.T], axis=1)
