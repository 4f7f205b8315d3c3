"""A state on disk."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.state.files import load, save
from pozytywka_cli.families.skip.state.state import State

from .test_observing import EVENT, PARAMETERS, as_events, log_of, same
from .test_state import assert_equal, questions
from .worlds import at, parameters, tangle, tangled

LATER = pl.DataFrame(
    [
        (at(20_000), 1, 3, None, "ADVERTISEMENT"),
        (at(20_001), 1, 3, "t1", "PLAY"),
        (at(20_100), 1, 3, "t1", "SKIP"),
        (at(20_200), 50, 0, "t2", "PLAY"),
        (at(20_300), 50, 1, None, "ADVERTISEMENT"),
    ],
    EVENT,
    orient="row",
)


def test_a_state_is_read_as_it_was_written(tmp_path: Path):
    """With the same features, also after it has observed more, and again on disk."""
    given = tangled(tangle(2), 2)
    log, fitted = PlayLog.of(given), parameters(given.tracks)
    state = State.build(log, fitted)
    save(state, tmp_path)
    loaded = load(tmp_path)
    assert same(loaded, state)
    assert loaded.parameters == fitted
    assert_equal(loaded, log, questions(log, [0, 1, 2, 3, 99], [0, 2, None], 2), fitted)
    assert [one.observe(as_events(LATER)) for one in (loaded, state)] == [0, 0]
    assert same(loaded, state)
    assert same(load(tmp_path), State.build(log, fitted))  # the file has not changed
    (tmp_path / "again").mkdir()
    save(loaded, tmp_path / "again")
    again = load(tmp_path / "again")
    assert same(again, state)
    assert again.advertised == loaded.advertised == state.advertised
    assert list(again.advertised[50]) == [1]
    tracks = again.catalogue.find(["t1", "t29", "unknown"])
    assert tracks.tolist() == state.catalogue.find(["t1", "t29", "unknown"]).tolist() == [1, 29, 30]


def test_new_users_do_not_move_the_old_ones(tmp_path: Path):
    """The records that were mapped stay so, however many users come; all answers are those of the log."""
    first = LATER.with_columns(user_id=2 * pl.col("user_id"))
    rows = [(at(30_000.0 + user), user % 101, user, f"t{user % 30}", "PLAY") for user in range(500)]
    later = pl.DataFrame(rows, EVENT, orient="row")
    save(State.build(log_of(first), PARAMETERS), tmp_path)
    loaded = load(tmp_path)
    mapped = loaded.users.known
    assert isinstance(mapped.base, np.memmap)
    assert loaded.observe(as_events(later)) == 0
    assert loaded.users.known is mapped
    log = log_of(pl.concat([first, later]))
    assert same(loaded, State.build(log, PARAMETERS))
    users = [*range(103), 10**12]
    assert_equal(loaded, log, questions(log, users, [None, 499], 0), PARAMETERS)
    rows = loaded.users.find(np.array(users))
    assert rows.tolist() == [loaded.users.row(user) for user in users]
    assert loaded.knows(rows).tolist() == [True] * 101 + [False] * 3
    (tmp_path / "again").mkdir()
    save(loaded, tmp_path / "again")
    assert same(load(tmp_path / "again"), loaded)


def test_a_state_of_nobody_can_be_written(tmp_path: Path):
    """Arrays without rows are no error."""
    state = State.build(log_of(LATER.clear()), PARAMETERS)
    save(state, tmp_path)
    assert same(load(tmp_path), state)


@pytest.mark.parametrize("name", ["parameters.json", "tracks.bin", "users.npy", "ids.npy", "codes.npy"])
def test_damage_is_named(name: str, tmp_path: Path):
    """A file that is missing, cut short, or holds something else."""
    save(State.build(log_of(LATER), PARAMETERS), tmp_path)
    path = tmp_path / name
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], b"", None):
        if damaged is None:
            path.unlink()
        else:
            path.write_bytes(damaged)
        with pytest.raises(ArtifactError, match=name):
            load(tmp_path)


def test_arrays_of_another_layout_are_refused(tmp_path: Path):
    """Of other types or sizes, and ids that are not in order."""
    state = State.build(log_of(LATER), PARAMETERS)
    for name, array in (
        ("users", state.users.known["plays"]),
        ("users", state.users.known[:-1]),
        ("codes", state.catalogue.codes[:, :3]),
        ("ids", state.users.ids[::-1]),
        ("ids", np.array([None, {}], object)),
    ):
        save(state, tmp_path)
        np.save(tmp_path / f"{name}.npy", array, allow_pickle=True)
        with pytest.raises(ArtifactError, match=f"{name}|users"):
            load(tmp_path)
