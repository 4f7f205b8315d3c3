"""The service as the model families see it: plays and the tables that describe them."""

from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from pozytywka_cli.records import Input


@dataclass(frozen=True)
class Service:
    """Frames of good rows, and what they were read from.

    plays: user_id, session_id, track_id, started_at (UTC, µs), advertisement_before, skipped, liked, listened_ms
    purchases: user_id, purchased_at: the first BUY_PREMIUM of a user
    users: user_id, favourite_genres (never premium_user, name, city or street)
    artists: id, name, genres
    tracks: id, name, id_artist, duration_ms, popularity … tempo
    """

    plays: pl.DataFrame
    purchases: pl.DataFrame
    users: pl.DataFrame
    artists: pl.DataFrame
    tracks: pl.DataFrame
    inputs: list[Input] = field(default_factory=list)

    def until(self, moment: datetime | None) -> "Service":
        """The service as it was known just before `moment` (UTC): later plays and purchases are unknown."""
        if moment is None:
            return self
        return replace(
            self,
            plays=self.plays.filter(pl.col("started_at") < moment),
            purchases=self.purchases.filter(pl.col("purchased_at") < moment),
        )
