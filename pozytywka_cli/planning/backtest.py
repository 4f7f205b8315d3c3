"""Backtest plans: compare the pay-outs of past weeks, planned without them, with pay-outs by actual listening."""

import msgspec
import numpy as np
from msgspec import structs

from pozytywka_cli.artifacts.manifest import Manifest
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.weekly.models.fit import measure, too_little_history
from pozytywka_cli.families.weekly.series import Series
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.splits import Split, split
from pozytywka_cli.families.weekly.trends import trends
from pozytywka_cli.planning.payouts import CENTS, Cents, Floats, Rule, payouts
from pozytywka_cli.records import Progress, Report

WEEKS = 13
PLAN = "the plan"
BASELINES = {"last": "last week", "mean4": "mean of 4 weeks", "mean": "mean of all weeks"}


class Backtest(msgspec.Struct, frozen=True):
    """The errors of the pay-outs to `artists` over `weeks` weeks, in money: `by` the plan, or by a baseline.

    absolute_error: the mean over weeks and artists of how much an artist gets too much or too little
    misallocated: what goes to the wrong artists in an average week, which is half the sum of those errors
    """

    by: str
    weeks: int
    artists: int
    absolute_error: float
    misallocated: float


def backtest(manifest: Manifest, history: Series, rule: Rule, report: Report) -> list[Backtest]:
    """Return the errors of the plan, and of paying by the last week, the last 4 and all, over the last 13 weeks.

    The pay-outs of `plans` are compared with the same budget divided by actual listening, under the same floor and cap
    but without premium and cut.

    Raises:
        RefusedError: there are too few weeks for the variant, or the rule cannot pay so few artists.
    """
    divided = split(history, WEEKS)
    actual = _paid(rule, divided.truth)
    return [_errors(by, planned, actual) for by, planned in plans(manifest, divided, rule, report).items()]


def plans(manifest: Manifest, divided: Split, rule: Rule, report: Report) -> dict[str, Cents]:
    """Return what the plan and the baselines would have paid in each test week: (artists, weeks) each.

    The version's variant is fitted again, with its settings and seed, to the weeks before all test weeks (a third of
    the log at most); each test week's forecast and trends come from the weeks before it. The artists are those with
    listening before all test weeks. Only the plan has the premium and the cut.

    Raises:
        RefusedError: see `backtest`.
    """
    pay_outs = {}
    for done, (variant, by) in enumerate(((manifest.variant, PLAN), *BASELINES.items()), 1):
        forecast = _forecast(variant, manifest, divided, report)
        pay_outs[by] = _planned(rule, forecast, divided) if by == PLAN else _paid(rule, forecast)
        report(Progress("backtest", done, 1 + len(BASELINES)))
    return pay_outs


def _forecast(variant: str, manifest: Manifest, divided: Split, report: Report) -> Floats:
    """Return the variant's forecasts of each test week one week ahead: (artists, weeks), in seconds."""
    settings = structs.replace(msgspec.convert(manifest.settings, WeeklySettings), test_weeks=WEEKS)
    if missing := too_little_history(variant, len(divided.series.weeks), settings, ahead=divided.horizon):
        raise RefusedError(missing, "Use a longer log.")
    forecast, _ = measure(variant, divided, TrainingRun(settings, variant, manifest.seed, progress=report))
    return forecast.ahead(1).mean


def _planned(rule: Rule, forecast: Floats, divided: Split) -> Cents:
    weights = [
        rule.weights(of_week, trends(divided.series.before(week)))
        for week, of_week in zip(divided.test_weeks, forecast.T, strict=True)
    ]
    return _paid(rule, np.stack(weights, axis=1))


def _paid(rule: Rule, weights: Floats) -> Cents:
    """Divide the budget in each week by these weights, whatever the trends are: (artists, weeks)."""
    return np.stack([payouts(rule, week) for week in weights.T], axis=1)


def _errors(by: str, planned: Cents, actual: Cents) -> Backtest:
    error = np.abs(planned - actual) / CENTS
    artists, weeks = error.shape
    return Backtest(by, weeks, artists, float(error.mean()), float(error.sum() / 2 / weeks))
