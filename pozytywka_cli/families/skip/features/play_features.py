"""What the `advanced` model knows when a track starts: one pure function for training and for prediction."""

from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.skip.features.attribute_rates import ATTRIBUTES, BINS, SIDED, codes, edges, taste
from pozytywka_cli.families.skip.features.attribute_slopes import slope_effect, steps
from pozytywka_cli.families.skip.features.history import (
    SESSION,
    USER,
    Flags,
    Floats,
    Past,
    begun,
    history,
    known,
    likes,
    rate,
)

USER_PRIOR = 5.0  # plays at the training part's own rate
RECENT_PRIOR = 2.0
SESSION_PRIOR = 2.0  # plays at the user's own rate
HALF_LIFE = 15.0  # plays
RECENT = 8  # plays


class Fitted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the features take from training: the rates of all plays, and each attribute's quantiles in the catalogue."""

    skip_rate: float
    like_rate: float
    advertisement_rate: float
    edges: dict[str, list[float]]
    smoothing: float = 1.0  # multiplies the plays of every prior


def fit(plays: pl.DataFrame, tracks: pl.DataFrame, smoothing: float = 1.0) -> Fitted:
    """The rates of `plays`, and the quantiles of `tracks`, whoever plays them."""
    skip_rate, like_rate, advertisement_rate = plays.select("skipped", "liked", "advertisement_before").mean().row(0)
    quantiles = {name: edges(tracks[name]) for name in ATTRIBUTES}
    return Fitted(skip_rate, like_rate, advertisement_rate, quantiles, smoothing)


def features(asked: pl.DataFrame, dataset: Dataset, fitted: Fitted) -> pl.DataFrame:
    """The features of each asked row (Float32, in the order given), from what was known when it started.

    Args:
        asked: user_id, session_id (null: a new session), track_id, started_at (UTC, µs), advertisement_before; plays or
            candidates. They are seen against `dataset.plays` and never against each other.
        dataset: the log and the tables; only plays whose outcome was known, and purchases made, by `started_at` count.
        fitted: kept from training.

    Returns:
        rates in 0..1, smoothed towards a prior; counts as log(1 + n); track attributes as they are, null where unknown.
    """
    log = _described(history(dataset.plays, dataset.tracks), dataset, fitted)
    rows = _described(asked, dataset, fitted)
    session = begun(log, rows)
    user = known(log, rows, session, USER)
    habits = _user(log, rows, user, fitted)
    own_rate, smoothing = habits["user_rate"], fitted.smoothing
    found: dict[str, NDArray[Any]] = {
        **habits,
        **taste(log, rows, user, own_rate, smoothing),
        "slope_effect": slope_effect(log, rows, user, own_rate, smoothing),
        **_session(log, rows, session, own_rate, smoothing),
        **_moment(rows),
        "favourite_genre": _favourite(rows, dataset),
    }
    return pl.DataFrame({name: values.astype(np.float32) for name, values in found.items()}).with_columns(
        rows.select(pl.col(ATTRIBUTES).cast(pl.Float32))
    )


def user_rate(asked: pl.DataFrame, dataset: Dataset, skip_rate: float) -> Floats:
    """The share of each asked row's user's known plays that were skipped, with 5 plays at `skip_rate`: (asked,)."""
    log = history(dataset.plays, dataset.tracks)
    user = known(log, asked, begun(log, asked), USER)
    return rate(user.skips(), user.size, USER_PRIOR, skip_rate)


def _described(plays: pl.DataFrame, dataset: Dataset, fitted: Fitted) -> pl.DataFrame:
    """`plays` with their track's attributes, codes and steps, and `premium`: an earlier purchase proves it."""
    coded = [codes(dataset.tracks[name], fitted.edges[name]).alias(f"{name}_code") for name in ATTRIBUTES]
    stepped = [steps(dataset.tracks[name], fitted.edges[name]).alias(f"{name}_steps") for name in SIDED]
    tracks = dataset.tracks.select(pl.col("id").alias("track_id"), *ATTRIBUTES, *coded, *stepped)
    return (
        plays.join(tracks, on="track_id", how="left", maintain_order="left")
        .join(dataset.purchases, on="user_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("^.*_code$").fill_null(BINS),
            pl.col("^.*_steps$").fill_null(0),
            premium=(pl.col("purchased_at") <= pl.col("started_at")).fill_null(False),
        )
    )


