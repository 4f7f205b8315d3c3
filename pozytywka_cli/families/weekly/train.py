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
from pozytywka_cli.families.weekly.models.champion import choose
from pozytywka_cli.families.weekly.models.fit import fit, measure, unavailable
from pozytywka_cli.families.weekly.models.fit_lstm import window_length
from pozytywka_cli.families.weekly.models.networks import Lstm
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

    With too few full weeks for the variant (the LSTM needs 20) the mean of all weeks is its fallback. A rival that is
    shown to be better on earlier weeks is trained in its place, see `choose`.

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

    best = choose(divided, run)
    forecast, epochs = measure(best.variant, divided, run)
    fitted, _ = fit(best.variant, history, run, log_weeks=weeks)
    model = _draft(best.variant, fitted, divided, forecast)
    limits = _limits(weeks, settings) if best.variant == "lstm" else []
    model = replace(
        model,
        metrics=[*model.metrics, *baseline.metrics, *best.rows],
        gate=_gate(forecast, baseline_forecast, divided),
        notes=[*best.notes, *limits, *_starting_point(fitted)],
        chosen_over=run.variant if best.variant != run.variant else None,
        limited=bool(limits),
        epochs=learning.epoch_records(epochs),
    )
    return Trained(model, baseline)


def _draft(variant: str, fitted: Model, divided: Split, forecast: Forecast) -> Draft:
    return Draft(variant, fitted.save, SIGNATURE, metrics(variant, forecast, divided), card.text(divided))


def _limits(weeks: int, settings: WeeklySettings) -> list[str]:
    """Return a note if the LSTM reads fewer weeks than the settings say."""
    window = window_length(weeks, settings)
    note = f"only {weeks} full weeks of plays: the LSTM reads {window} weeks, not {settings.window}"
    return [note] if window < settings.window else []


def _starting_point(fitted: Model) -> list[str]:
    """Return a note if a network adds nothing to the mixture."""
    note = "the LSTM forecasts what the mixture does: on the validation weeks its network was not shown to be better"
    return [note] if isinstance(fitted, Lstm) and not fitted.adds else []


def _gate(forecast: Forecast, baseline: Forecast, divided: Split) -> Gate:
    """Test that the RMSE is not worse than the baseline's by more than 0.5 % of it, over artists."""
    values, other = (errors(one, divided) ** 2 for one in (forecast, baseline))
    artists = np.repeat(np.arange(len(values)), values[0].size)
    margin = MARGIN * rmse(baseline, divided)
    return evaluation.gate(HEADLINE, FAMILY.baseline, values.ravel(), other.ravel(), artists, margin=margin, root=True)
