"""Small logs and storage tables for the tests of the cache plan."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.dataset.tables import TABLES
from pozytywka_cli.planning.storage import Storage

START = datetime(2025, 1, 6, tzinfo=UTC)
RATES = {"FAST": 4e-6, "MEDIUM": 2e-6, "SLOW": 1e-6}


def storage_of(durations: list[int], classes: list[str | None] | None = None, artists: int = 3) -> Storage:
    """Tracks t000, t001 … with these durations (ms), by default all SLOW, at the costs of `RATES`."""
    count = len(durations)
    frame = pl.DataFrame(
        {
            "track_id": [f"t{number:03}" for number in range(count)],
            "name": [f"Track {number}" for number in range(count)],
            "artist_id": [f"a{number % artists}" for number in range(count)],
            "duration_ms": durations,
            "popularity": [10 * (number % 10) for number in range(count)],
            "storage_class": pl.Series(classes or ["SLOW"] * count, dtype=pl.String),
        }
    )
    cost = pl.col("duration_ms") * pl.col("storage_class").replace_strict(RATES, default=None, return_dtype=pl.Float64)
    return Storage(frame.with_columns(daily_cost=cost), RATES)


def dataset_of(storage: Storage, plays: pl.DataFrame) -> Dataset:
    """A dataset with these plays: user_id, track_id, started_at, listened_ms."""
    tracks = storage.tracks.select("name", "duration_ms", "popularity", id="track_id", id_artist="artist_id")
    artists = tracks.select(id="id_artist").unique().sort("id").with_columns(name=pl.lit("Artist ") + pl.col("id"))
    unknown = [pl.lit(None, pl.Datetime("us", "UTC")).alias(name) for name in ("skipped_at", "liked_at")]
    joined = plays.join(tracks.select("duration_ms", track_id="id"), on="track_id", how="left", maintain_order="left")
    whole = joined.with_columns(
        *unknown,
        session_id=pl.int_range(pl.len(), dtype=pl.Int64),
        skipped=(pl.col("listened_ms") < pl.col("duration_ms")).fill_null(False),
        liked=False,
        advertisement_before=False,
    ).drop("duration_ms")
    users = pl.DataFrame(schema={"user_id": pl.Int64, "favourite_genres": pl.List(pl.String)})
    purchases = pl.DataFrame(schema={"user_id": pl.Int64, "purchased_at": pl.Datetime("us", "UTC")})
    return Dataset(
        whole, purchases, users, artists, tracks.select(TABLES["tracks"].schema.keys() & set(tracks.columns))
    )


def plays_of(storage: Storage, days: int, a_day: int, seed: int = 0, users: int = 5) -> pl.DataFrame:
    """Random plays of tracks, some more popular than others; the last one is fixed, so that every log ends alike."""
    random = np.random.default_rng(seed)
    weights = random.gamma(0.5, 1.0, len(storage.tracks)) + 0.01
    track = random.choice(len(storage.tracks), days * a_day, p=weights / weights.sum())
    track[-1] = 0
    minutes = np.sort(random.integers(0, days * 24 * 60, days * a_day))
    minutes[0], minutes[-1] = 0, days * 24 * 60
    durations = storage.tracks["duration_ms"].to_numpy()[track]
    listened = np.where(random.random(len(track)) < 0.3, durations // 3, durations)
    return pl.DataFrame(
        {
            "user_id": random.integers(1, users + 1, len(track)),
            "track_id": storage.tracks["track_id"].gather(track),
            "started_at": pl.Series([START + timedelta(minutes=int(minute)) for minute in minutes]).dt.cast_time_unit(
                "us"
            ),
            "listened_ms": listened.astype(np.int64),
        }
    )
