"""Every artist's listening in the weeks after the last full one."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import UsageError
from pozytywka_cli.families.weekly.fit import load
from pozytywka_cli.families.weekly.metrics import enough
from pozytywka_cli.families.weekly.model import Forecast
from pozytywka_cli.families.weekly.series import WEEK, Series, series
from pozytywka_cli.families.weekly.trends import recent, usual, verdicts

__all__ = ["load", "predict"]


def predict(
    version: Version, dataset: Dataset, *, horizon: int | None = None, history: Series | None = None
) -> pl.DataFrame:
    """Forecast the next weeks of every artist with a play: `horizon` of them, or as many as the version was made for.

    One model serves all artists: one whose first play came after training is forecast from its zero-filled history,
    and one whose only plays lie in a partial week gets zeros. An artist without any play is not listed. `history` is
    the dataset's series of the measure that the version forecasts, if it has been made already.

    Returns:
        artist_id, name (null where the artists table lacks it), week (the Monday), mean, q10, q90, last_week (seconds),
        change (of the mean against that of the last 4 weeks, as a share of it; null where they were silent), recent
        (the mean of the last 4 weeks), usual (that of the weeks before, since the artist's first; null where there are
        none; both in seconds), verdict (whether recent is above usual, see `verdicts`; one for all weeks of an artist,
        null for the measure "mean", of which it does not tell) and method ("mean, a fallback" where the history was too
        short for the model), sorted by artist_id and week.

    Raises:
        RefusedError: fewer than 4 full weeks of plays, or fewer than the model reads.
        UsageError: `horizon` is more than the version was made for.
        UnavailableError: the version needs an extra that is not installed.
    """
    made_with = version.manifest.settings
    farthest = made_with.get("horizon", 1)
    if horizon is not None and horizon > farthest:
        problem = f"weekly {version.name} looks {farthest} week{'s' if farthest > 1 else ''} ahead, not {horizon}"
        raise UsageError(problem, f"Train one that does with `pozytywka train weekly --horizon {horizon}`.")
    history = enough(history or series(dataset, made_with.get("measure", "total")))
    found = _long(history, load(version).forecast(history, horizon or farthest))
    names = dataset.artists.select("name", artist_id="id")
    fallback = any(note.startswith("fallback") for note in version.manifest.notes)
    variant = version.manifest.variant
    return found.join(names, on="artist_id", how="left", maintain_order="left").select(
        "artist_id",
        "name",
        "week",
        "mean",
        "q10",
        "q90",
        "last_week",
        "change",
        "recent",
        "usual",
        "verdict",
        pl.lit(f"{variant}, a fallback" if fallback else variant).alias("method"),
    )


def _long(history: Series, forecast: Forecast) -> pl.DataFrame:
    """A row for each artist and week."""
    artists, horizon = forecast.mean.shape
    lately = recent(history)
    level = lately[:, None]
    change = np.divide(forecast.mean - level, level, out=np.full_like(forecast.mean, np.nan), where=level > 0)
    weeks: list[date] = [history.weeks[-1] + WEEK * step for step in range(1, horizon + 1)]
    return pl.DataFrame(
        {
            "artist_id": np.repeat(history.artist_ids, horizon).tolist(),
            "week": weeks * artists,
            "mean": forecast.mean.ravel(),
            "q10": forecast.quantiles[..., 0].ravel(),
            "q90": forecast.quantiles[..., -1].ravel(),
            "last_week": np.repeat(history.listened[:, -1], horizon),
            "change": change.ravel(),
            "recent": np.repeat(lately, horizon),
            "usual": np.repeat(usual(history), horizon),
            "verdict": _verdicts(history).repeat(horizon).tolist(),
        },
        schema_overrides={"artist_id": pl.String, "week": pl.Date, "verdict": pl.String},
    ).with_columns(pl.col("change", "usual").fill_nan(None))


def _verdicts(history: Series) -> NDArray[Any]:
    if history.measure == "mean":
        return np.full(len(history.artist_ids), None)
    return verdicts(history)
