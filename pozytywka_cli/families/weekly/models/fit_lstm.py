"""Training of the LSTM: what it learns from, whether it improves on the mixture, and how wide its intervals are."""

from typing import NamedTuple

import numpy as np
import torch
from msgspec import structs
from numpy.typing import NDArray
from scipy.special import ndtri

from pozytywka_cli import learning
from pozytywka_cli.evaluation import paired_difference
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.weekly.features import Scale, pooled_ratio, scale
from pozytywka_cli.families.weekly.models.calibration import Calibration
from pozytywka_cli.families.weekly.models.lstm_inputs import HALF_LIVES, Inputs, LstmParameters, inputs
from pozytywka_cli.families.weekly.models.mixture import VALIDATION_WEEKS, Mixture
from pozytywka_cli.families.weekly.models.networks import Lstm
from pozytywka_cli.families.weekly.series import Floats, Series
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.splits import fewest_weeks, require_listening
from pozytywka_cli.learning import Epoch, Recipe
from pozytywka_cli.records import Progress

TWO_YEARS = 104  # weeks from which on models use the season
# To which the width of the mixture's intervals is fitted: its few parameters hardly learn them. On 120 samples the root
# mean square distance from 80 % in an eighth by level was .0299, and .0306 with 13.
CALIBRATION_WEEKS = 26
MIN_WINDOW = 6
MIN_ORIGINS = 6  # training weeks beside those of the validation: a long window is shortened for them
WINDOWS_PER_EPOCH = 25_000
TAIL = 0.025  # of a 95 % interval, on either side
MAX_DISTANCE = 100.0  # spreads from the mean: weeks further away would dominate the loss


class Examples(NamedTuple):
    """What the network reads at some origins, a row for each artist with listening before an origin.

    artists: the artist of each row, (rows,)
    level: the scale of each row
    listened: the weeks after each origin, (rows, horizon), in s
    """

    inputs: Inputs
    artists: NDArray[np.intp]
    level: Scale
    listened: Floats

    @property
    def tensors(self) -> learning.Tensors:
        """The inputs, and the scaled weeks as target."""
        target = self.level.scaled(self.listened).clip(-MAX_DISTANCE, MAX_DISTANCE).astype(np.float32)
        return tuple(map(torch.from_numpy, (*self.inputs, target)))


def weeks_beside_window(horizon: int) -> int:
    """Return how many weeks must follow the window: training and validation origins, apart, and the weeks ahead."""
    apart = horizon - 1
    return fewest_weeks(MIN_ORIGINS + apart, VALIDATION_WEEKS) + apart


def window_length(weeks: int, settings: WeeklySettings) -> int:
    """Return how many weeks an LSTM reads that is trained on so many: fewer than the setting if they are few."""
    return min(settings.window, weeks - weeks_beside_window(settings.horizon))


def examples(history: Series, parameters: LstmParameters, origins: range) -> Examples:
    """Return what is known at each origin, and the weeks after it."""
    known, artists, scales, ahead = [], [], [], []
    for origin in origins:
        past = history.before(origin)
        level = scale(past, parameters.ratio)
        active = np.flatnonzero(level.mean > 0)
        known.append([part[active] for part in inputs(past, level, parameters)])
        artists.append(active)
        scales.append((level.mean[active], level.spread[active]))
        ahead.append(history.listened[active, origin : origin + parameters.horizon])
    joined = Inputs(*(np.concatenate(part) for part in zip(*known, strict=True)))
    level = Scale(*(np.concatenate(part) for part in zip(*scales, strict=True)))
    return Examples(joined, np.concatenate(artists), level, np.concatenate(ahead))


def fit_lstm(history: Series, run: TrainingRun, *, log_weeks: int) -> tuple[Lstm, list[Epoch]]:
    """Train on the weeks that have a window before them; return the network and the record of its epochs.

    The last origins (13, a third at most) are the validation part; no earlier origin is trained on whose weeks ahead
    reach them. It decides which epoch is the best, and whether the network is used at all (see `improves`; if not, it
    is the untrained one, which forecasts what the mixture does). The mixture that it starts from is then fitted again,
    to all weeks, and the width of intervals to the last weeks; the network is not, so that what is used was validated.
    The week of year is an input from two years of log on. No listening in the first window raises a RefusedError.
    """
    settings = run.settings_as(WeeklySettings)
    window, horizon = window_length(len(history.weeks), settings), settings.horizon
    require_listening(history, window)
    end = len(history.weeks) - horizon + 1
    first = end - min(VALIDATION_WEEKS, (end - window) // 3)  # of the validation
    mixture = Mixture.fitted(history.before(first), horizon)
    shape = window, settings.hidden, pooled_ratio(history), HALF_LIVES, log_weeks >= TWO_YEARS, horizon
    parameters = LstmParameters(*shape, mixture, Calibration.none(horizon))
    network = Lstm.untrained(parameters, run.seed)
    training = examples(history, parameters, range(window, first - (horizon - 1)))
    validation = examples(history, parameters, range(first, end))
    epochs = _trained(network, training, validation, run)
    if not improves(network, validation, trials=len(epochs) - 1):
        network = Lstm.untrained(parameters, run.seed).eval()
        first = max(window, end - CALIBRATION_WEEKS)  # no week has trained this one
    network.hyperparameters = structs.replace(parameters, mixture=Mixture.fitted(history, horizon))
    known = examples(history, network.hyperparameters, range(first, end))
    calibration = Calibration.fitted(known.level.mean, _seconds(network, known)[..., 1:], known.listened)
    network.hyperparameters = structs.replace(network.hyperparameters, calibration=calibration)
    return network, epochs


def _trained(network: Lstm, training: Examples, validation: Examples, run: TrainingRun) -> list[Epoch]:
    settings = run.settings_as(WeeklySettings)
    tuned = settings.epochs, settings.batch_size, settings.learning_rate, settings.weight_decay, settings.patience
    recipe = Recipe(*tuned, max_norm=1.0, rows_per_epoch=WINDOWS_PER_EPOCH)
    tensors, device, epochs = (training.tensors, validation.tensors), torch.device(run.device), []
    for epoch in learning.fit(network, Lstm.loss, *tensors, recipe, seed=run.seed, device=device):
        run.progress(Progress("weekly lstm", epoch.epoch, epoch.epochs, epoch.train_loss if epoch.epoch else None))
        epochs.append(epoch)
    return epochs


def improves(network: Lstm, validation: Examples, trials: int) -> bool:
    """Return whether the network's RMSE is lower than the mixture's by more than chance over artists.

    That is, the whole interval of the difference is below zero: the 95 % interval over artists, widened for
    the number of epochs of which the network is the best on the same weeks (Bonferroni's correction).
    """
    start, artists = Lstm.untrained(network.hyperparameters, seed=0), validation.artists.astype(np.int64)
    errors = (_seconds(model, validation)[..., 0] - validation.listened for model in (network, start))
    ours, other = ((error**2).mean(axis=1) for error in errors)
    difference, _, high = paired_difference(ours, other, artists, root=True)
    if high is None:
        return False
    return bool(difference + (high - difference) * ndtri(TAIL / max(trials, 1)) / ndtri(TAIL) < 0)


def _seconds(network: Lstm, rows: Examples) -> Floats:
    """Return the forecasts in seconds, mean and quantiles: (rows, horizon, 4)."""
    return rows.level.seconds(network.outputs(*rows.inputs))
