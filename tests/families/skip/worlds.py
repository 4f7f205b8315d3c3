"""Small generated data sets."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from pozytywka_cli.artifacts import Draft, Origin, Store, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.dataset.tables import EVENTS
from pozytywka_cli.dataset.transform import to_plays
from pozytywka_cli.families.skip.features.attribute_rates import edges
from pozytywka_cli.families.skip.features.attributes import ATTRIBUTES
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.play_features import PlayFeatures
from pozytywka_cli.families.skip.features.play_log import PlayLog

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
    """A moment, in seconds after the start of the log."""
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


def timed(plays: pl.DataFrame) -> pl.DataFrame:
    """The plays with the moments at which they were skipped, and liked: a second after they started."""
    moments = {"skipped": pl.duration(milliseconds="listened_ms"), "liked": pl.duration(seconds=1)}
    return plays.with_columns(
        pl.when(event).then(pl.col("started_at") + after).alias(f"{event}_at") for event, after in moments.items()
    )


def dataset(
    plays: pl.DataFrame,
    catalogue: pl.DataFrame,
    bought: dict[int, datetime] | None = None,
    users: Sequence[int] | None = None,
) -> Dataset:
    """The dataset with these plays and users, or those who play; user u likes two genres, artist a one or two."""
    users = plays["user_id"].unique().sort().to_list() if users is None else users
    purchases = {"user_id": list(bought or {}), "purchased_at": list((bought or {}).values())}
    return Dataset(
        plays=plays if "liked_at" in plays.columns else timed(plays),
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


def tangle(seed: int, *, plays: int = 300) -> pl.DataFrame:
    """Events of four users with many sessions running at once, ties in time, and unknown tracks.

    A SKIP or LIKE comes some seconds after a PLAY, whatever else happens meanwhile: also after the track's end, or for
    the PLAY that came between.
    """
    generator = np.random.default_rng(seed)

    def events(kind: str, rows: pl.DataFrame, moment: pl.Expr) -> pl.DataFrame:
        return rows.select(moment.alias("timestamp"), "user_id", "session_id", "track_id", event_type=pl.lit(kind))

    started = pl.DataFrame(
        {
            "moment": [at(float(second) * 10) for second in generator.integers(0, plays * 4, plays)],
            "user_id": generator.integers(0, 4, plays),
            "session_id": generator.integers(0, 6, plays),
            "track_id": [f"t{number}" for number in generator.integers(0, 33, plays)],
        },
        schema_overrides={"moment": MOMENT},
    )
    parts = [events("PLAY", started, pl.col("moment"))]
    for kind, share, most in (("SKIP", 0.5, 400), ("LIKE", 0.4, 400), ("ADVERTISEMENT", 0.3, 100)):
        # tens of seconds, as plays have, or a little more than some
        after = generator.integers(1, most // 10, plays) * 10_000_000 + generator.choice([0, 0, 400, 900], plays)
        moment = pl.col("moment") + pl.duration(microseconds=pl.lit(pl.Series(after)))
        happened = pl.lit(pl.Series(generator.random(plays) < share))
        parts.append(events(kind, started.with_columns(moment=moment).filter(happened), pl.col("moment")))
    return pl.concat(parts).filter(pl.struct(pl.all()).is_first_distinct())


def tangled(events: pl.DataFrame, seed: int, until: datetime = START + timedelta(days=9)) -> Dataset:
    """The dataset with the log that `tangle` made with that seed, or with a part of it, as it stood at a moment."""
    catalogue = tracks(30, seed).with_columns(valence=pl.when(pl.int_range(30) % 7 > 0).then("valence"))
    bought = {user: moment for user, moment in ((0, at(3900)), (2, at(7500))) if moment <= until}
    known = events.filter(pl.col("timestamp") <= until).cast({"event_type": pl.Enum(EVENTS)})
    return dataset(to_plays(known, catalogue).plays, catalogue, bought, users=range(4))


def listeners(seed: int, *, users: int, each: int, persona: bool) -> Dataset:
    """Plays in sessions of ten; skips are coin flips, or with `persona` depend on user and danceability."""
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
    return dataset(frame, catalogue)


def parameters(catalogue: pl.DataFrame) -> FeatureParameters:
    """Round rates, so that features can be computed by hand."""
    return FeatureParameters(0.4, 0.2, 0.1, {name: edges(catalogue[name]) for name in ATTRIBUTES})


def features(rows: pl.DataFrame, dataset: Dataset, parameters: FeatureParameters) -> pl.DataFrame:
    """The features of these rows with this dataset as the log."""
    return PlayFeatures(PlayLog.of(dataset), parameters)(rows)


def saved(draft: Draft, folder: Path) -> Version:
    """The draft as a version on disk, checked and loaded."""
    store = Store(folder)
    version = store.save(Origin("skip", draft.variant, {}, 0, "cpu", None, []), draft)
    return store.load("skip", version.name)
