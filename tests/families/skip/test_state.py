"""The state of all users: the features of the batch from sums, to the last bit."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from pozytywka_cli.dataset.loading import Dataset, load
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.play_features import PlayFeatures, user_rate
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.state.inputs import requests_of
from pozytywka_cli.families.skip.state.layout import SESSIONS
from pozytywka_cli.families.skip.state.state import State

from .worlds import MOMENT, PLAYS, START, at, dataset, parameters, tangle, tangled, timed, tracks

AFTER = (0, 1, 10_000_000, 33_000_000, 150_000_000, 250_000_001, 3_600_000_000)  # µs after the latest play


def questions(log: PlayLog, users: list[int | None], sessions: list[int | None], seed: int) -> pl.DataFrame:
    """Every user in every session at moments from the latest play on, each time with another track."""
    generator = np.random.default_rng(seed)
    latest = dict(log.plays.group_by("user_id").agg(pl.col("started_at").max()).iter_rows())
    rows = [
        (user, session, latest.get(user, START) + timedelta(microseconds=after))
        for user in users
        for session in sessions
        for after in AFTER
    ]
    asked = pl.DataFrame(rows, {"user_id": pl.Int64, "session_id": pl.Int64, "started_at": MOMENT}, orient="row")
    names = [*log.dataset.tracks["id"].head(30), "unknown", None]
    return asked.with_columns(
        track_id=pl.Series(
            [names[number] for number in generator.integers(0, len(names), len(asked))], dtype=pl.String
        ),
        advertisement_before=pl.Series(generator.random(len(asked)) < 0.3),
    )


def assert_equal(state: State, log: PlayLog, asked: pl.DataFrame, fitted: FeatureParameters) -> None:
    """The state's features are those of the batch to the last bit; rows that the state does not hold are left out."""
    requests = requests_of(asked, state)
    held = state.holds(requests)
    asked, requests = asked.filter(held), requests.some(np.flatnonzero(held))
    batch = PlayFeatures(log, fitted)(asked)
    ours = pl.DataFrame(state.features(requests, tuple(batch.columns)), batch.schema).fill_nan(None)
    wrong = [name for name in batch.columns if not ours[name].equals(batch[name], null_equal=True)]
    assert not wrong
    assert (state.user_rates(requests, fitted.skip_rate) == user_rate(asked, log, fitted.skip_rate)).all()


@pytest.mark.parametrize("seed", range(8))
def test_a_state_has_the_features_of_the_batch(seed: int):
    """At and after the latest play, in every session and in a new one, with ties, late reactions and purchases."""
    events = tangle(seed)
    for moment in events["timestamp"].sort().gather_every(97, offset=seed):
        given = tangled(events, seed, moment)
        fitted = msgspec.structs.replace(parameters(given.tracks), smoothing=1.0 + seed % 2)
        log = PlayLog.of(given)
        state = State.build(log, fitted)
        asked = questions(log, [0, 1, 2, 3, 99, None], [*range(6), None], seed)
        assert_equal(state, log, asked, fitted)


def test_a_state_knows_what_it_holds():
    """A moment before the latest play, and a session that is not kept, are for the log."""
    sessions = SESSIONS + 2
    rows = [(1, number, "t0", at(1000.0 * number), False, False, False, 200_000) for number in range(sessions)]
    log = PlayLog.of(dataset(timed(pl.DataFrame(rows, PLAYS, orient="row")), tracks(6)))
    state = State.build(log, parameters(log.dataset.tracks))
    asked = [(1, None, 0), (1, sessions - 1, 0), (1, 2, 0), (1, 1, 0), (1, 77, 0), (1, None, -1), (2, None, -1)]
    latest = at(1000.0 * (sessions - 1))
    frame = pl.DataFrame(
        [(user, session, "t1", latest + timedelta(seconds=after), False) for user, session, after in asked],
        {
            "user_id": pl.Int64,
            "session_id": pl.Int64,
            "track_id": pl.String,
            "started_at": MOMENT,
            "advertisement_before": pl.Boolean,
        },
        orient="row",
    )
    assert state.holds(requests_of(frame, state)).tolist() == [True, True, True, False, False, False, True]


def test_a_state_of_no_plays_has_the_features_of_strangers():
    """Only tables are left."""
    given = tangled(tangle(0), 0)
    for empty in (
        replace(given, plays=given.plays.clear()),
        replace(given, plays=given.plays.clear(), users=given.users.clear(), purchases=given.purchases.clear()),
    ):
        log, fitted = PlayLog.of(empty), parameters(given.tracks)
        assert_equal(State.build(log, fitted), log, questions(log, [0, 1, 99, None], [0, None], 0), fitted)


def test_tables_without_rows_are_no_error():
    """Neither tracks, nor artists, nor users."""
    given = tangled(tangle(1), 1)
    for table in ("tracks", "artists", "users"):
        log = PlayLog.of(replace(given, **{table: getattr(given, table).clear()}))
        fitted = parameters(log.dataset.tracks)
        assert_equal(State.build(log, fitted), log, questions(log, [0, 3, 99], [2, None], 1), fitted)


def now(log: PlayLog) -> pl.DataFrame:
    """The moment at which all plays of each user have ended, and their latest session."""
    ended = pl.max_horizontal("started_at", "known_at").max()
    return log.history.group_by("user_id").agg(ended.alias("started_at"), pl.col("session_id").last()).sort("user_id")


@pytest.mark.real
@pytest.mark.parametrize(("edition", "one_in"), [("pozytywka-2023", 1), ("pozytywka-2024", 5)])
def test_a_state_of_the_real_log_has_the_features_of_the_batch(edition: str, one_in: int, real: Path, tmp_path: Path):
    """Of both editions, thousands of pairs now, in new sessions and in the latest ones; of 2024 every fifth user."""
    whole: Dataset = load(real / edition, tmp_path / "plays.parquet", lambda _: None)
    given = replace(whole, plays=whole.plays.filter(pl.col("user_id") % one_in == 0))
    log, fitted = PlayLog.of(given), FeatureParameters.fit(given.plays, given.tracks)
    state, generator = State.build(log, fitted), np.random.default_rng(0)
    users = now(log)
    asked = users[np.sort(generator.integers(0, len(users), 4_000))].with_columns(
        track_id=given.tracks["id"].sample(4_000, with_replacement=True, seed=0),
        session_id=pl.when(pl.Series(generator.random(4_000) < 0.5)).then("session_id"),
        advertisement_before=pl.lit(False),
    )
    assert state.holds(requests_of(asked, state)).all()
    assert_equal(state, log, asked, fitted)
