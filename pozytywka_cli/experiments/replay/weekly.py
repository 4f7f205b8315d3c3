"""Replay forecasts of artists' weeks: the last full weeks, each forecast from the weeks before it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time

import numpy as np
from msgspec import structs

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError, UsageError
from pozytywka_cli.evaluation import LOSS, SHARE, Floats
from pozytywka_cli.experiments.replay.comparison import Measure, Measured, mean, root
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.weekly.models.fit import measure as forecast
from pozytywka_cli.families.weekly.models.fit import unavailable
from pozytywka_cli.families.weekly.series import series
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.splits import Split, split

DAYS = 7


def measure(dataset: Dataset, runs: Mapping[str, TrainingRun], days: int) -> Measured:
    """Forecast the full weeks among the last days by models that were fitted to the weeks before them.

    Raises:
        UsageError: there is no week among so few days, or the models forecast different measures.
        RefusedError: the log is too short for a model.
    """
    weeks = days // DAYS
    if not weeks:
        raise UsageError(f"there is no full week in {days} days", "Take more: --days 28.")
    own = {model: run.settings_as(WeeklySettings) for model, run in runs.items()}
    settings = {model: structs.replace(one, test_weeks=weeks) for model, one in own.items()}
    if len(measures := {one.measure for one in own.values()}) > 1:
        raise UsageError(f"the models forecast different measures: {', '.join(sorted(measures))}", "Compare like.")
    divided = split(series(dataset, measures.pop()), weeks)
    means = {}
    for model, run in runs.items():
        if reason := unavailable(run.variant, len(divided.series.weeks), settings[model], ahead=divided.horizon):
            raise RefusedError(f"{model}: {reason}", "Use a longer log, or fewer days (--days).")
        made, _ = forecast(run.variant, divided, replace(run, settings=settings[model]))
        means[model] = made.ahead(1).mean
    since = datetime.combine(divided.series.weeks[divided.test_weeks.start], time(), UTC)
    artists, tested = divided.truth.shape
    notes = [f"At most a third of the weeks is held out: {tested}."] * (tested < weeks)
    return Measured(since, np.repeat(np.arange(artists), tested), _measures(means, divided), notes)


def _measures(means: Mapping[str, Floats], divided: Split) -> list[Measure]:
    """Return errors in seconds, and the share of the money that a pay-out in proportion gives to the wrong artists."""
    errors = {model: (one - divided.truth).ravel() for model, one in means.items()}
    due = _shares(divided.truth)
    # the sum over artists of what one gets too much, as a mean over the rows of artists and weeks
    wrong = {model: np.abs(_shares(one) - due).ravel() * len(due) / 2 for model, one in means.items()}
    return [
        Measure("rmse", {model: [one**2] for model, one in errors.items()}, root, LOSS),
        Measure("mae", {model: [np.abs(one)] for model, one in errors.items()}, mean, LOSS),
        Measure("misallocated_share", {model: [one] for model, one in wrong.items()}, mean, SHARE),
    ]


def _shares(seconds: Floats) -> Floats:
    """Return each artist's share of a week, (artists, weeks); 0 of a week without any listening."""
    total = np.broadcast_to(seconds.sum(axis=0), seconds.shape)
    shares: Floats = np.divide(seconds, total, out=np.zeros(seconds.shape), where=total > 0)
    return shares
