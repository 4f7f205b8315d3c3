"""Fit a weekly model: first measured on weeks later than those it learned from, then fitted on all weeks."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from pozytywka_cli.artifacts import Draft, Trained
from pozytywka_cli.dataset.service import Service
from pozytywka_cli.evaluation import paired_difference
from pozytywka_cli.learning import Epoch
from pozytywka_cli.records import Gate, Report
from pozytywka_cli.settings import WeeklySettings
from pozytywka_cli.weekly import BASELINE
from pozytywka_cli.weekly.baselines import Forecast, Linear, Mean, Model
from pozytywka_cli.weekly.features import Series, pooled_ratio, series
from pozytywka_cli.weekly.learn import LSTM_WEEKS, learn, window_for
from pozytywka_cli.weekly.measure import Split, figures, rmse, rolling, split

MARGIN = 0.005  # of the mean's RMSE

SIGNATURE = {
    "inputs": {"listened": "float64 (artists, weeks), s", "squares": "float64 (artists, weeks), s²"},
    "outputs": {"mean": "float64 (artists,), s", "quantiles": "float64 (artists, 3), s: 10, 50 and 90 %"},
}
QUESTION = "How long will each artist be listened to next week?"
PROTOCOL = (
    "The last full weeks of the log ({weeks}) were kept from it. Having learned from the weeks before, it forecast "
    "each of them from all that came earlier, one week ahead. What serves was then fitted on all weeks."
)
USE = (
    "Planning what will be owed to artists, and seeing early who gains or loses listeners. Beside the expected seconds "
    "stand a low and a high value: four weeks in five lie between them."
)
NOT_FOR = (
    "Paying artists: bill what was listened to, not what was forecast. Looking further ahead than one week. Judging "
    "single tracks or listeners."
)
LIMITS = (
    "One week ahead, from past listening alone: no releases, concerts or holidays. "
    "The forecast is zero for an artist that was not listened to in any full week."
)
GLOSSARY = {
    "lstm": "a small neural network that reads each artist's last weeks",
    "linear": "a straight line through each artist's last 11 weeks",
    "mean": "each artist's mean over all past weeks: the plain baseline",
    "RMSE": "by how many seconds a forecast is off, large misses counting more; lower is better",
    "MAE": "by how many seconds a forecast is off on average; lower is better",
    "pinball": "how far the low, middle and high values lie from what came, in seconds; lower is better",
    "coverage": "the share of weeks between the low and the high value; closest to 0.80 is best",
    "WAPE": "all misses together as a share of all listening; lower is better",
    "MASE": "MAE as a multiple of what saying 'as last week' used to be off; lower is better, below 1 beats it",
    "RMSSE": "RMSE as a multiple of what saying 'as last week' used to be off; lower is better, below 1 beats it",
}


@dataclass(frozen=True)
class _Fitted:
    """A model as it is measured (fitted before the test weeks) and as it serves (fitted on all weeks)."""

    measured: Model
    served: Model
    epochs: list[Epoch] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def train(
    service: Service, settings: WeeklySettings, *, variant: str, seed: int, device: str, report: Report
) -> Trained:
    """Measure a variant beside the mean on the last weeks, and fit it on all weeks.

    With fewer than 20 full weeks the mean of all history stands in for the LSTM, and a note says so.

    Raises:
        RefusedError: fewer than 4 full weeks, or nothing was listened to in the first ones.
    """
    history = series(service)
    divided = split(history, settings.test_weeks)
    plain = _Fitted(Mean(pooled_ratio(divided.past)), Mean(pooled_ratio(history)))
    forecast = rolling(plain.measured, divided)
    baseline = _draft(plain, divided, forecast)
    if variant == BASELINE:
        return Trained(baseline, baseline)
    if variant == "lstm" and len(history.weeks) < LSTM_WEEKS:
        return Trained(replace(baseline, notes=[_fallback(len(history.weeks))]), baseline)
    if variant == "lstm":
        fitted = _lstm(history, divided, settings, seed=seed, device=device, report=report)
    else:
        fitted = _Fitted(Linear(), Linear())
    ours = rolling(fitted.measured, divided)
    model = _draft(fitted, divided, ours)
    gate = _gate(ours, forecast, divided)
    return Trained(replace(model, metrics=model.metrics + baseline.metrics, gate=gate), baseline)


def _fallback(weeks: int) -> str:
    return (
        f"fallback: the mean of all history, for there are only {weeks} full weeks of plays; "
        f"the LSTM needs at least {LSTM_WEEKS}"
    )


def _lstm(
    history: Series, divided: Split, settings: WeeklySettings, *, seed: int, device: str, report: Report
) -> _Fitted:
    window = window_for(divided.start, settings)
    first = learn(divided.past, settings, window, stop_after=None, seed=seed, device=device, report=report)
    final = learn(history, settings, window, stop_after=first.best, seed=seed, device=device, report=report)
    short = f"only {len(history.weeks)} full weeks of plays: the LSTM reads {window} weeks, not {settings.window}"
    return _Fitted(first.model, final.model, first.epochs, [short] if window < settings.window else [])


def _draft(fitted: _Fitted, divided: Split, forecast: Forecast) -> Draft:
    return Draft(
        variant=fitted.served.variant,
        write=fitted.served.save,
        signature=SIGNATURE,
        metrics=figures(fitted.served.variant, divided.protocol, forecast, divided),
        question=QUESTION,
        protocol=PROTOCOL.format(weeks=len(divided.series.weeks) - divided.start),
        use=USE,
        not_for=NOT_FOR,
        limits=LIMITS,
        glossary=GLOSSARY,
        notes=fitted.notes,
        epochs=[_record(epoch) for epoch in fitted.epochs],
    )


def _record(epoch: Epoch) -> dict[str, float]:
    # without its seconds, so that the same run gives the same bytes; JSON has no NaN
    losses = {"train_loss": epoch.train_loss, "validation_loss": epoch.validation_loss}
    return {"epoch": epoch.epoch, **{name: loss for name, loss in losses.items() if not math.isnan(loss)}}


def _gate(ours: Forecast, mean: Forecast, divided: Split) -> Gate:
    """Is the model's RMSE worse than the mean's by more than .5 % of it? Artists are resampled."""
    squared, baseline = ((forecast.mean - divided.truth) ** 2 for forecast in (ours, mean))
    artists = np.repeat(np.arange(len(squared)), squared.shape[1])
    difference, low, high = paired_difference(squared.ravel(), baseline.ravel(), artists, root=True)
    plain = rmse(mean, divided)
    return Gate("RMSE", rmse(ours, divided), plain, BASELINE, difference, low, high, MARGIN * plain)
