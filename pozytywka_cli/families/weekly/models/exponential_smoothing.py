"""Exponential smoothing of each artist's series by statsforecast, which the extra `forecast` installs."""

from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from pozytywka_cli.artifacts import Version
from pozytywka_cli.errors import UnavailableError
from pozytywka_cli.families.weekly.forecast import PARAMETERS, Forecast, require_history
from pozytywka_cli.families.weekly.series import Floats, Series
from pozytywka_cli.files import indented_json

MIN_WEEKS = {"AutoETS": 10, "SES": 2}  # statsforecast fits no damped trend to fewer
LEVEL = 80  # % of weeks within the interval


def available() -> bool:
    """Return whether the extra is installed."""
    return find_spec("statsforecast") is not None


def require(variant: str) -> None:
    """Check that the libraries of a variant are installed, else raise an UnavailableError."""
    if variant in MIN_WEEKS and not available():
        problem = f"weekly {variant} needs statsforecast, which is not installed"
        raise UnavailableError(problem, "Install it with `pip install 'pozytywka[forecast]'`.")


@dataclass(frozen=True)
class Smoothing:
    """Simple exponential smoothing, or the exponential smoothing model with the lowest AICc (Hyndman et al., 2008).

    A model is fitted to each artist at every forecast. As choosing among some fifteen forms takes long, AutoETS chooses
    and fits once for each artist of a `known` history, where there is one; later weeks then only update the state.
    The interval is the method's own, for normal errors; no forecast is below zero.
    """

    method: str
    known: Series | None = None

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`; an artist without listening gets zeros.

        Raises:
            UnavailableError: statsforecast is not installed.
            RefusedError: `history` has too few weeks to fit the method to.
        """
        require(self.method)
        require_history(history, MIN_WEEKS[self.method])
        artists = zip(history.artist_ids, history.listened, strict=True)
        bands = np.array([self._band(artist, listened, horizon) for artist, listened in artists])
        low, mean, high = np.maximum(bands.reshape(-1, 3, horizon), 0).transpose(1, 0, 2)
        return Forecast(mean, np.stack([low, mean, high], axis=-1))

    def _band(self, artist: str, listened: Floats, horizon: int) -> Floats:
        """Return the lower end, the mean and the upper end: (3, horizon)."""
        if not listened.any():
            return np.zeros((3, horizon))
        if artist in self._fits:
            band = self._fits[artist].forward(listened, horizon, level=[LEVEL])
        else:
            band = self._fitted(listened).predict(horizon, level=[LEVEL])
        return np.stack([band[name] for name in (f"lo-{LEVEL}", "mean", f"hi-{LEVEL}")])

    @cached_property
    def _fits(self) -> dict[str, Any]:
        artists = zip(self.known.artist_ids, self.known.listened, strict=True) if self.known else ()
        return {artist: self._fitted(listened) for artist, listened in artists if listened.any()}

    def _fitted(self, listened: Floats) -> Any:
        from statsforecast.models import AutoETS, SimpleExponentialSmoothingOptimized

        model = AutoETS() if self.method == "AutoETS" else SimpleExponentialSmoothingOptimized()
        return model.fit(np.ascontiguousarray(listened))

    def save(self, folder: Path) -> None:
        """Write `model.json`, which names the method."""
        (folder / PARAMETERS).write_bytes(indented_json({"method": self.method}))

    @classmethod
    def load(cls, version: Version) -> "Smoothing":
        """Return the method that a version's variant names."""
        return cls(version.manifest.variant)
