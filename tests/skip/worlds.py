"""Small services whose truth is known."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from pozytywka_cli.artifacts import Draft, Origin, Store, Version
from pozytywka_cli.dataset.service import Service
from pozytywka_cli.skip.inputs.features import Fitted
from pozytywka_cli.skip.inputs.history import canonical
from pozytywka_cli.skip.inputs.taste import ATTRIBUTES, edges

START = datetime(2025, 1, 6, 10, tzinfo=UTC)  # a Monday
MOMENT = pl.Datetime("us", "UTC")
GENRES = ("ambient", "blues", "choral", "disco", "electro")

PLAYS = pl.Schema(
    {
        "user_id": pl.Int64,
        "session_id": pl.Int64,
        "track_id": pl.String,
        "started_at": MOMENT,
        "advertisement_before": pl.Boolean,
        "skipped": pl.Boolean,
        "liked": pl.Boolean,
        "listened_ms": pl.Int64,
    }
)


def at(seconds: float) -> datetime:
    """So many seconds after the start of the log."""
    return START + timedelta(seconds=seconds)


def tracks(count: int, seed: int = 0) -> pl.DataFrame:
    """Tracks t0, t1 …, of which the even ones last 200 s and the odd ones 300 s, by artists a0 to a4."""
    generator = np.random.default_rng(seed)
    attributes = {name: generator.random(count) for name in ATTRIBUTES}
    attributes |= {"duration_ms": np.where(np.arange(count) % 2, 300_000, 200_000)}
    attributes |= {"popularity": generator.integers(0, 101, count)}
    names = {
        "id": [f"t{number}" for number in range(count)],
        "id_artist": [f"a{number % 5}" for number in range(count)],
    }
    return pl.DataFrame(names | attributes)


def service(plays: pl.DataFrame, catalogue: pl.DataFrame, bought: dict[int, datetime] | None = None) -> Service:
    """The service with these plays; user u likes two genres, artist a one or two."""
    users = plays["user_id"].unique().sort().to_list()
    purchases = {"user_id": list(bought or {}), "purchased_at": list((bought or {}).values())}
    return Service(
        plays=plays,
        purchases=pl.DataFrame(purchases, schema={"user_id": pl.Int64, "purchased_at": MOMENT}),
        users=pl.DataFrame(
            {"user_id": users, "favourite_genres": [[GENRES[user % 5], GENRES[(user + 2) % 5]] for user in users]}
        ),
        artists=pl.DataFrame(
            {
                "id": [f"a{n}" for n in range(5)],
                "name": ["x"] * 5,
                "genres": [[GENRES[n]] if n % 2 else [GENRES[n], GENRES[(n + 1) % 5]] for n in range(5)],
            }
        ),
        tracks=catalogue,
    )


def tangled(seed: int, *, plays: int = 300, users: int = 4) -> Service:
    """A service whose users have many sessions running at once, ties in time, and tracks that nobody knows."""
    generator = np.random.default_rng(seed)
    catalogue = tracks(30, seed).with_columns(valence=pl.when(pl.int_range(30) % 7 > 0).then("valence"))
    track = generator.integers(0, 33, plays)
    duration = np.where(track % 2, 300_000, 200_000)
    skipped = generator.random(plays) < 0.4
    listened = np.where(skipped, generator.integers(0, 200, plays) * 1000, duration)
    frame = pl.DataFrame(
        {
            "user_id": generator.integers(0, users, plays),
            "session_id": generator.integers(0, 6, plays),
            "track_id": [f"t{number}" for number in track],
            "started_at": [at(float(second) * 10) for second in generator.integers(0, plays * 4, plays)],
            "advertisement_before": generator.random(plays) < 0.3,
            "skipped": skipped,
            "liked": generator.random(plays) < 0.3,
            "listened_ms": pl.Series(listened).set(pl.Series((track >= 30) & ~skipped), None),
        },
        schema=PLAYS,
    )
    frame = canonical(frame.unique(["user_id", "session_id", "started_at", "track_id"], keep="first"))
    # a SKIP belongs to the latest PLAY of its session, so it comes before the next one
    gap = (pl.col("started_at").shift(-1).over("user_id", "session_id") - pl.col("started_at")).dt.total_milliseconds()
    heard = pl.when("skipped").then(pl.min_horizontal("listened_ms", gap)).otherwise("listened_ms")
    return service(frame.with_columns(listened_ms=heard), catalogue, {0: at(plays * 13), 2: at(plays * 25)})


def listeners(seed: int, *, users: int, each: int, persona: bool) -> Service:
    """Plays in sessions of ten; skips are coin flips, or with `persona` follow what each user thinks of dancing."""
    generator = np.random.default_rng(seed)
    catalogue = tracks(80, seed)
    user, number = np.repeat(np.arange(users), each), np.tile(np.arange(each), users)
    track = generator.integers(0, 80, users * each)
    dances = catalogue["danceability"].to_numpy()[track] > 0.5
    chance = np.where(dances == (user % 2 == 0), 0.8, 0.2) if persona else np.full(len(user), 0.3)
    skipped = generator.random(len(user)) < chance
    frame = pl.DataFrame(
        {
            "user_id": user,
            "session_id": number // 10,
            "track_id": [f"t{one}" for one in track],
            "started_at": [at(float(one // 10 * 7200 + one % 10 * 310)) for one in number],
            "advertisement_before": generator.random(len(user)) < 0.2,
            "skipped": skipped,
            "liked": generator.random(len(user)) < 0.2,
            "listened_ms": np.where(skipped, 30_000, np.where(track % 2, 300_000, 200_000)),
        },
        schema=PLAYS,
    )
    return service(frame, catalogue)


def fitted(catalogue: pl.DataFrame) -> Fitted:
    """Round rates, so that features can be computed by hand."""
    return Fitted(0.4, 0.2, 0.1, {name: edges(catalogue[name]) for name in ATTRIBUTES})


def saved(draft: Draft, folder: Path) -> Version:
    """The draft as a version on disk, checked and loaded."""
    store = Store(folder)
    version = store.save(Origin("skip", draft.variant, {}, 0, "cpu", None, []), draft)
    return store.load("skip", version.name)
