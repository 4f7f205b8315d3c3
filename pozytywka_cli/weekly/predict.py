"""Every artist's listening in the week after the last full one."""

import polars as pl

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.service import Service
from pozytywka_cli.weekly.features import WEEK, series
from pozytywka_cli.weekly.measure import enough
from pozytywka_cli.weekly.model import load

__all__ = ["load", "predict"]


def predict(version: Version, service: Service) -> pl.DataFrame:
    """Forecast the next week of every artist with a play.

    One model serves all artists: one whose first play came after training is forecast from its zero-filled history,
    and one whose only plays lie in a partial week gets zeros. An artist without any play is not listed.

    Returns:
        artist_id, name (null where the artists table lacks it), week (the Monday), mean, q10, q90, last_week (seconds)
        and method ("mean, a fallback" where the history was too short for the LSTM), sorted by artist_id.

    Raises:
        RefusedError: fewer than 4 full weeks of plays, or fewer than the model reads.
    """
    history = enough(series(service))
    model = load(version)
    forecast = model.forecast(history)
    found = pl.DataFrame(
        {
            "artist_id": history.artist_ids,
            "mean": forecast.mean,
            "q10": forecast.quantiles[:, 0],
            "q90": forecast.quantiles[:, -1],
            "last_week": history.listened[:, -1],
        },
        schema_overrides={"artist_id": pl.String},
    )
    names = service.artists.select("name", artist_id="id")
    fallback = any(note.startswith("fallback") for note in version.manifest.notes)
    named = found.join(names, on="artist_id", how="left", maintain_order="left")
    return named.select(
        "artist_id",
        "name",
        pl.lit(history.weeks[-1] + WEEK).alias("week"),
        "mean",
        "q10",
        "q90",
        "last_week",
        pl.lit(f"{model.variant}, a fallback" if fallback else model.variant).alias("method"),
    )
