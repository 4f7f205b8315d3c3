"""The scale of each artist's series: its mean, and how far a week lies from it."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from msgspec import Meta

from pozytywka_cli.families.weekly.series import Floats, Series

Ratio = Annotated[float, Meta(ge=0)]  # the pooled ratio of a week's variance to its mean, in seconds

PSEUDO_LISTENING = 2000.0  # s at the pooled ratio, as the own ratio of a rarely played artist rests on a few listens


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
