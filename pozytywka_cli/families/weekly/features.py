"""The scale of each artist's series and the scaled inputs of the LSTM, for training and prediction alike."""

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from pozytywka_cli.families.weekly.forecast import Parameters
from pozytywka_cli.families.weekly.series import WEEK, Floats, Series
from pozytywka_cli.settings import Count, Positive

Singles = NDArray[np.float32]
Ratio = Annotated[float, Meta(ge=0)]  # the pooled ratio of a week's variance to its mean, in seconds

PSEUDO_LISTENING = 2000.0  # s at the pooled ratio, as the own ratio of a rarely played artist rests on a few listens
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

    @property
    def extras(self) -> int:
        """How many inputs there are beside the window and the levels."""
        return 2 + len(RECENT) + len(self.half_lives) + 2 * self.annual


class Inputs(NamedTuple):
    """The inputs of a network, without units, in the order of its arguments."""

    window: Singles  # the last weeks, (artists, window)
    extras: Singles  # level, spread, drift, recent levels and season, (artists, `LstmParameters.extras`)
    levels: Singles  # the distance of each recent level from the mean, (artists, half-lives)


@dataclass(frozen=True)
class Scale:
    """Each artist's level: the `mean` of all weeks so far and the `spread` of one week, both (artists,) in seconds.

    The spread is √(mean · ratio), see `spread_ratio`; without listening both are 0.
    """

    mean: Floats
    spread: Floats

    @property
    def unit(self) -> Floats:
        """The spread, or 1 s where it is 0: (artists, 1)."""
        return np.where(self.spread > 0, self.spread, 1)[:, None]

    def scaled(self, listened: Floats) -> Floats:
        """Return (listened − mean) / spread; `listened` is (artists, any number) in seconds."""
        return np.asarray((listened - self.mean[:, None]) / self.unit)

    def seconds(self, scaled: Floats) -> Floats:
        """Invert `scaled`, with negative values set to zero: (artists, …)."""
        mean, spread = (level.reshape(-1, *[1] * (scaled.ndim - 1)) for level in (self.mean, self.spread))
        return np.asarray(np.maximum(mean + spread * scaled, 0))


def pooled_ratio(history: Series) -> float:
    """Return the ratio of a week's variance to its mean over all artists, in seconds; 0 without any listening."""
    total = history.listened.sum()
    return float(_squares(history).sum() / total) if total else 0.0


def spread_ratio(history: Series, ratio: float) -> Floats:
    """Return each artist's ratio of a week's variance to its mean, shrunk to the pooled `ratio`: (artists,), in s.

    For total listening it is Σ listen² / Σ listen, which is exact if listens are a Poisson process (a compound-Poisson
    sum). For mean listens the variance is that of the past weeks.
    """
    squares, listened = _squares(history), history.listened.sum(axis=1)
    return np.asarray((squares + PSEUDO_LISTENING * ratio) / (listened + PSEUDO_LISTENING))


def _squares(history: Series) -> Floats:
    if history.measure == "total":
        return np.asarray(history.squares.sum(axis=1))
    return np.asarray(((history.listened - history.listened.mean(axis=1, keepdims=True)) ** 2).sum(axis=1))


def scale(history: Series, ratio: float) -> Scale:
    """Return the scale of a forecast of the weeks after `history`; `ratio` is the pooled one, in seconds."""
    mean = history.listened.mean(axis=1)
    return Scale(mean, np.sqrt(mean * spread_ratio(history, ratio)))


def inputs(history: Series, level: Scale, parameters: LstmParameters) -> Inputs:
    """Return the inputs of a forecast of the weeks after `history`, which is at least as long as the window."""
    floor = np.maximum(level.mean, 1)
    recent = np.stack([history.listened[:, -weeks:].mean(axis=1) for weeks in RECENT], axis=1)
    drift = level.scaled(recent).clip(-CLIP, CLIP) * np.sqrt(RECENT) / 2
    levels = level.scaled(_smoothed(history.listened, parameters.half_lives))
    phase = 2 * np.pi * (history.weeks[-1] + WEEK).timetuple().tm_yday / DAYS_A_YEAR
    season = level.mean[:, None] / level.unit / 4 * np.array([np.sin(phase), np.cos(phase)])
    extras = [
        ((np.log(floor) - 7) / 1.3)[:, None],
        (np.log(level.unit[:, 0] / floor) + 0.5)[:, None],
        drift,
        np.arcsinh(levels),
        season[:, : 2 * parameters.annual],
    ]
    window = level.scaled(history.listened[:, -parameters.window :]).clip(-CLIP, CLIP)
    return Inputs(*(part.astype(np.float32) for part in (window, np.hstack(extras), levels)))


def _smoothed(listened: Floats, half_lives: tuple[float, ...]) -> Floats:
    """Return exponentially weighted means, a week's weight halving with each half-life: (artists, half-lives)."""
    age = np.arange(listened.shape[1])[::-1]
    weights = [0.5 ** (age / half_life) for half_life in half_lives]
    smoothed = [(listened * weight).sum(axis=1) / weight.sum() for weight in weights]
    return np.stack(smoothed, axis=1) if smoothed else np.empty((len(listened), 0))
