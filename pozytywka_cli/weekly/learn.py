"""The LSTM's training: which windows it learns from, on which it is stopped, and the fit itself."""

from typing import NamedTuple

import numpy as np
import torch

from pozytywka_cli import learning
from pozytywka_cli.learning import Epoch, Recipe, Tensors
from pozytywka_cli.records import Progress, Report
from pozytywka_cli.settings import WeeklySettings
from pozytywka_cli.weekly.features import Series, inputs, pooled_ratio, scale
from pozytywka_cli.weekly.measure import heard
from pozytywka_cli.weekly.model import Lstm, LstmParameters, forecast_loss

LSTM_WEEKS = 20
VALIDATION_WEEKS = 13
MIN_ORIGINS = 8  # weeks to learn to forecast: the window gives way to them
WINDOWS_PER_EPOCH = 25_000


class Learned(NamedTuple):
    """A trained model and the record of its epochs."""

    model: Lstm
    epochs: list[Epoch]

    @property
    def best(self) -> int:
        """The epoch whose weights were kept."""
        return max(epoch.epoch for epoch in self.epochs if epoch.best)


def window_for(weeks: int, settings: WeeklySettings) -> int:
    """How many weeks the network reads when it learns from `weeks` weeks: fewer than asked for if they are few."""
    return min(settings.window, weeks - MIN_ORIGINS)


def examples(history: Series, ratio: float, window: int, origins: range) -> Tensors:
    """The inputs at each origin and what came, scaled alike: (rows, window), (rows, 4) and (rows,).

    Artists without any listening before an origin have no scale there and are left out.
    """
    parts = []
    for origin in origins:
        past = history.before(origin)
        level = scale(past, ratio)
        known = level.mean > 0
        given = inputs(past, level, window)
        target = level.scaled(history.listened[:, origin : origin + 1])[:, 0].astype(np.float32)
        parts.append((given.window[known], given.extras[known], target[known]))
    return tuple(torch.from_numpy(np.concatenate(part)) for part in zip(*parts, strict=True))


def learn(
    history: Series,
    settings: WeeklySettings,
    window: int,
    *,
    stop_after: int | None,
    seed: int,
    device: str,
    report: Report,
) -> Learned:
    """Train on every week of `history` from number `window` on.

    The last weeks (13, a third at most) are kept back to find the best epoch; with `stop_after`, the number of epochs
    that was found so, all are trained on.

    Raises:
        RefusedError: nothing was listened to in the first `window` weeks.
    """
    heard(history, window)
    weeks = len(history.weeks)
    kept = 0 if stop_after is not None else min(VALIDATION_WEEKS, (weeks - window) // 3)
    ratio = pooled_ratio(history)
    model = Lstm.untrained(LstmParameters(window, settings.hidden, ratio), seed)
    training = examples(history, ratio, window, range(window, weeks - kept))
    validation = examples(history, ratio, window, range(weeks - kept, weeks)) if kept else None
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
