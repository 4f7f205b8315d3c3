"""Small logs of plays for the tests of experiments."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

START = datetime(2024, 3, 1, tzinfo=UTC)  # of an experiment; the plays begin four weeks before, and end four after


def plays(users: int = 200, seed: int = 0, *, habits: float = 1.0) -> pl.DataFrame:
    """Plays of users who differ in activity and in how often they skip, as `play_totals.unit_plays` returns them."""
    chance = np.random.default_rng(seed)
    counts = chance.poisson(np.exp(chance.normal(3, 0.5, users))) + 2
    user = np.repeat(np.arange(users), counts)
    skips = 1 / (1 + np.exp(-chance.normal(-0.5, habits, users)))
    skipped = chance.random(len(user)) < skips[user]
    minutes = chance.integers(-28 * 1440, 28 * 1440, len(user))
    return pl.DataFrame(
        {
            "unit": [str(one) for one in user],
            "started_at": [START + timedelta(minutes=int(one)) for one in minutes],
            "skipped": skipped,
            "listened_ms": np.where(skipped, 20_000, 200_000),
        }
    ).with_columns(pl.col("started_at").dt.cast_time_unit("us")).sort("unit", "started_at")  # fmt: skip
