"""Training of the LSTM: the training and validation windows, and the fit."""

import numpy as np
import torch

from pozytywka_cli import learning
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.weekly.features import HALF_LIVES, InputShape, inputs, pooled_ratio, scale
from pozytywka_cli.families.weekly.models.lstm import Lstm, LstmParameters
from pozytywka_cli.families.weekly.models.networks import forecast_loss
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
TWO_YEARS = 104  # weeks


def input_shape(history: Series, start: int, settings: WeeklySettings) -> InputShape:
    """Return the inputs of a network that is trained on the first `start` weeks of `history`, at least `min_start`.

    The window is shorter than the setting if they are few; the week of year is an input from two years of history on.
    """
    window = min(settings.window, start - _weeks_beside_window(settings.horizon))
    return InputShape(window, HALF_LIVES, annual=len(history.weeks) >= TWO_YEARS)


def min_start(horizon: int) -> int:
    """Return the fewest weeks that a network with this horizon can be trained on."""
    return MIN_WINDOW + _weeks_beside_window(horizon)


def _weeks_beside_window(horizon: int) -> int:
    """Return how many weeks must follow the window: training and validation origins, and the weeks ahead of both.

    The weeks ahead of training origins end before those of the validation begin.
    """
    apart = horizon - 1
    return fewest_weeks(MIN_ORIGINS + apart, VALIDATION_WEEKS) + apart


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
        parts.append([part[active] for part in (*inputs(past, level, parameters.shape), target)])
    return tuple(torch.from_numpy(np.concatenate(part)) for part in zip(*parts, strict=True))


def fit_lstm(
    history: Series, shape: InputShape, run: TrainingRun, stop_after: int | None = None
) -> tuple[Lstm, list[Epoch]]:
    """Train on every week of `history` that has a window before it; return the model and the record of its epochs.

    The last origins (13, a third at most) are the validation part, by which the best epoch is chosen; no earlier origin
    is trained on whose weeks ahead reach them. With `stop_after`, the number of epochs, all origins are trained on.

    Raises:
        RefusedError: nothing was listened to in the first window.
    """
    settings = run.settings_as(WeeklySettings)
    require_listening(history, shape.window)
    last = len(history.weeks) - settings.horizon
    held_out = 0 if stop_after is not None else held_out_weeks(last + 1 - shape.window, VALIDATION_WEEKS)
    parameters = LstmParameters.of(shape, settings.hidden, pooled_ratio(history), settings.horizon)
    model = Lstm.untrained(parameters, run.seed)
    end = last + 1 - held_out
    training = examples(history, parameters, range(shape.window, end - (settings.horizon - 1 if held_out else 0)))
    validation = examples(history, parameters, range(end, last + 1)) if held_out else None
    recipe, device, epochs = _recipe(settings, stop_after), torch.device(run.device), []
    for epoch in learning.fit(model.network, forecast_loss, training, validation, recipe, seed=run.seed, device=device):
        run.progress(Progress("weekly lstm", epoch.epoch, epoch.epochs, epoch.train_loss if epoch.epoch else None))
        epochs.append(epoch)
    return model, epochs


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
