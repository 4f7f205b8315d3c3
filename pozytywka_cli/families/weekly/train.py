"""Fit a weekly model: first measured on weeks later than those it learned from, then fitted on all weeks."""

import math
from dataclasses import replace
from functools import partial

from pozytywka_cli.artifacts import Draft, Trained
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.weekly import BASELINE
from pozytywka_cli.families.weekly.comparison import rmse_difference
from pozytywka_cli.families.weekly.exponential_smoothing import require
from pozytywka_cli.families.weekly.fit import Fitted, fit, measured, missing_weeks
from pozytywka_cli.families.weekly.lstm_training import reading_for
from pozytywka_cli.families.weekly.metrics import Split, errors, figures, rmse, split
from pozytywka_cli.families.weekly.model import Forecast
from pozytywka_cli.families.weekly.series import Series, series
from pozytywka_cli.learning import Epoch
from pozytywka_cli.records import Gate, Report
from pozytywka_cli.settings import WeeklySettings

MARGIN = 0.005  # of the mean's RMSE

SIGNATURE = {
    "inputs": {"listened": "float64 (artists, weeks), s", "squares": "float64 (artists, weeks), s²"},
    "outputs": {
        "mean": "float64 (artists, horizon), s",
        "quantiles": "float64 (artists, horizon, 3), s: 10, 50 and 90 %",
    },
}
QUESTION = "How long will each artist be listened to next week?"
PROTOCOL = (
    "The last full weeks of the log ({weeks}) were kept from it. Having learned from the weeks before, it forecast "
    "each of them from all that was known up to {horizon} week(s) earlier. What serves was then fitted on all weeks."
)
USE = (
    "Planning what will be owed to artists, and seeing early who gains or loses listeners. Beside the expected seconds "
    "stand a low and a high value: four weeks in five lie between them."
)
NOT_FOR = (
    "Settling accounts afterwards: by then it is known what was listened to. Looking further ahead than it was trained "
    "for. Judging single tracks or listeners."
)
LIMITS = (
    "From past listening alone: no releases, concerts or holidays. "
    "The forecast is zero for an artist that was not listened to in any full week."
)
GLOSSARY = {
    "lstm": "a small neural network that reads each artist's last weeks",
    "linear": "a straight line through each artist's last 11 weeks",
    "linear-all": "a straight line through all of each artist's weeks",
    "mean": "each artist's mean over all past weeks: the plain baseline",
    "mean4": "each artist's mean over the last 4 weeks",
    "last": "as last week",
    "legacy-lstm": "the network of the old systems",
    "seasonal": "each artist's mean over the last year times what is usual at that time of year",
    "AutoETS": "exponential smoothing of a form chosen for each artist, by statsforecast",
    "SES": "simple exponential smoothing of each artist's weeks, by statsforecast",
    "RMSE": "by how many seconds a forecast is off, large misses counting more; lower is better",
    "MAE": "by how many seconds a forecast is off on average; lower is better",
    "pinball": "how far the low, middle and high values lie from what came, in seconds; lower is better",
    "coverage": "the share of weeks between the low and the high value; closest to 0.80 is best",
    "WAPE": "all misses together as a share of all listening; lower is better",
    "MASE": "MAE as a multiple of what saying 'as last week' used to be off; lower is better, below 1 beats it",
    "RMSSE": "RMSE as a multiple of what saying 'as last week' used to be off; lower is better, below 1 beats it",
}


def train(
    dataset: Dataset, settings: WeeklySettings, *, variant: str, seed: int, device: str, report: Report
) -> Trained:
    """Measure a variant beside the mean on the last weeks, and fit it on all weeks.

    Where there are too few full weeks for it (the LSTM needs 20) the mean of all history stands in, and a note says so.

    Raises:
        RefusedError: fewer than 4 full weeks, or nothing was listened to in the first ones.
        UnavailableError: the variant needs an extra that is not installed.
    """
    require(variant)
    history = series(dataset, settings.measure)
    divided = split(history, settings.test_weeks, settings.horizon)
    reading = reading_for(history, len(history.weeks), settings)
    tested = partial(measured, divided=divided, settings=settings, seed=seed, device=device, report=report)
    fitted = partial(fit, history=history, settings=settings, reading=reading, seed=seed, device=device, report=report)
    plain = tested(BASELINE).forecast
    baseline = _draft(BASELINE, fitted(BASELINE, stop_after=None), divided, plain, [])
    if variant == BASELINE:
        return Trained(baseline, baseline)
    if missing := missing_weeks(variant, len(history.weeks), settings):
        note = f"fallback: the mean of all history, for there are {missing}"
        return Trained(replace(baseline, notes=[note]), baseline)
    before, ours = tested(variant)
    served = fitted(variant, stop_after=before.best)
    notes = _short(history, reading.window, settings.window) if variant == "lstm" else []
    model = _draft(variant, replace(served, epochs=before.epochs), divided, ours, notes)
    gate = _gate(ours, plain, divided)
    return Trained(replace(model, metrics=model.metrics + baseline.metrics, gate=gate), baseline)


def _short(history: Series, window: int, wanted: int) -> list[str]:
    short = f"only {len(history.weeks)} full weeks of plays: the LSTM reads {window} weeks, not {wanted}"
    return [short] if window < wanted else []


def _draft(variant: str, fitted: Fitted, divided: Split, forecast: Forecast, notes: list[str]) -> Draft:
    return Draft(
        variant=variant,
        write=fitted.model.save,
        signature=SIGNATURE,
        metrics=figures(variant, forecast, divided),
        question=QUESTION,
        protocol=PROTOCOL.format(weeks=len(divided.tested), horizon=divided.horizon),
        use=USE,
        not_for=NOT_FOR,
        limits=LIMITS,
        glossary=GLOSSARY,
        notes=notes,
        epochs=[_record(epoch) for epoch in fitted.epochs],
    )


def _record(epoch: Epoch) -> dict[str, float]:
    # without its seconds, so that the same run gives the same bytes; JSON has no NaN
    losses = {"train_loss": epoch.train_loss, "validation_loss": epoch.validation_loss}
    return {"epoch": epoch.epoch, **{name: loss for name, loss in losses.items() if not math.isnan(loss)}}


def _gate(ours: Forecast, mean: Forecast, divided: Split) -> Gate:
    """Is the model's RMSE worse than the mean's by more than .5 % of it? Artists are resampled."""
    squared, baseline = (errors(forecast, divided) ** 2 for forecast in (ours, mean))
    apart, low, high = rmse_difference(squared, baseline)
    plain = rmse(mean, divided)
    return Gate("RMSE", rmse(ours, divided), plain, BASELINE, apart, low, high, MARGIN * plain)
