"""Generate a service: its music, its users, the plays of every artist in every week, and the log of events."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from pozytywka_cli.dataset.sample.catalogue import Catalogue, make_catalogue
from pozytywka_cli.dataset.sample.events import event_rows, skip_rows
from pozytywka_cli.dataset.sample.levels import weekly_rates
from pozytywka_cli.dataset.sample.listeners import FIRST_USER, Listeners, make_listeners
from pozytywka_cli.dataset.sample.listening import listen
from pozytywka_cli.dataset.sample.random_draws import Floats, Texts

END = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday; the log ends before it
FIRST_SESSION = 124
PLAYS_A_WEEK = 15  # of a user, on average
BLOCK = 400_000  # plays drawn at a time, so that memory does not grow with the log


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
    catalogue = make_catalogue(music)
    rates, levels = weekly_rates(time, catalogue.fame, weeks, PLAYS_A_WEEK * users * weeks)
    return World(catalogue, make_listeners(people, users, catalogue), rates, levels, END - timedelta(weeks=weeks))


def draw_log(rng: np.random.Generator, world: World) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Rows of sessions.jsonl with the rows of the skips' truth, a block of users at a time."""
    users, weeks = len(world.listeners), world.rates.shape[1]
    step = max(1, BLOCK // (PLAYS_A_WEEK * weeks))
    track_ids = world.catalogue.tracks["id"]
    epoch = int(world.start.timestamp()) * 1000
    first_session = FIRST_SESSION
    for first in range(0, users, step):
        plays = listen(rng, world.listeners[first : first + step], world.catalogue, world.rates)
        user_id, session_id = FIRST_USER + first + plays.user, first_session + plays.session
        events = event_rows(rng, plays, user_id, session_id, track_ids, epoch)
        yield events, skip_rows(plays, user_id, session_id, track_ids, epoch)
        first_session = int(session_id.max(initial=first_session - 1)) + 1
