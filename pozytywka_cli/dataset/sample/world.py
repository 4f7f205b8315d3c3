"""Generate a service: its music, its users, the plays of every artist in every week, and the log of events."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from pozytywka_cli.dataset.sample import entities
from pozytywka_cli.dataset.sample.entities import FIRST_USER, Catalogue, Floats, Listeners, Texts
from pozytywka_cli.dataset.sample.listening import listen

END = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday; the log ends before it
FIRST_SESSION = 124
PLAYS_A_WEEK = 15  # of a user, on average
BLOCK = 400_000  # plays drawn at a time, so that memory does not grow with the log

KINDS = ("flat", "trending", "seasonal", "autoregressive")
WEEKS_A_YEAR = 52
MEMORY, SPREAD = 0.9, 0.4  # of the autoregressive log level: lag-one correlation, stationary standard deviation

# in the order in which they stand between two plays
EVENTS = ("ADVERTISEMENT", "BUY_PREMIUM", "PLAY", "LIKE", "SKIP")
WITHOUT_TRACK = 2  # the first two name no track


@dataclass(frozen=True)
class World:
    """What is drawn before any play: music, users and expected plays."""

    catalogue: Catalogue
    listeners: Listeners
    rates: Floats  # (artists, weeks) plays to expect
    levels: Texts  # (artists,) kind of level over the weeks
    start: datetime  # the first Monday


def make_world(rng: np.random.Generator, users: int, weeks: int) -> World:
    """Draw a service whose log ends with the last full week of 2025."""
    music, time, people = rng.spawn(3)
    catalogue = entities.make_catalogue(music)
    rates, levels = _weekly_rates(time, catalogue.fame, weeks, PLAYS_A_WEEK * users * weeks)
    listeners = entities.make_listeners(people, users, catalogue)
    return World(catalogue, listeners, rates, levels, END - timedelta(weeks=weeks))


def _weekly_rates(rng: np.random.Generator, fame: Floats, weeks: int, plays: float) -> tuple[Floats, Texts]:
    """Return expected plays (artists, weeks), `plays` in all, and the kind (artists,) of each, equally many of each."""
    count = len(fame)
    kind = rng.permutation(np.arange(count) % len(KINDS))
    change = rng.choice([-1.0, 1.0], (count, 1)) * rng.uniform(0.5, 1.5, (count, 1))  # of the log, over all weeks
    trending = np.exp(change * np.linspace(-0.5, 0.5, weeks))
    phase, swing = rng.random((count, 1)), rng.uniform(0.4, 0.8, (count, 1))
    seasonal = 1 + swing * np.sin(2 * np.pi * (np.arange(weeks) / WEEKS_A_YEAR + phase))
    shocks = rng.normal(0.0, SPREAD, (weeks, count))
    level = shocks.copy()
    for week in range(1, weeks):
        level[week] = MEMORY * level[week - 1] + np.sqrt(1 - MEMORY**2) * shocks[week]
    autoregressive = np.exp(level.T - SPREAD**2 / 2)
    levels = np.stack([np.ones_like(trending), trending, seasonal, autoregressive])
    rates = fame[:, None] * levels[kind, np.arange(count)]
    return rates * (plays / rates.sum()), np.array(KINDS)[kind]


def draw_log(rng: np.random.Generator, world: World) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield rows of sessions.jsonl with the true skip probabilities of their PLAYs, a block of users at a time."""
    users, weeks = len(world.listeners), world.rates.shape[1]
    step = max(1, BLOCK // (PLAYS_A_WEEK * weeks))
    epoch = int(world.start.timestamp()) * 1000
    next_session = FIRST_SESSION
    for first in range(0, users, step):
        drawn = listen(rng, world.listeners[first : first + step], world.catalogue, world.rates)
        plays = drawn.with_columns(
            user_id=pl.col("user") + FIRST_USER + first,
            session_id=pl.col("session") + next_session,
            track_id=world.catalogue.tracks["id"].gather(drawn["track"]),
            started=pl.col("started") + epoch,
        )
        started_at = pl.col("started").cast(pl.Datetime("ms")).cast(pl.Datetime("us", "UTC")).alias("started_at")
        yield _events(rng, plays), plays.select("user_id", "session_id", "track_id", started_at, "probability")
        next_session += drawn["session"].n_unique()


def _events(rng: np.random.Generator, plays: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of sessions.jsonl, in the order of the file."""
    started, listened, lead = (plays[name].to_numpy() for name in ("started", "listened", "lead"))
    like = started + rng.integers(1, listened)
    times = np.column_stack([started - lead, started - lead, started, like, started + listened])
    happens = plays.select("advertisement", "purchase", pl.lit(True), "liked", "skipped").to_numpy()
    play, event = np.nonzero(happens)
    has_track = pl.lit(pl.Series(event >= WITHOUT_TRACK))
    return plays[play].select(
        pl.Series("timestamp", times[happens]).cast(pl.Datetime("ms")),
        "user_id",
        pl.when(has_track).then("track_id").otherwise(pl.lit("")).alias("track_id"),
        pl.Series("event_type", EVENTS)[event],
        "session_id",
    )
