"""The LSTM's training: which windows it learns from, on which it is stopped, and the fit itself."""

from typing import NamedTuple

import numpy as np
import torch

from pozytywka_cli import learning
from pozytywka_cli.families.weekly.features import HALF_LIVES, Reading, inputs, pooled_ratio, scale
from pozytywka_cli.families.weekly.lstm import Lstm, LstmParameters
from pozytywka_cli.families.weekly.metrics import heard, kept_back, least_weeks
from pozytywka_cli.families.weekly.networks import forecast_loss
from pozytywka_cli.families.weekly.series import Series
from pozytywka_cli.learning import Epoch, Recipe, Tensors
from pozytywka_cli.records import Progress, Report
from pozytywka_cli.settings import WeeklySettings

VALIDATION_WEEKS = 13
LEAST_WINDOW = 6
LEAST_ORIGINS = 6  # weeks to learn to forecast, beside those that it is stopped by: the window gives way to them
WINDOWS_PER_EPOCH = 25_000
FARTHEST = 100.0  # spreads from the mean: weeks that lie farther away would be all that a network learns from
TWO_YEARS = 104  # weeks


class Learned(NamedTuple):
    """A trained model and the record of its epochs."""

    model: Lstm
    epochs: list[Epoch]


def reading_for(history: Series, start: int, settings: WeeklySettings) -> Reading:
    """What a network reads that learns from the first `start` weeks of `history`, at least `least_start`.

    The window is shorter than asked for if they are few; the week of year is read where all weeks make two years.
    """
    window = min(settings.window, start - _beside_window(settings.horizon))
    return Reading(window, HALF_LIVES, annual=len(history.weeks) >= TWO_YEARS)


def least_start(horizon: int) -> int:
    """The fewest weeks that a network can learn from which looks so far ahead."""
    return LEAST_WINDOW + _beside_window(horizon)


def _beside_window(horizon: int) -> int:
    """How many weeks must follow the window: origins to learn from and to be stopped by, and the weeks ahead of both.

    No origin is learned from whose weeks ahead reach those of the validation.
    """
    apart = horizon - 1
    return least_weeks(LEAST_ORIGINS + apart, VALIDATION_WEEKS) + apart


def examples(history: Series, parameters: LstmParameters, origins: range) -> Tensors:
    """The inputs at each origin, and what came, scaled alike: (rows, horizon).

    Artists without any listening before an origin have no scale there and are left out.
    """
    parts = []
    for origin in origins:
        past = history.before(origin)
        level = scale(past, parameters.ratio)
        known = level.mean > 0
        came = history.listened[:, origin : origin + parameters.horizon]
        target = level.scaled(came).clip(-FARTHEST, FARTHEST).astype(np.float32)
        given = inputs(past, level, parameters.reading)
        parts.append([part[known] for part in (*given.arrays, target)])
    return tuple(torch.from_numpy(np.concatenate(part)) for part in zip(*parts, strict=True))


def learn(
    history: Series,
    settings: WeeklySettings,
    reading: Reading,
    *,
    stop_after: int | None,
    seed: int,
    device: str,
    report: Report,
) -> Learned:
    """Train on every week of `history` that has a window before it.

    The last origins (13, a third at most) are kept back to find the best epoch, and no origin before them whose weeks
    ahead reach theirs is learned from; with `stop_after`, the number of epochs that was found so, all are trained on.

    Raises:
        RefusedError: nothing was listened to in the first window.
    """
    heard(history, reading.window)
    last = len(history.weeks) - settings.horizon
    kept = 0 if stop_after is not None else kept_back(last + 1 - reading.window, VALIDATION_WEEKS)
    parameters = LstmParameters.of(reading, settings.hidden, pooled_ratio(history), settings.horizon)
    model = Lstm.untrained(parameters, seed)
    end = last + 1 - kept
    training = examples(history, parameters, range(reading.window, end - (settings.horizon - 1 if kept else 0)))
    validation = examples(history, parameters, range(end, last + 1)) if kept else None
    found = []
    for epoch in learning.fit(
        model.network,
        forecast_loss,
        training,
        validation,
        _recipe(settings, stop_after),
        seed=seed,
        device=torch.device(device),
    ):
        report(Progress("weekly lstm", epoch.epoch, epoch.epochs, epoch.train_loss if epoch.epoch else None))
        found.append(epoch)
    return Learned(model, found)


def _recipe(settings: WeeklySettings, stop_after: int | None) -> Recipe:
    return Recipe(
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        patience=settings.patience,
        max_norm=1.0,
        rows_per_epoch=WINDOWS_PER_EPOCH,
        stop_after=stop_after,
    )
