"""Training of the networks: the weeks that they need, the training and validation windows, and the fit."""

from collections import deque

import numpy as np
import torch

from pozytywka_cli import learning
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.weekly.features import HALF_LIVES, LstmParameters, inputs, pooled_ratio, scale
from pozytywka_cli.families.weekly.models.networks import (
    LEGACY_WINDOW,
    LegacyLstm,
    LegacyParameters,
    Lstm,
    lstm_loss,
    squared_loss,
)
from pozytywka_cli.families.weekly.series import Series
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.splits import fewest_weeks, held_out_weeks, require_listening
from pozytywka_cli.learning import Epoch, Recipe, Tensors
from pozytywka_cli.records import Progress

VALIDATION_WEEKS = 13
MIN_WINDOW = 6
MIN_ORIGINS = 6  # training weeks beside those of the validation: a long window is shortened for them
WINDOWS_PER_EPOCH = 25_000
MAX_DISTANCE = 100.0  # spreads from the mean: weeks further away would dominate the loss
# AdamW without weight decay is Adam; these sizes of batches and epochs keep training short
LEGACY = Recipe(20, 128, 1e-3, weight_decay=0.0, patience=20, rows_per_epoch=WINDOWS_PER_EPOCH, stop_after=20)


def weeks_beside_window(horizon: int) -> int:
    """Return how many weeks must follow the window: training and validation origins, and the weeks ahead of both.

    The weeks ahead of training origins end before those of the validation begin.
    """
    apart = horizon - 1
    return fewest_weeks(MIN_ORIGINS + apart, VALIDATION_WEEKS) + apart


def window_length(weeks: int, settings: WeeklySettings) -> int:
    """Return how many weeks an LSTM reads that is trained on so many: fewer than the setting if they are few."""
    return min(settings.window, weeks - weeks_beside_window(settings.horizon))


def examples(history: Series, parameters: LstmParameters, origins: range) -> Tensors:
    """Return the inputs at each origin, and the scaled weeks after it as target: (rows, horizon).

    Artists without listening before an origin have no scale there and are left out.
    """
    parts = []
    for origin in origins:
        past = history.before(origin)
        level = scale(past, parameters.ratio)
        active = level.mean > 0
        ahead = history.listened[:, origin : origin + parameters.horizon]
        target = level.scaled(ahead).clip(-MAX_DISTANCE, MAX_DISTANCE).astype(np.float32)
        parts.append([part[active] for part in (*inputs(past, level, parameters), target)])
    return tuple(torch.from_numpy(np.concatenate(part)) for part in zip(*parts, strict=True))


def fit_lstm(
    history: Series, run: TrainingRun, *, annual: bool, stop_after: int | None = None
) -> tuple[Lstm, list[Epoch]]:
    """Train on every week of `history` that has a window before it; return the network and the record of its epochs.

    The last origins (13, a third at most) are the validation part, by which the best epoch is chosen; no earlier origin
    is trained on whose weeks ahead reach them. With `stop_after`, the number of epochs, all origins are trained on.
    With `annual` the week of year is an input.

    Raises:
        RefusedError: nothing was listened to in the first window.
    """
    settings = run.settings_as(WeeklySettings)
    window, horizon = window_length(len(history.weeks), settings), settings.horizon
    require_listening(history, window)
    end = len(history.weeks) - horizon + 1
    held_out = 0 if stop_after is not None else held_out_weeks(end - window, VALIDATION_WEEKS)
    parameters = LstmParameters(window, settings.hidden, pooled_ratio(history), HALF_LIVES, annual, horizon)
    network = Lstm.untrained(parameters, run.seed)
    training = examples(history, parameters, range(window, end - held_out - (horizon - 1 if held_out else 0)))
    validation = examples(history, parameters, range(end - held_out, end)) if held_out else None
    tuned = settings.epochs, settings.batch_size, settings.learning_rate, settings.weight_decay, settings.patience
    recipe = Recipe(*tuned, max_norm=1.0, rows_per_epoch=WINDOWS_PER_EPOCH, stop_after=stop_after)
    epochs, device = [], torch.device(run.device)
    for epoch in learning.fit(network, lstm_loss, training, validation, recipe, seed=run.seed, device=device):
        run.progress(Progress("weekly lstm", epoch.epoch, epoch.epochs, epoch.train_loss if epoch.epoch else None))
        epochs.append(epoch)
    return network, epochs


def fit_legacy_lstm(history: Series, run: TrainingRun) -> LegacyLstm:
    """Train the old systems' network on every week of `history` from the twelfth on, in seconds, for 20 epochs."""
    horizon, device = run.settings_as(WeeklySettings).horizon, torch.device(run.device)
    network = LegacyLstm.untrained(LegacyParameters(pooled_ratio(history), horizon), run.seed)
    listened, length = history.listened.astype(np.float32), LEGACY_WINDOW + horizon
    runs = np.lib.stride_tricks.sliding_window_view(listened, length, axis=1).reshape(-1, length)
    rows = torch.from_numpy(runs[:, :LEGACY_WINDOW].copy()), torch.from_numpy(runs[:, LEGACY_WINDOW:].copy())
    deque(learning.fit(network, squared_loss, rows, None, LEGACY, seed=run.seed, device=device), maxlen=0)
    return network
