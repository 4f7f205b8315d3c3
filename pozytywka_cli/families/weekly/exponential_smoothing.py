"""Exponential smoothing of each artist's own series by statsforecast, the extra `forecast`."""

from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from pozytywka_cli.artifacts import Version
from pozytywka_cli.errors import UnavailableError
from pozytywka_cli.families.weekly.model import PARAMETERS, Forecast, at_least
from pozytywka_cli.families.weekly.series import Floats, Series
from pozytywka_cli.files import indented_json

METHODS = ("AutoETS", "SES")
LEAST_WEEKS = {"AutoETS": 10, "SES": 2}  # statsforecast fits no damped trend to fewer
LEVEL = 80  # % of weeks that lie in the interval


def available() -> bool:
    """Whether the extra is installed."""
    return find_spec("statsforecast") is not None


def require(variant: str) -> None:
    """Check that a variant can be had.

    Raises:
        UnavailableError: it needs the extra, which is not installed.
    """
    if variant in METHODS and not available():
        problem = f"weekly {variant} needs statsforecast, of the extra `forecast`, which is not installed"
        raise UnavailableError(problem, "Install it with `pip install 'pozytywka[forecast]'`.")


class SmoothingParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which `method`: AutoETS or SES."""

    method: str


@dataclass(frozen=True)
class Smoothing:
    """Simple exponential smoothing, or the exponential smoothing model with the lowest AICc (Hyndman et al., 2008).

    Each artist's is fitted when it is forecast. But choosing among some fifteen models takes long: where a `known`
    history is given, AutoETS chooses and fits on that once for every artist, and later weeks only update the state of
    what was found. The interval is the method's own, of normal errors; nothing is forecast below zero.
    """

    parameters: SmoothingParameters
    known: Series | None = None

    def forecast(self, history: Series, horizon: int = 1) -> Forecast:
        """Forecast the weeks after `history`; an artist without any listening gets zeros.

        Raises:
            UnavailableError: statsforecast is not installed.
            RefusedError: `history` has fewer weeks than it can be fitted to.
        """
        require(self.parameters.method)
        at_least(history, LEAST_WEEKS[self.parameters.method])
        artists = zip(history.artist_ids, history.listened, strict=True)
        found = np.array([self._of(artist, listened, horizon) for artist, listened in artists]).reshape(-1, 3, horizon)
        low, mean, high = np.maximum(found, 0).transpose(1, 0, 2)
        return Forecast(mean, np.stack([low, mean, high], axis=-1))

    def _of(self, artist: str, listened: Floats, horizon: int) -> Floats:
        """The lower end, the mean and the upper end: (3, horizon)."""
        if not listened.any():
            return np.zeros((3, horizon))
        if artist in self._fits:
            answer = self._fits[artist].forward(listened, horizon, level=[LEVEL])
        else:
            answer = self._fitted(listened).predict(horizon, level=[LEVEL])
        return np.stack([answer[name] for name in (f"lo-{LEVEL}", "mean", f"hi-{LEVEL}")])

    @cached_property
    def _fits(self) -> dict[str, Any]:
        if self.known is None:
            return {}
        artists = zip(self.known.artist_ids, self.known.listened, strict=True)
        return {artist: self._fitted(listened) for artist, listened in artists if listened.any()}

    def _fitted(self, listened: Floats) -> Any:
        from statsforecast.models import AutoETS, SimpleExponentialSmoothingOptimized

        model = AutoETS() if self.parameters.method == "AutoETS" else SimpleExponentialSmoothingOptimized()
        return model.fit(np.ascontiguousarray(listened))

    def save(self, folder: Path) -> None:
        """Write `model.json`."""
        (folder / PARAMETERS).write_bytes(indented_json(self.parameters))

    @classmethod
    def load(cls, version: Version) -> "Smoothing":
        """The model of a checked version."""
        content = (version.folder / PARAMETERS).read_bytes()
        return cls(msgspec.json.decode(content, type=SmoothingParameters))
