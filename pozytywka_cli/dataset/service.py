"""The service as the model families see it: plays and the tables that describe them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from pozytywka_cli.dataset.tables import TABLES
from pozytywka_cli.dataset.transform import describe_inputs, provenance, stale, transform
from pozytywka_cli.dataset.validate import check
from pozytywka_cli.records import Input

DESCRIBING = ("users", "artists", "tracks")


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


def load(folder: Path, plays_file: Path, say: Callable[[str], None]) -> Service:
    """The service in `folder`, with plays made again, saying so, where `plays_file` is missing or stale.

    Raises:
        RefusedError: plays must be made and the data have errors.
    """
    if reason := stale(folder, plays_file):
        say(f"Making {plays_file}: {reason}.")
        transform(folder, plays_file)
    made_from = provenance(plays_file)
    described = check(folder, DESCRIBING)
    for name in described.readings:
        if bad := len(described.bad(name)):
            say(f"Leaving out {bad:,} bad lines of {name}; see `pozytywka validate`.")
    frames = {name: described.good(name) if name in described.readings else _empty(name) for name in DESCRIBING}
    inputs = {given.name: given for given in describe_inputs(folder, DESCRIBING, described)}
    inputs |= {given.name: given for given in (made_from.inputs if made_from else [])}
    return Service(
        plays=pl.read_parquet(plays_file),
        purchases=pl.read_parquet(plays_file.with_name("purchases.parquet")),
        users=frames["users"].select("user_id", "favourite_genres"),
        artists=frames["artists"],
        tracks=frames["tracks"],
        inputs=list(inputs.values()),
    )


def _empty(name: str) -> pl.DataFrame:
    return pl.DataFrame(schema=TABLES[name].schema)