def _user(log: pl.DataFrame, rows: pl.DataFrame, past: Past, fitted: Fitted) -> dict[str, Floats]:
    premium, advertised = (log[name].to_numpy() for name in ("premium", "advertisement_before"))
    liked, latest_liked = likes(log, rows, past)
    size, recent = past.size, np.minimum(past.size, RECENT)
    prior, recent_prior = fitted.smoothing * USER_PRIOR, fitted.smoothing * RECENT_PRIOR
    now = rows["premium"].to_numpy()
    same, skips = (np.where(now, counted(premium), counted(~premium)) for counted in (past.count, past.skips))
    return {
        "user_rate": rate(past.skips(), size, prior, fitted.skip_rate),
        "user_plays": np.log1p(size),
        "like_rate": rate(liked, size, prior, fitted.like_rate),
        "rate_in_premium_state": rate(skips, same, prior, fitted.skip_rate),
        "moving_average": past.moving_average(log["user_id"].to_numpy(), start=fitted.skip_rate, half_life=HALF_LIFE),
        "last_8": rate(past.skips(last=RECENT), recent, recent_prior, fitted.skip_rate),
        "advertisement_rate": rate(past.count(advertised), size, prior, fitted.advertisement_rate),
        "previous_skipped": np.where(size > 0, past.skips(last=1), fitted.skip_rate),
        "previous_liked": np.where(size > 0, latest_liked, fitted.like_rate),
    }


def _session(
    log: pl.DataFrame, rows: pl.DataFrame, past: Past, own_rate: Floats, smoothing: float
) -> dict[str, Floats]:
    """How the session went so far."""
    ended = known(log, rows, past, SESSION)
    advertised = rows["advertisement_before"].to_numpy()
    starts = np.append(log["started_at"].to_physical().to_numpy()[past.order], 0)
    now = rows["started_at"].to_physical().to_numpy()
    elapsed = np.where(past.size > 0, now - starts[np.where(past.size > 0, past.first, -1)], 0)
    return {
        "session_rate": rate(ended.skips(), ended.size, smoothing * SESSION_PRIOR, own_rate),
        "session_advertisements": np.log1p(past.count(log["advertisement_before"].to_numpy()) + advertised),
        "session_position": np.log1p(past.size),
        "session_minutes": np.log1p(elapsed / 60e6),
    }


def _moment(rows: pl.DataFrame) -> dict[str, NDArray[Any]]:
    hour = 2 * np.pi / 24 * np.arange(24)
    hours = rows["started_at"].dt.hour().to_numpy()
    return {
        "hour_sine": np.sin(hour)[hours],
        "hour_cosine": np.cos(hour)[hours],
        "weekend": (rows["started_at"].dt.weekday() > 5).to_numpy(),
        "advertisement_before": rows["advertisement_before"].to_numpy(),
        "premium": rows["premium"].to_numpy(),
    }


def _favourite(rows: pl.DataFrame, dataset: Dataset) -> Flags:
    """Whether the main genre of each row's artist, the first one, is among its user's favourites: (rows,)."""
    artists = dataset.artists.select(id_artist="id", genre=pl.col("genres").list.first())
    genres = dataset.tracks.select("id_artist", track_id="id").join(artists, on="id_artist")
    favourites = dataset.users.select("user_id", genre="favourite_genres", favourite=True).explode("genre").unique()
    found = (
        rows.select("user_id", "track_id")
        .join(genres, on="track_id", how="left", maintain_order="left")
        .join(favourites, on=["user_id", "genre"], how="left", maintain_order="left")
    )
    return found["favourite"].fill_null(False).to_numpy()
