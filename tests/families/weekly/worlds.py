"""Small datasets and series made by hand."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.weekly.series import Series

Play = tuple[str, str, float]

MONDAY = date(2025, 1, 6)


def dataset_of(plays: Sequence[Play]) -> Dataset:
    """A dataset with these plays (artist, ISO 8601 start in UTC, seconds) and one track of each artist."""
    artists = sorted({artist for artist, _, _ in plays})
    rows = {
        "user_id": [1] * len(plays),
        "session_id": [1] * len(plays),
        "track_id": [f"track of {artist}" for artist, _, _ in plays],
        "started_at": [datetime.fromisoformat(start).replace(tzinfo=UTC) for _, start, _ in plays],
        "listened_ms": [round(seconds * 1000) for _, _, seconds in plays],
        "skipped_at": [None] * len(plays),
        "liked_at": [None] * len(plays),
    }
    moments = dict.fromkeys(("started_at", "skipped_at", "liked_at"), pl.Datetime("us", "UTC"))
    types = {"track_id": pl.String, "listened_ms": pl.Int64, **moments}
    return Dataset(
        plays=pl.DataFrame(rows, schema_overrides=types),
        purchases=pl.DataFrame(schema={"user_id": pl.Int64, "purchased_at": pl.Datetime("us", "UTC")}),
        users=pl.DataFrame(schema={"user_id": pl.Int64, "favourite_genres": pl.List(pl.String)}),
        artists=pl.DataFrame(
            {"id": artists, "name": [f"The {a}" for a in artists]}, schema_overrides={"id": pl.String}
        ),
        tracks=pl.DataFrame(
            {"id": [f"track of {artist}" for artist in artists], "id_artist": artists},
            schema={"id": pl.String, "id_artist": pl.String},
        ),
    )


def dataset_from(listened: NDArray[np.float64]) -> Dataset:
    """A dataset whose full weeks are the columns of `listened` (s): a play on Monday and one on Sunday each."""
    plays = []
    for (artist, week), seconds in np.ndenumerate(listened):
        for day in (0, 6):
            start = MONDAY + timedelta(weeks=week, days=day)
            plays.append((f"artist {artist:03}", start.isoformat(), seconds / 2))
    return dataset_of(plays)


def series_of(listened: NDArray[np.float64], listen: float = 200.0) -> Series:
    """A series of `listened` (artists, weeks) in s, made of listens of `listen` seconds each."""
    weeks = [MONDAY + timedelta(weeks=week) for week in range(listened.shape[1])]
    ids = [f"artist {row:05}" for row in range(len(listened))]
    return Series(ids, weeks, listened, listened * listen)


def compound_poisson(rates: NDArray[np.float64], seed: int) -> Series:
    """Weeks of Poisson many listens at `rates` (artists, weeks), each of 197 ± 89 seconds (gamma)."""
    random = np.random.default_rng(seed)
    counts = random.poisson(rates).ravel()
    listens = random.gamma(4.9, 197 / 4.9, counts.sum())
    cells = np.repeat(np.arange(counts.size), counts)
    sums = [np.bincount(cells, values, counts.size).reshape(rates.shape) for values in (listens, listens**2)]
    base = series_of(sums[0])
    return Series(base.artist_ids, base.weeks, *sums)


WEEKS = np.arange(104)
SIGNALS = ("AR(1)", "annual", "random walk", "growth")


def signal(name: str, artists: int, seed: int) -> NDArray[np.float64]:
    """How far the logarithm of each artist's rate lies from its own level: (artists, 104).

    An AR(1) of .95 with a standard deviation of .4, a swing of .4 over the year, a random walk of .08 a week, or a
    growth of .01 a week.
    """
    steps = np.random.default_rng(seed).normal(size=(artists, len(WEEKS)))
    if name == "AR(1)":
        steps[:, 1:] *= np.sqrt(1 - 0.95**2)
        age = WEEKS[None] - WEEKS[:, None]
        return 0.4 * steps @ np.where(age >= 0, 0.95 ** np.maximum(age, 0), 0)
    if name == "random walk":
        return np.cumsum(0.08 * steps, axis=1)
    shared = 0.01 * WEEKS if name == "growth" else 0.4 * np.sin(2 * np.pi * (WEEKS + 48) / 52)
    return np.broadcast_to(shared, (artists, len(WEEKS)))


def with_signal(name: str, artists: int, seed: int) -> Series:
    """Weeks of Poisson many listens at each artist's own rate times the exponential of a signal."""
    rates = np.random.default_rng(seed).lognormal(1.9, 1.0, (artists, 1))
    return compound_poisson(rates * np.exp(signal(name, artists, seed + 1)), seed + 2)
