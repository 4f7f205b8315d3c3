"""The hyperparameters of the LSTM and its scaled inputs, for training and prediction alike."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.families.weekly.features import Ratio, Scale
from pozytywka_cli.families.weekly.forecast import QUANTILES, Parameters
from pozytywka_cli.families.weekly.models.calibration import COVERAGE, Calibration
from pozytywka_cli.families.weekly.models.local_levels import HYPOTHESES
from pozytywka_cli.families.weekly.models.mixture import Mixture
from pozytywka_cli.families.weekly.series import WEEK, Floats, Series
from pozytywka_cli.settings import Count, Positive

Singles = NDArray[np.float32]

CLIP = 20.0
RECENT = (4, 13)  # weeks over which recent listening is averaged
HALF_LIVES = (0.25, 1.0, 2.0, 4.0, 8.0, 16.0)  # weeks after which the weight of a week in a recent level has halved
DAYS_A_YEAR = 365.25


class LstmParameters(Parameters, frozen=True):
    """What an LSTM reads and forecasts. The defaults are those of old versions, which do not have these fields."""

    window: Count  # weeks
    hidden: Count  # units
    ratio: Ratio
    half_lives: tuple[Positive, ...] = ()  # of the recent levels among the inputs, in weeks
    annual: bool = False  # whether the week of year is an input
    horizon: Count = 1  # weeks ahead
    mixture: Mixture | None = None  # where the forecasts start; at the mean without one
    calibration: Calibration | None = None  # of the intervals that the mixture gives

    def __post_init__(self) -> None:
        """Raise a ValueError if there is a mixture without a calibration of as many weeks ahead, or the reverse."""
        weeks = len(self.calibration.factors) if self.calibration else 0
        if weeks != (self.horizon if self.mixture else 0):
            raise ValueError(f"intervals of {weeks} weeks are calibrated")

    @property
    def extras(self) -> int:
        """How many inputs there are beside the window and the levels."""
        mixture = 2 * self.horizon + len(HYPOTHESES) if self.mixture else 0
        return 2 + len(RECENT) + len(self.half_lives) + 2 * self.annual + mixture

    @property
    def mixed(self) -> int:
        """How many recent levels the network mixes by itself: in old versions, without a mixture to start from."""
        return 0 if self.mixture else len(self.half_lives)


class Inputs(NamedTuple):
    """The inputs of a network, without units, in the order of its arguments."""

    window: Singles  # the last weeks, (artists, window)
    extras: Singles  # level, spread, drift, recent levels, season and mixture, (artists, `LstmParameters.extras`)
    levels: Singles  # the distance of each recent level from the mean, (artists, half-lives)
    start: Singles  # mean and quantiles of the mixture, zeros without one, (artists, horizon · 4)


def inputs(history: Series, level: Scale, parameters: LstmParameters) -> Inputs:
    """Return the inputs of a forecast of the weeks after `history`, which is at least as long as the window."""
    floor = np.maximum(level.mean, 1)
    recent = np.stack([history.listened[:, -weeks:].mean(axis=1) for weeks in RECENT], axis=1)
    drift = level.scaled(recent).clip(-CLIP, CLIP) * np.sqrt(RECENT) / 2
    levels = level.scaled(_smoothed(history.listened, parameters.half_lives))
    phase = 2 * np.pi * (history.weeks[-1] + WEEK).timetuple().tm_yday / DAYS_A_YEAR
    season = level.mean[:, None] / level.unit / 4 * np.array([np.sin(phase), np.cos(phase)])
    start, mixture = _mixture(history, level, parameters)
    extras = [
        ((np.log(floor) - 7) / 1.3)[:, None],
        (np.log(level.unit[:, 0] / floor) + 0.5)[:, None],
        drift,
        np.arcsinh(levels),
        season[:, : 2 * parameters.annual],
        mixture,
    ]
    window = level.scaled(history.listened[:, -parameters.window :]).clip(-CLIP, CLIP)
    return Inputs(*(part.astype(np.float32) for part in (window, np.hstack(extras), levels, start)))


def _mixture(history: Series, level: Scale, parameters: LstmParameters) -> tuple[Floats, Floats]:
    """Return the mixture's forecast, (artists, horizon · 4), and its inputs, (artists, 2 · horizon + hypotheses)."""
    artists, horizon = len(history.artist_ids), parameters.horizon
    if parameters.mixture is None:
        return np.zeros((artists, horizon * (1 + len(QUANTILES)))), np.empty((artists, 0))
    outlook = parameters.mixture.outlook(history, horizon)
    forecast = parameters.mixture.interval(outlook, upper=COVERAGE)
    numbers = np.concatenate([forecast.mean[..., None], forecast.quantiles], axis=2)
    mean = np.arcsinh(level.scaled(forecast.mean))
    index = np.broadcast_to(np.log(outlook.shared), (artists, horizon))
    return level.scaled(numbers.reshape(artists, -1)), np.hstack([mean, index, outlook.posterior])


def _smoothed(listened: Floats, half_lives: tuple[float, ...]) -> Floats:
    """Return exponentially weighted means, a week's weight halving with each half-life: (artists, half-lives)."""
    age = np.arange(listened.shape[1])[::-1]
    weights = [0.5 ** (age / half_life) for half_life in half_lives]
    smoothed = [(listened * weight).sum(axis=1) / weight.sum() for weight in weights]
    return np.stack(smoothed, axis=1) if smoothed else np.empty((len(listened), 0))
