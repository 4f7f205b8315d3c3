"""The answerer: forecasts that were computed in advance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pozytywka_cli.artifacts import Version
from pozytywka_cli.artifacts.manifest import DAMAGED_HINT
from pozytywka_cli.catalogue.json_table import JsonTable
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families.predictor import Answer, Answerer
from pozytywka_cli.families.weekly.artists import Artists
from pozytywka_cli.families.weekly.requests import WeeklyRequest, beyond_horizon
from pozytywka_cli.families.weekly.settings import settings_of

FORECASTS = "forecasts.bin"


@dataclass(frozen=True)
class WeeklyAnswerer:
    """The forecasts of all artists with a play; they stay memory-mapped.

    horizon: how many weeks ahead the version was trained for
    forecasts: (artists,) for each one its rows, nearest week first
    """

    Request: ClassVar[type[WeeklyRequest]] = WeeklyRequest
    version: Version
    horizon: int
    artists: Artists
    forecasts: JsonTable[list[Answer]]

    @classmethod
    def open(cls, version: Version, folder: Path, other: Callable[[], Answerer | None]) -> "WeeklyAnswerer":
        """Memory-map what was prepared; an ArtifactError if it is damaged."""
        artists = Artists.load(folder)
        forecasts = JsonTable[list[Answer]].load(folder / FORECASTS, list[Answer])
        if len(forecasts) != len(artists.ids):
            raise ArtifactError(f"{folder} is damaged: it has not one forecast for each artist", DAMAGED_HINT)
        return cls(version, settings_of(version).horizon, artists, forecasts)

    def answer(self, requests: Sequence[WeeklyRequest]) -> list[list[Answer]]:
        """Return the rows of each request, see `WeeklyPredictor.predict`.

        Raises:
            NotFoundError: an artist has no play.
            UsageError: a horizon is below 1, or more than the version was trained for.
        """
        rows = [self.artists.row(request.artist_id) for request in requests]
        horizons = [self.horizon if request.horizon is None else request.horizon for request in requests]
        for horizon in horizons:
            if not 1 <= horizon <= self.horizon:
                raise beyond_horizon(self.version, self.horizon, horizon)
        return [self.forecasts[row][:horizon] for row, horizon in zip(rows, horizons, strict=True)]

    def artist_ids(self, name: str) -> list[str]:
        """Return the ids of all artists with this name, see `Artists.named`."""
        return self.artists.named(name)
