"""Names of files and folders: every name that a file system allows is read as it stands."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pozytywka_cli.dataset import plays_file
from pozytywka_cli.dataset.checking.validate import Checked
from pozytywka_cli.dataset.reading.data_files import locate, unread, unread_messages
from pozytywka_cli.dataset.reading.read import read
from pozytywka_cli.dataset.tables import SESSIONS, TABLES, USERS
from pozytywka_cli.dataset.transform import transform

RAW = os.fsdecode(b"sessions-\xff.jsonl")
SHOWN = r"sessions-\xff.jsonl"


@pytest.fixture
def odd(folder: Callable[..., Path], line: Callable[..., str]) -> Path:
    """A data folder with a file whose name is not UTF-8, one line of which is bad."""
    place = folder()
    try:
        (place / RAW).write_text(line("sessions", session_id="8") + "\n{\n")
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    return place


def test_a_name_that_is_not_utf8_is_shown_escaped(odd: Path, pozytywka: Callable[..., Any], tmp_path: Path) -> None:
    """In tables, JSON, reports and the reasons of the quarantine."""
    html, junit, bad = tmp_path / "r.html", tmp_path / "r.xml", tmp_path / "bad"
    reports = ["--report", f"html={html}", "--report", f"junit={junit}"]
    answer = pozytywka("validate", odd, "--json", *reports, "--quarantine", bad)
    assert answer.code == 3
    examples = [example for row in json.loads(answer.out)["rows"] for example in row["examples"]]
    assert {"file": str(odd / SHOWN), "line": 2} in [{"file": e["file"], "line": e["line"]} for e in examples]
    assert SHOWN in html.read_text()
    assert SHOWN in junit.read_text()
    reason = json.loads((bad / "bad" / "sessions.reasons.jsonl").read_text())
    assert reason == {"file": str(odd / SHOWN), "line": 2, "rules": ["json"]}
    assert "internal" not in pozytywka("validate", odd).err


def test_plays_from_a_name_that_is_not_utf8(odd: Path, tmp_path: Path) -> None:
    """Plays are made, and are up to date until the file changes."""
    plays = tmp_path / "plays.parquet"
    assert transform(odd, plays, on_invalid="quarantine", quarantine_dir=tmp_path / "bad").rows == 2
    stored = plays_file.read(plays)
    assert SHOWN in [file.name for file in stored.inputs]
    assert not plays_file.changed(odd, stored)
    (odd / RAW).unlink()
    assert plays_file.changed(odd, stored)


@pytest.mark.parametrize("name", [b"users-\xff.parquet", b"users-\xff.txt", b"users-\xff.jsonl"])
def test_other_names_that_are_not_utf8(name: bytes, folder: Callable[..., Path], pozytywka: Callable[..., Any]) -> None:
    """A Parquet file is read, a file that cannot be read is named, one that is not read is in a warning."""
    place = folder()
    path = place / os.fsdecode(name)
    with path.open("wb") as file:
        pl.DataFrame({"user_id": [2]}).write_parquet(file)
    answer = pozytywka("validate", place)
    assert answer.code == (74 if path.suffix == ".jsonl" else 0)
    assert r"users-\xff" in answer.out + answer.err or path.suffix == ".parquet"


@pytest.mark.parametrize("odd_folder", ["~", "file:", "a[1]", "*", "?", "a b", "%41", "s3:", "{x,y}"])
@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_nothing_in_a_path_is_expanded(
    odd_folder: str, kind: str, folder: Callable[..., Path], line: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative and absolute paths are read literally, whatever they mean to a shell or a URL."""
    place = folder(odd_folder)
    monkeypatch.chdir(place.parent)
    path = Path(odd_folder) / f"users[12]*.{kind}"
    users = pl.DataFrame({"user_id": [5]})
    users.write_parquet(path.absolute()) if kind == "parquet" else users.write_ndjson(path.absolute())
    for file in (path, path.absolute()):
        assert read(USERS, (file,)).frame["user_id"].to_list() == [5]


@pytest.mark.parametrize(
    "name",
    [
        "sessions.old.jsonl",
        "sessions.bak.jsonl.gz",
        "sessions-backup.jsonl",
        "sessions_copy2.ndjson",
        "sessions.orig.parquet",
        "sessions-2024-01-01.tmp.jsonl",
        "sessions/old/2024.jsonl",
        "sessions/2024.OLD.jsonl",
    ],
)
def test_former_versions_are_named_and_not_read(
    name: str, folder: Callable[..., Path], checked: Callable[..., Checked]
) -> None:
    """A copy beside the file would count its lines twice: it is left out, in a warning, and is no second format."""
    place = folder()
    (place / name).parent.mkdir(parents=True, exist_ok=True)
    (place / name).write_text("{")
    assert locate(place, SESSIONS) == (place / "sessions.jsonl",)
    assert unread(place, TABLES.values()) == {"sessions": [place / name]}
    assert Path(name).name in unread_messages(place, TABLES.values())[0]
    assert [(v.rule, v.level) for v in checked(place).violations] == [("unread", "warning")]


@pytest.mark.parametrize("name", ["sessions.2.jsonl", "sessions-2024.01.05.jsonl", "sessions_golden.jsonl"])
def test_parts_are_read(name: str, folder: Callable[..., Path], line: Callable[..., str]) -> None:
    """Numbers, dates and other words name parts of the log."""
    place = folder()
    (place / name).write_text(line("sessions"))
    assert len(locate(place, SESSIONS)) == 2


@pytest.mark.parametrize("where", ["backup", "old.tmp"])
def test_the_data_folder_may_have_any_name(where: str, folder: Callable[..., Path]) -> None:
    """Only names below it tell parts from copies."""
    assert len(locate(folder(where), SESSIONS)) == 1
