"""Columns under other names: what no line has is named once, and the settings can map it."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pozytywka_cli.commands.boundary import run
from pozytywka_cli.dataset import quarantine
from pozytywka_cli.dataset.absent import intended
from pozytywka_cli.dataset.loading import load
from pozytywka_cli.dataset.plays_file import stale
from pozytywka_cli.dataset.tables import SESSIONS, TABLES, Column
from pozytywka_cli.dataset.transform import transform
from pozytywka_cli.dataset.validate import Checked, raise_failures
from pozytywka_cli.errors import RefusedError, UsageError
from pozytywka_cli.families.registry import load_settings
from pozytywka_cli.settings import Settings

MAPPED = {"tracks.id_artist": "artist_id"}


@pytest.fixture
def renamed(line: Callable[..., str], folder: Callable[..., Path]) -> Path:
    """A data folder whose tracks have `artist_id` in place of `id_artist`."""
    lines = [line("tracks", id=f'"t{n}"', name=f'"{n}"').replace("id_artist", "artist_id") for n in range(1, 6)]
    return folder(tracks=lines)


def columns(checks: Checked) -> list[tuple[Any, ...]]:
    """The violations of the rule `column`."""
    return [(v.table, v.column, v.level, v.count) for v in checks.violations if v.rule == "column"]


def test_a_column_that_no_line_has_is_one_violation(renamed: Path, checked: Callable[..., Checked]) -> None:
    """It names the column that is probably meant and the setting; every line is bad, with that reason only."""
    checks = checked(renamed)
    assert columns(checks) == [("tracks", "id_artist", "error", 1)]
    [violation] = [v for v in checks.violations if v.rule == "column"]
    assert 'tracks.id_artist = "artist_id"' in violation.examples[0].value
    assert not any(v.rule in ("optional", "required") for v in checks.violations)
    assert checks.bad("tracks")["rules"].to_list() == [["column"]] * 5


def test_data_without_a_needed_column_are_refused(
    renamed: Path, checked: Callable[..., Checked], tmp_path: Path
) -> None:
    """By validate, by transform (with quarantine, too) and so by train: the hint is the setting."""
    calls: list[Callable[[], object]] = [
        lambda: raise_failures(checked(renamed), "error", lambda _: 100, None),
        lambda: transform(renamed, tmp_path / "plays.parquet"),
        lambda: transform(renamed, tmp_path / "plays.parquet", on_invalid="quarantine"),
        lambda: load(renamed, tmp_path / "plays.parquet", lambda _: None),
    ]
    for call in calls:
        with pytest.raises(RefusedError) as raised:
            call()
        assert "tracks.id_artist" in raised.value.message
        assert 'tracks.id_artist = "artist_id"' in raised.value.hint


def test_a_column_that_can_be_done_without_is_a_warning(
    line: Callable[..., str], folder: Callable[..., Path], checked: Callable[..., Checked]
) -> None:
    """One, and no line is bad."""
    checks = checked(folder(tracks=[line("tracks", tempo=None)]))
    assert columns(checks) == [("tracks", "tempo", "warning", 1)]
    assert checks.bad_lines == 0


@pytest.mark.parametrize("table", TABLES)
def test_every_column_may_be_absent(
    table: str, line: Callable[..., str], folder: Callable[..., Path], checked: Callable[..., Checked]
) -> None:
    """Each gives one violation, an error where the column is needed."""
    for column in TABLES[table].columns:
        violations = columns(checked(folder(**{table: [line(table, **{column.name: None})]})))
        assert violations == [(table, column.name, column.level_if_absent, 1)]


@pytest.mark.parametrize(
    ("column", "unknown", "expected"),
    [
        ("id_artist", ["artist_id", "x"], "artist_id"),
        ("id_artist", ["idArtist"], "idArtist"),
        ("id_artist", ["artistId"], "artistId"),
        ("user_id", ["userId", "user"], "userId"),
        ("user_id", ["USER_ID"], "USER_ID"),
        ("user_id", ["users_id"], "users_id"),
        ("timestamp", ["ts", "track"], "ts"),
        ("timestamp", ["event_time"], "event_time"),
        ("timestamp", ["Timestamp"], "Timestamp"),
        ("session_id", ["sessionid"], "sessionid"),
        ("user_id", ["device", "country"], None),
        ("user_id", [], None),
    ],
)
def test_the_column_that_is_meant(column: str, unknown: list[str], expected: str | None) -> None:
    """Names are alike in the order of their words, in case, in a letter; some have common synonyms."""
    known: dict[str, Column] = {one.name: one for table in TABLES.values() for one in table.columns}
    known |= {one.name: one for one in SESSIONS.columns}
    assert intended(known[column], unknown) == expected


def test_names_are_mapped(renamed: Path, checked: Callable[..., Checked], tmp_path: Path) -> None:
    """Every reader of the tables takes the names of the settings, and good rows have ours."""
    checks = checked(renamed, columns=MAPPED)
    assert columns(checks) == []
    assert checks.good("tracks")["id_artist"].to_list() == ["a1"] * 5
    dataset = load(renamed, tmp_path / "plays.parquet", lambda _: None, columns=MAPPED)
    assert dataset.tracks["id_artist"].to_list() == ["a1"] * 5
    quarantine.write(checks, tmp_path / "quarantine")
    assert columns(checked(tmp_path / "quarantine" / "good", columns=MAPPED)) == []


@pytest.mark.parametrize("spaces", ["", " "])
def test_any_columns_can_be_mapped(
    spaces: str, line: Callable[..., str], folder: Callable[..., Path], checked: Callable[..., Checked]
) -> None:
    """On the fast path, on the slow one and from Parquet, names that stand for other things elsewhere too."""
    names = {"timestamp": "line", "user_id": "canonical", "track_id": "file", "event_type": "kind", "session_id": "s"}
    text = line("sessions")
    for ours, theirs in names.items():
        text = text.replace(f'"{ours}"', f'"{theirs}"')
    mapped = {f"sessions.{ours}": theirs for ours, theirs in names.items()}
    plain, place = folder("plain"), folder("mapped", sessions=[text.replace("{", "{" + spaces)])
    expected = checked(plain).good("sessions")
    assert checked(place, columns=mapped).good("sessions").equals(expected)
    pl.read_ndjson(io.StringIO(text)).write_parquet(place / "sessions.parquet")
    (place / "sessions.jsonl").unlink()
    assert checked(place, columns=mapped).good("sessions").equals(expected)


def test_plays_are_stale_when_names_change(folder: Callable[..., Path], tmp_path: Path) -> None:
    """Only names of tables that plays are made from matter."""
    place, output = folder(), tmp_path / "plays.parquet"
    transform(place, output)
    assert stale(place, output, {"users.city": "town"}) is None
    assert "names" in (stale(place, output, MAPPED) or "")
    transform(place, output, columns=MAPPED)
    assert stale(place, output, MAPPED) is None
    assert stale(place, output) is not None


def configured(text: str, folder: Path) -> Settings:
    """The settings of a configuration file, checked."""
    (folder / "names.toml").write_text(text)
    return load_settings(folder / "names.toml", [])


@pytest.mark.parametrize(
    "text",
    [
        '[columns]\ntracks.id_artist = "artist_id"\n',
        '[columns.tracks]\nid_artist = "artist_id"\n',
        'columns.tracks.id_artist = "artist_id"\n',
        'columns = {tracks = {id_artist = "artist_id"}}\n',
    ],
)
def test_names_in_a_configuration(text: str, tmp_path: Path) -> None:
    """TOML has several ways to write one setting."""
    assert configured(text, tmp_path).columns == MAPPED


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ('songs.id_artist = "artist_id"', "songs"),
        ('tracks.artist = "artist_id"', "artist"),
        ("tracks.id_artist = 5", "id_artist"),
        ('tracks.id_artist = ""', "id_artist"),
        ('tracks = "songs"', "tracks has no column"),
        ('tracks.id_artist = "name"', "tracks.name"),
        ('tracks.name = "title"\ntracks.id_artist = "title"', "title"),
        ('tracks.id_artist.name = "title"', "id_artist.name"),
    ],
)
def test_a_mistake_in_the_names_is_refused(setting: str, word: str, tmp_path: Path) -> None:
    """The file and the line are named."""
    with pytest.raises(UsageError) as raised:
        configured(f"[columns]\n{setting}\n", tmp_path)
    assert f"{tmp_path / 'names.toml'}:" in raised.value.message
    assert word in f"{raised.value.message}"
    assert raised.value.hint


def test_settings_lists_the_names(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each with the line that it comes from."""
    configured('[columns]\ntracks.id_artist = "artist_id"\n', tmp_path)
    assert run(["--config", str(tmp_path / "names.toml"), "settings", "--json"]) == 0
    rows = json.loads(capfd.readouterr().out)["rows"]
    [row] = [row for row in rows if row["key"] == "columns.tracks.id_artist"]
    assert (row["value"], row["source"]) == ("artist_id", f"{tmp_path / 'names.toml'}:2")


def test_commands_take_the_names(renamed: Path, tmp_path: Path) -> None:
    """Data that are refused without the setting are valid with it, and plays are made from them."""
    options = ["--data-dir", str(renamed), "--artifacts-dir", str(tmp_path / "artifacts")]
    assert run([*options, "validate"]) == 3
    assert run([*options, "transform"]) == 3
    configured('[columns]\ntracks.id_artist = "artist_id"\n', tmp_path)
    options += ["--config", str(tmp_path / "names.toml")]
    assert run([*options, "validate"]) == 0
    assert run([*options, "transform"]) == 0
