"""Events one by one, or in batches, give the state that a log of them gives."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import starmap

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_cli.dataset.events import Event, in_order
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.dataset.tables import EVENTS
from pozytywka_cli.dataset.transform import to_plays
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.state.layout import OTHERS
from pozytywka_cli.families.skip.state.state import State

from .test_state import assert_equal, questions
from .worlds import MOMENT, START, at, dataset, parameters, tangle, tracks

CATALOGUE = tracks(30).with_columns(duration_ms=pl.when(pl.int_range(30) != 3).then("duration_ms"))
PARAMETERS = parameters(CATALOGUE)
EVENT = pl.Schema(
    {
        "timestamp": MOMENT,
        "user_id": pl.Int64,
        "session_id": pl.Int64,
        "track_id": pl.String,
        "event_type": pl.Enum(EVENTS),
    }
)
ORDER = ("timestamp", pl.col("event_type") == "PLAY", "session_id", "track_id")
AT_ONCE = 2  # PLAYs of a user, so that no more plays wait to be known than there is room for

# seconds since the last event, user, session, kind, and for all but a PLAY whether it names another track or none
STEPS = st.tuples(
    st.sampled_from([0, 0, 0, 1e-6, 10, 30, 100, 200, 300]),
    st.sampled_from([0, 1]),
    st.integers(0, 2),
    st.sampled_from(["PLAY", "PLAY", "PLAY", "SKIP", "LIKE", "ADVERTISEMENT", "BUY_PREMIUM"]),
    st.sampled_from(["t0", "t1", "t3", "gone", "lost"]),
    st.sampled_from(["as it is", "as it is", "other", None]),
)


def events_of(steps: list[tuple[float, int, int, str, str, str | None]]) -> pl.DataFrame:
    """The events in their order, each once; a reaction names the session's latest track, another one or none."""
    now, playing, plays, rows = START, {}, {}, []
    for gap, user, session, kind, track, named in steps:
        now += timedelta(seconds=gap)
        if kind == "PLAY":
            if plays.get((user, now), 0) == AT_ONCE:
                now += timedelta(seconds=5)
            plays[user, now] = plays.get((user, now), 0) + 1
            playing[user, session] = track
        elif kind in ("SKIP", "LIKE"):
            track = playing.get((user, session), track) if named == "as it is" else track if named else None
        rows.append((now, user, session, None if kind in ("ADVERTISEMENT", "BUY_PREMIUM") else track, kind))
    return pl.DataFrame(rows, EVENT, orient="row").unique(maintain_order=True).sort(*ORDER)


def as_events(frame: pl.DataFrame) -> Iterator[Event]:
    """The rows of a frame as they are observed."""
    return starmap(Event, frame.with_columns(pl.col("timestamp").to_physical()).iter_rows())


def log_of(events: pl.DataFrame) -> PlayLog:
    """The log that these events give."""
    bought = events.filter(pl.col("event_type") == "BUY_PREMIUM").group_by("user_id").agg(pl.col("timestamp").min())
    made: Dataset = dataset(to_plays(events, CATALOGUE).plays, CATALOGUE, dict(bought.iter_rows()), users=range(2))
    return PlayLog.of(made)


def same(one: State, other: State) -> bool:
    """Whether two states have the same bytes."""
    users = [state.in_order().users for state in (one, other)]
    return users[0].known.tobytes() == users[1].known.tobytes() and users[0].ids.tobytes() == users[1].ids.tobytes()


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(STEPS, min_size=1, max_size=60), size=st.integers(1, 30), cut=st.integers(0, 60))
def test_observed_events_give_the_state_of_their_log(
    steps: list[tuple[float, int, int, str, str, str | None]], size: int, cut: int
):
    """Bytes and features: from nothing in batches of any size, and from a log of the first events and then the rest."""
    events = events_of(steps)
    nothing = log_of(events.clear())
    state, later = State.build(nothing, PARAMETERS), None
    for start in range(0, len(events), size):
        state.observe(in_order(as_events(events[start : start + size].sample(fraction=1, shuffle=True, seed=0))))
        log = log_of(events[: start + size])
        built = State.build(log, PARAMETERS)
        assert same(state, built)
        if start <= cut < start + size:
            later = built
            later.advertised = dict(state.advertised)  # which are in no log yet
        elif later is not None:
            later.observe(as_events(events[start : start + size]))
    assert later is None or same(later, state)
    assert_equal(state, log, questions(log, [0, 1, 99], [0, 1, 2, None], size), PARAMETERS)


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(STEPS, min_size=1, max_size=40), size=st.integers(1, 10), seed=st.integers(0, 99))
def test_calls_that_end_elsewhere_give_the_same_state(
    steps: list[tuple[float, int, int, str, str, str | None]], size: int, seed: int
):
    """Whatever the order of the events: each worker reads the log in pieces of its own."""
    events = [*as_events(events_of(steps).sample(fraction=1, shuffle=True, seed=seed))]
    one, other = (State.build(log_of(pl.DataFrame(schema=EVENT)), PARAMETERS) for _ in range(2))
    left_out = one.observe(events)
    pieces = [events[start : start + size] for start in range(0, len(events), size)]
    assert sum(map(other.observe, pieces)) == left_out
    assert same(one, other)
    assert (one.advertised, one.latest_start) == (other.advertised, other.latest_start)


