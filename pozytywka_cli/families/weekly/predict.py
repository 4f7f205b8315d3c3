"""The predictor: the listening of artists in the weeks after the last full one."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import polars as pl

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.predictor import loading
from pozytywka_cli.families.weekly import FAMILY
from pozytywka_cli.families.weekly.artists import Artists, unknown
from pozytywka_cli.families.weekly.forecast import Forecast
from pozytywka_cli.families.weekly.levels import recent, usual
from pozytywka_cli.families.weekly.models.fit import load
from pozytywka_cli.families.weekly.requests import WeeklyRequest, beyond_horizon
from pozytywka_cli.families.weekly.series import WEEK, Series, series
from pozytywka_cli.families.weekly.settings import settings_of
from pozytywka_cli.families.weekly.shared_move import shared_move
from pozytywka_cli.families.weekly.splits import require_weeks
from pozytywka_cli.families.weekly.trends import trends


@dataclass(frozen=True)
class WeeklyPredictor:
    """The forecasts of all artists with a play, computed once.

    One model is used for all artists: one whose first play came after training is forecast from its zero-filled
    history, and one without a play in a full week gets zeros. All artists are forecast together, whatever is requested,
    as the mixture and the LSTM read from all of them how listening as a whole moves.
    """

    Request: ClassVar[type[WeeklyRequest]] = WeeklyRequest
    version: Version
    history: Series  # of the measure that the version forecasts
    horizon: int  # how many weeks ahead the version was trained for
    rows: pl.DataFrame  # see `predict`, with `step` (weeks ahead), sorted by artist_id and week

    @classmethod
    def open(cls, version: Version, dataset: Dataset | None) -> "WeeklyPredictor":
        """Forecast every artist of the dataset, and test which of them are rising or falling.

        Raises a RefusedError if there are fewer than 4 full weeks of plays, or fewer than the model reads, or no
        dataset; an UnavailableError if the version needs an extra that is not installed.
        """
        if dataset is None:
            raise RefusedError("weekly predicts from plays, and there are none", "Name a data folder with --data-dir.")
        with loading(version, FAMILY.variants):
            model, settings = load(version), settings_of(version)
        made, titles = version.manifest, dict(dataset.artists.select("id", "name").iter_rows())
        history, horizon = require_weeks(series(dataset, settings.measure)), settings.horizon
        method = f"{made.variant}, a fallback" if made.fallback_for else made.variant
        return cls(version, history, horizon, _rows(history, model.forecast(history, horizon), titles, method))

    def predict(self, requests: pl.DataFrame) -> pl.DataFrame:
        """Return the forecasts of the requested artists, in their order, with a row for each week.

        The columns are artist_id, name (null where the artists table has none), week (the Monday), mean, q10, q90 (the
        ends of the 80 % interval), last_week (seconds), change (of the mean relative to `recent`, with what all artists
        share; null where that is 0), recent (seconds: the mean of the last 4 weeks), usual (that of the weeks before,
        since the artist's first; null without any), trend (rising, falling or steady beside `shared_move`, see
        `trends`; null for the measure "mean") and method (variant, and if a fallback).

        Raises:
            NotFoundError: an artist has no play.
            UsageError: a horizon is below 1, or more than the version was trained for.
        """
        horizon = pl.col("horizon") if "horizon" in requests.columns else pl.lit(None)
        horizon = horizon.cast(pl.Int64).fill_null(self.horizon)
        wanted = requests.select(pl.col("artist_id").cast(pl.String), horizon=horizon)
        self._check(wanted)
        answers = wanted.join(self.rows, on="artist_id", how="left", maintain_order="left_right")
        return answers.filter(pl.col("step") <= pl.col("horizon")).drop("horizon", "step")

    @property
    def shared_move(self) -> float | None:
        """By what factor all artists moved from the weeks before to the last 4; None for the measure "mean"."""
        return None if self.history.measure == "mean" else shared_move(self.history)

    def default_requests(self) -> pl.DataFrame:
        """Return a request for every artist with a play."""
        return pl.DataFrame({"artist_id": self.history.artist_ids}, schema={"artist_id": pl.String})

    def artist_ids(self, name: str) -> list[str]:
        """Return the ids of all artists with this name, see `Artists.named`."""
        return self.artists.named(name)

    @cached_property
    def artists(self) -> Artists:
        """All artists of the rows; one with a null name is called by its id."""
        artists = self.rows.filter(pl.col("step") == 1).select("artist_id", pl.coalesce("name", "artist_id"))
        return Artists.of(*(column.to_list() for column in artists.get_columns()))

    def _check(self, wanted: pl.DataFrame) -> None:
        unknown_ids = wanted.join(self.rows, on="artist_id", how="anti")["artist_id"]
        if len(unknown_ids):
            raise unknown(unknown_ids[0])
        outside = wanted.filter(~pl.col("horizon").is_between(1, self.horizon))["horizon"]
        if len(outside):
            raise beyond_horizon(self.version, self.horizon, outside[0])


def _rows(history: Series, forecast: Forecast, titles: dict[str, str], method: str) -> pl.DataFrame:
    """Return a row for each artist and week; `titles` are the names by artist_id."""
    artists, horizon = forecast.mean.shape
    ids, steps = np.repeat(history.artist_ids, horizon).tolist(), list(range(1, horizon + 1))
    level = recent(history)[:, None]
    change = np.divide(forecast.mean - level, level, out=np.full_like(forecast.mean, np.nan), where=level > 0)
    return pl.DataFrame(
        {
            "artist_id": ids,
            "step": steps * artists,
            "name": [titles.get(artist) for artist in ids],
            "week": [history.weeks[-1] + WEEK * step for step in steps] * artists,
            "mean": forecast.mean.ravel(),
            "q10": forecast.quantiles[..., 0].ravel(),
            "q90": forecast.quantiles[..., -1].ravel(),
            "last_week": np.repeat(history.listened[:, -1], horizon),
            "change": change.ravel(),
            "recent": np.repeat(level, horizon),
            "usual": np.repeat(usual(history), horizon),
            "trend": None if history.measure == "mean" else np.repeat(trends(history), horizon).tolist(),
            "method": method,
        },
        schema_overrides={"step": pl.Int64, "week": pl.Date} | dict.fromkeys(("artist_id", "name", "trend"), pl.String),
    ).with_columns(pl.col("change", "usual").fill_nan(None))
