"""Training: measure a variant beside the baseline on the last weeks, then fit it on all weeks."""

from dataclasses import replace

import numpy as np

from pozytywka_cli import evaluation, learning
from pozytywka_cli.artifacts import Draft
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.family import Trained, TrainingRun
from pozytywka_cli.families.weekly import FAMILY, card
from pozytywka_cli.families.weekly.forecast import Forecast, Model
from pozytywka_cli.families.weekly.metrics import HEADLINE, errors, metrics, rmse
from pozytywka_cli.families.weekly.models.baselines import require
from pozytywka_cli.families.weekly.models.fit import fit, measure, unavailable, window_length
from pozytywka_cli.families.weekly.series import series
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.splits import Split, split
from pozytywka_cli.records import Gate

MARGIN = 0.005  # of the baseline's RMSE
QUANTILES = "float64 (artists, horizon, 3), s: 10, 50 and 90 %"
SIGNATURE = {
    "inputs": {"listened": "float64 (artists, weeks), s", "squares": "float64 (artists, weeks), s²"},
    "outputs": {"mean": "float64 (artists, horizon), s", "quantiles": QUANTILES},
}


def train(dataset: Dataset, run: TrainingRun) -> Trained:
    """Measure a variant beside the mean on the last weeks, and fit it on all weeks.

    With too few full weeks for the variant (the LSTM needs 20) the mean of all weeks is its fallback.

    Raises:
        RefusedError: there are fewer than 4 full weeks, or nothing was listened to in the first ones.
        UnavailableError: the variant needs an extra that is not installed.
    """
    require(run.variant)
    settings = run.settings_as(WeeklySettings)
    history = series(dataset, settings.measure)
    weeks, divided = len(history.weeks), split(history, settings.test_weeks, settings.horizon)

    baseline_forecast, _ = measure(FAMILY.baseline, divided, run)
    fitted, _ = fit(FAMILY.baseline, history, run, log_weeks=weeks)
    baseline = _draft(FAMILY.baseline, fitted, divided, baseline_forecast)
    if run.variant == FAMILY.baseline:
        return Trained(baseline, baseline)
    if missing := unavailable(run.variant, weeks, settings):
        note = f"the mean of all weeks is used in place of {run.variant}: {missing}"
        return Trained(replace(baseline, fallback_for=run.variant, notes=[note]), baseline)

    forecast, epochs = measure(run.variant, divided, run)
    best = max((epoch.epoch for epoch in epochs if epoch.best), default=0)
    fitted, _ = fit(run.variant, history, run, log_weeks=weeks, stop_after=best)

    model = _draft(run.variant, fitted, divided, forecast)
    window = window_length(weeks, settings)
    limited = run.variant == "lstm" and window < settings.window
    note = f"only {weeks} full weeks of plays: the LSTM reads {window} weeks, not {settings.window}"
    model = replace(
        model,
        metrics=model.metrics + baseline.metrics,
        gate=_gate(forecast, baseline_forecast, divided),
        notes=[note] * limited,
        limited=limited,
        epochs=learning.epoch_records(epochs),
    )
    return Trained(model, baseline)


def _draft(variant: str, fitted: Model, divided: Split, forecast: Forecast) -> Draft:
    return Draft(variant, fitted.save, SIGNATURE, metrics(variant, forecast, divided), card.text(divided))


def _gate(forecast: Forecast, baseline: Forecast, divided: Split) -> Gate:
    """Test that the RMSE is not worse than the baseline's by more than 0.5 % of it, over artists."""
    values, other = (errors(one, divided) ** 2 for one in (forecast, baseline))
    artists = np.repeat(np.arange(len(values)), values[0].size)
    margin = MARGIN * rmse(baseline, divided)
    return evaluation.gate(HEADLINE, FAMILY.baseline, values.ravel(), other.ravel(), artists, margin=margin, root=True)