@pytest.mark.parametrize("seed", range(6))
def test_a_long_log_is_observed_as_it_is_built(seed: int):
    """Four users with six sessions each, event by event."""
    events = tangle(seed).cast({"event_type": pl.Enum(EVENTS)}).select(EVENT.names()).sort(*ORDER)
    bought = pl.DataFrame([(at(3900), 0, 0, None, "BUY_PREMIUM")], EVENT, orient="row")
    events = pl.concat([events, bought]).sort(*ORDER)
    log = log_of(events)
    state = State.build(log_of(events.clear()), PARAMETERS)
    left_out = sum(state.observe(as_events(event)) for event in events.iter_slices(1))
    assert 0 < left_out < len(events) / 2
    assert same(state, State.build(log, PARAMETERS))
    assert_equal(state, log, questions(log, [0, 1, 2, 3], [*range(6), None], seed), PARAMETERS)


def test_what_is_left_out_changes_nothing():
    """Older events than the latest PLAY, copies of it, and reactions to another track or to nothing."""
    play = (at(100), 1, 1, "t0", "PLAY")
    state = State.build(log_of(pl.DataFrame([play], EVENT, orient="row")), PARAMETERS)
    before = state.in_order()
    wrong = [
        play,
        (at(50), 1, 2, "t1", "PLAY"),
        (at(90), 1, 1, "t0", "SKIP"),
        (at(120), 1, 1, "t1", "SKIP"),
        (at(120), 1, 2, "t0", "LIKE"),
        (at(120), 7, 1, "t0", "LIKE"),
        (at(100), 1, 1, "t0", "LIKE"),
    ]
    assert state.observe(as_events(pl.DataFrame(wrong, EVENT, orient="row"))) == len(wrong)
    assert same(state, before)


def test_an_advertisement_waits_for_a_play_for_a_day():
    """In its own session; one that nothing follows is forgotten, or they would be ever more."""
    events = [(at(0), 1, 1, None, "ADVERTISEMENT"), (at(10), 1, 2, None, "ADVERTISEMENT"), (at(20), 1, 2, "t0", "PLAY")]
    state = State.build(log_of(pl.DataFrame(schema=EVENT)), PARAMETERS)
    state.observe(as_events(pl.DataFrame(events, EVENT, orient="row")))
    assert list(state.advertised[1]) == [1]
    state.observe(as_events(pl.DataFrame([(at(90_000), 1, 3, "t0", "PLAY")], EVENT, orient="row")))
    assert state.advertised == {}


def test_an_advertisement_that_a_play_has_followed_is_left_out():
    """So that those of the last day can be observed again after the state was built, which does not know them."""
    events = [(at(0), 1, 1, None, "ADVERTISEMENT"), (at(20), 1, 1, "t0", "PLAY"), (at(30), 1, 1, None, "ADVERTISEMENT")]
    frame = pl.DataFrame(events, EVENT, orient="row")
    state = State.build(log_of(frame), PARAMETERS)
    again = frame.filter(pl.col("event_type") == "ADVERTISEMENT")
    assert state.observe(as_events(again)) == 1
    assert {user: list(sessions) for user, sessions in state.advertised.items()} == {1: [1]}
    assert state.observe(as_events(pl.DataFrame([(at(40), 1, 1, "t1", "PLAY")], EVENT, orient="row"))) == 0
    assert state.users.record(state.users.row(1))["plays"]["advertised"].sum() == 2


def test_new_users_are_added():
    """However many; the old ones keep their plays, and new ones have no favourites until the tables are read again."""
    rows = [(at(float(user)), user, 0, "t0", "PLAY") for user in (40, 1, 7, 900, 3, 5, 6, 8, 9, 2)]
    events = pl.DataFrame(rows, EVENT, orient="row")
    state = State.build(log_of(events.clear()), PARAMETERS)
    assert state.observe(as_events(events)) == 0
    log = log_of(events)
    assert same(state, State.build(log, PARAMETERS))
    assert_equal(state, log, questions(log, [*events["user_id"], 4], [0, None], 0), PARAMETERS)


def test_more_plays_at_once_than_there_is_room_for_are_all_counted():
    """Though their order, and the moment at which they are known, may then be another."""
    rows = [(at(float(round_)), 1, session, "t0", "PLAY") for round_ in range(3) for session in range(OTHERS + 5)]
    events = pl.DataFrame(rows, EVENT, orient="row")
    state = State.build(log_of(events.clear()), PARAMETERS)
    state.observe(as_events(events))
    state.observe(as_events(pl.DataFrame([(at(9999), 1, 99, "t0", "PLAY")], EVENT, orient="row")))
    assert state.in_order().users.known["sided"][2, 0].sum() == len(rows)
