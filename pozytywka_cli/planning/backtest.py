"""How far plans would have been off from paying by what was listened to: none sees a week that it pays for."""

from dataclasses import replace

import msgspec
import numpy as np
from msgspec import structs

from pozytywka_cli.artifacts.manifest import Manifest
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.weekly.fit import measured, missing_weeks
from pozytywka_cli.families.weekly.metrics import Split, split
from pozytywka_cli.families.weekly.series import Series
from pozytywka_cli.families.weekly.trends import verdicts
from pozytywka_cli.planning.payouts import CENTS, Cents, Floats, Rule, payouts
from pozytywka_cli.records import Progress, Report
from pozytywka_cli.settings import WeeklySettings

WEEKS = 13
PLAN = "the plan"
PLAIN = {"last": "last week", "mean4": "mean of 4 weeks", "mean": "mean of all weeks"}


class Backtested(msgspec.Struct, frozen=True):
    """How far the pay-outs to `artists` were off over `weeks` weeks, in money: `by` the plan, or by a plain rule.

    `absolute_error` is by how much an artist got too much or too little, on average over weeks and artists;
    `misallocated` is what went to the wrong artists in a week on average: half the sum of those errors.
    """

    by: str
    weeks: int
    artists: int
    absolute_error: float
    misallocated: float


def backtest(manifest: Manifest, history: Series, rule: Rule, report: Report) -> list[Backtested]:
    """The errors of the plan, and of paying by the last week, the last 4 and all, over the last 13 weeks.

    The pay-outs of `plans` are held against the same budget divided by what was really listened to, under the same
    floor and cap but without premium and cut.

    Raises:
        RefusedError: there are too few weeks for the variant, or the rule cannot pay so few artists.
    """
    divided = split(history, WEEKS)
    came = _paid(plain(rule), divided.truth)
    return [_errors(by, made, came) for by, made in plans(manifest, divided, rule, report).items()]


def plans(manifest: Manifest, divided: Split, rule: Rule, report: Report) -> dict[str, Cents]:
    """What would have been paid in each test week by the plan and by the plain rules: (artists, weeks) each.

    The variant that serves is fitted anew, with its settings and seed, to the weeks before all of those (a third of the
    log at most); each is then forecast, and the verdicts are given, from the weeks before it. Paid are the artists
    heard before all of them. The plan alone has the premium and the cut.

    Raises:
        RefusedError: see `backtest`.
    """
    found = {}
    for done, (variant, by) in enumerate(((manifest.variant, PLAN), *PLAIN.items()), 1):
        forecast = _forecast(variant, manifest, divided, report)
        found[by] = _planned(rule, forecast, divided) if by == PLAN else _paid(plain(rule), forecast)
        report(Progress("backtest", done, 1 + len(PLAIN)))
    return found


def plain(rule: Rule) -> Rule:
    """The rule without premium and cut."""
    return replace(rule, premium=0.0, cut=0.0)


def _forecast(variant: str, manifest: Manifest, divided: Split, report: Report) -> Floats:
    """What the variant says of each test week the week before: (artists, weeks), in seconds."""
    settings = structs.replace(msgspec.convert(manifest.settings, WeeklySettings), test_weeks=WEEKS)
    if missing := missing_weeks(variant, len(divided.series.weeks), settings, ahead=divided.horizon):
        raise RefusedError(missing, "Give it a longer log.")
    found = measured(variant, divided, settings, seed=manifest.seed, device="cpu", report=report)
    return found.forecast.ahead(1).mean


def _planned(rule: Rule, forecast: Floats, divided: Split) -> Cents:
    weights = [
        rule.weights(said, verdicts(divided.series.before(week)))
        for week, said in zip(divided.tested, forecast.T, strict=True)
    ]
    return _paid(rule, np.stack(weights, axis=1))


def _paid(rule: Rule, weights: Floats) -> Cents:
    """The budget divided in each week: (artists, weeks)."""
    return np.stack([payouts(rule, week) for week in weights.T], axis=1)


def _errors(by: str, made: Cents, came: Cents) -> Backtested:
    apart = np.abs(made - came) / CENTS
    artists, weeks = apart.shape
    return Backtested(by, weeks, artists, float(apart.mean()), float(apart.sum() / 2 / weeks))
