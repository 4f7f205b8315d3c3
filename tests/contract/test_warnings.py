"""Data with warnings but no error: every family trains, is evaluated and predicts, whichever cells are missing."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pozytywka_cli.dataset.checking.validate import check
from pozytywka_cli.dataset.loading import Dataset, load
from pozytywka_cli.dataset.sample import write_sample
from pozytywka_cli.dataset.tables import TABLES
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.family import TrainingRun

from .conftest import FAMILIES, SETTINGS, requests_for, trained

Cell = tuple[str, str, str]  # table, column and the JSON of a value
OPTIONAL = [  # the columns in which a missing value is a warning, or nothing
    (table, column.name)
    for table, declared in TABLES.items()
    for column in declared.columns
    if not (column.required or column.sometimes_needed)
]
CELLS: list[Cell] = [
    *((table, column, "null") for table, column in OPTIONAL),
    ("tracks", "id_artist", '"nobody"'),
    ("tracks", "id_artist", '""'),
    ("artists", "name", '"Namesake"'),
    ("artists", "genres", "[]"),
    ("artists", "genres", '["", "new"]'),
    ("users", "favourite_genres", "[]"),
    ("sessions", "user_id", "987654"),
    ("sessions", "track_id", "null"),
]
EVERYWHERE = dict.fromkeys(CELLS, 0.1)
WITHOUT_ARTISTS = {("tracks", "id_artist", "null"): 1.0}
SHARES = (0.02, 0.3, 1.0)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample that is just enough for every family, and too little for skip's test by users, which takes long."""
    folder = tmp_path_factory.mktemp("world")
    write_sample(folder, users=11, weeks=8)
    return folder


def altered(folder: Path, target: Path, cells: dict[Cell, float]) -> Path:
    """Copy a data folder, with values in place of others in a share of the rows."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for table in TABLES:
        rows = [json.loads(line) for line in (folder / f"{table}.jsonl").read_text(encoding="utf-8").splitlines()]
        for (name, column, value), share in cells.items():
            if name == table:
                _replace(rows, column, json.loads(value), share)
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (target / f"{table}.jsonl").write_text(text, encoding="utf-8")
    return target


def _replace(rows: list[dict[str, Any]], column: str, value: Any, share: float) -> None:
    for number, row in enumerate(rows):
        optional = column != "track_id" or row["event_type"] in ("SKIP", "LIKE")
        if optional and number * 0.6180339887 % 1 < share:  # rows of all parts of the file
            row[column] = value


def loaded(folder: Path) -> tuple[Dataset, list[str]]:
    """The dataset of a folder without an error, and the messages about it."""
    assert not [violation for violation in check(folder).violations if violation.level == "error"]
    messages: list[str] = []
    return load(folder, folder.parent / "plays.parquet", messages.append), messages


def answers(name: str, dataset: Dataset, artifacts: Path) -> int:
    """Train, evaluate and predict, and return the number of answers."""
    family = FAMILIES[name]
    predictor = family.open(trained(artifacts, dataset, name, family.default), dataset)
    settings_of_family = SETTINGS.section(name, family.Settings)
    assert family.evaluate(dataset, TrainingRun(settings_of_family, family.default)).rows
    return len(predictor.predict(requests_for(predictor, dataset)[:20]))


@given(cells=st.dictionaries(st.sampled_from(CELLS), st.sampled_from(SHARES[:2]), min_size=1, max_size=5))
@example(cells=EVERYWHERE)
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_values_that_are_only_warned_of_stop_no_family(cells: dict[Cell, float], world: Path, tmp_path: Path):
    """Missing and unknown values in a part of the rows, of any optional columns: every family has answers."""
    dataset, _ = loaded(altered(world, tmp_path / "data", cells))
    for name in FAMILIES:
        assert answers(name, dataset, tmp_path / "artifacts"), name


@pytest.mark.parametrize("name", FAMILIES)
def test_columns_without_any_value_stop_no_family(name: str, world: Path, tmp_path: Path):
    """All optional columns but that of a track's artist; there are answers."""
    cells = {(table, column, "null"): 1.0 for table, column in OPTIONAL if column != "id_artist"}
    assert answers(name, loaded(altered(world, tmp_path / "data", cells))[0], tmp_path / "artifacts")


@pytest.mark.parametrize("name", ["weekly", "similar"])
def test_a_log_whose_tracks_have_no_artists_is_refused_with_that_reason(name: str, world: Path, tmp_path: Path):
    """With the column, by the families that count artists; skip answers."""
    dataset, _ = loaded(altered(world, tmp_path / "data", WITHOUT_ARTISTS))
    with pytest.raises(RefusedError, match="artist") as refused:
        answers(name, dataset, tmp_path / "artifacts")
    assert "id_artist" in refused.value.hint
    assert answers("skip", dataset, tmp_path / "artifacts")


def test_plays_without_an_artist_are_counted_in_one_message(world: Path, tmp_path: Path):
    """Once for all families, when the data are loaded; none if every track has one, known or not."""
    plays = len(loaded(world)[0].plays)
    dataset, messages = loaded(altered(world, tmp_path / "data", {("tracks", "id_artist", "null"): 0.3}))
    nobody = dataset.tracks.filter(dataset.tracks["id_artist"].is_null())["id"]
    count = dataset.plays["track_id"].is_in(nobody.implode()).sum()
    assert 0 < count < plays
    assert [message for message in messages if f"{count:,} of {plays:,} plays" in message] == messages[1:]
    _, messages = loaded(altered(world, tmp_path / "data", {("tracks", "id_artist", '"nobody"'): 0.3}))
    assert len(messages) == 1


@pytest.mark.parametrize("missing", ["artists", "users", "track_storage"])
def test_a_missing_table_that_only_describes_stops_no_family(missing: str, world: Path, tmp_path: Path):
    """Artists are then called by their ids."""
    folder = altered(world, tmp_path / "data", {})
    (folder / f"{missing}.jsonl").unlink()
    dataset = load(folder, tmp_path / "plays.parquet", lambda _: None)
    for name in FAMILIES:
        predictor = FAMILIES[name].open(trained(tmp_path, dataset, name, FAMILIES[name].baseline), dataset)
        predictor.predict(requests_for(predictor, dataset)[:20])
