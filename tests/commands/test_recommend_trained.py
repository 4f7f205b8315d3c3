"""`recommend` with models that were trained on a sample, the promoted one and the default variant."""

import json
import shutil
import subprocess
import sys
from inspect import signature
from pathlib import Path

import msgspec
import polars as pl
import pytest

from pozytywka_cli.artifacts import Store
from pozytywka_cli.commands.boundary import run
from pozytywka_cli.commands.recommend import recommend
from pozytywka_cli.families.recommend.predict import RecommendRequest

PROGRAM = [sys.executable, "-m", "pozytywka_cli", "-q", "recommend"]


@pytest.fixture(scope="module", params=["promoted", "blend"])
def artifacts(request, sampled: Path, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts whose promoted version is what training promoted, or the default variant."""
    if request.param == "promoted":
        return trained
    folder = tmp_path_factory.mktemp(request.param) / "artifacts"
    shutil.copytree(trained, folder, symlinks=True)
    where = ["--data-dir", str(sampled), "--artifacts-dir", str(folder)]
    assert run(["-q", "train", "recommend", "--variant", request.param, "--no-promote", "--force", *where]) == 0
    store = Store(folder)
    versions = store.names("recommend")
    store.promote("recommend", next(v for v in versions if store.manifest("recommend", v).variant == request.param))
    return folder


@pytest.fixture
def where(sampled: Path, artifacts: Path) -> list[str]:
    return ["--data-dir", str(sampled), "--artifacts-dir", str(artifacts)]


def rows(answer) -> list[dict]:
    assert answer.code == 0, answer.err
    return json.loads(answer.out)["rows"]


def played(sampled: Path, user: int) -> set[str]:
    events = pl.read_ndjson(sampled / "sessions.jsonl").filter(pl.col("event_type") == "PLAY")
    return set(events.filter(user_id=user)["track_id"])


def test_new_tracks_are_recommended_with_a_reason(pozytywka, sampled, where):
    """As many as were asked for, each once, none that the user has played."""
    found = rows(pozytywka("recommend", "101", "-n", "8", "--json", *where))
    assert [row["rank"] for row in found] == list(range(1, 9))
    tracks = {row["track_id"] for row in found}
    assert len(tracks) == 8
    assert not tracks & played(sampled, 101)
    assert all(row["because_kind"] and row["track"] and row["artist"] for row in found)


def test_a_history_can_be_replaced_by_wishes(pozytywka, where):
    """An unknown user is refused without, and answered with each of them."""
    assert pozytywka("recommend", "7", *where).code == 3
    some = rows(pozytywka("recommend", "101", "-n", "1", "--json", *where))[0]
    for wish in (["--genres", "doom metal, folk"], ["--like-artist", "rosetta"], ["--like-track", some["track_id"]]):
        assert len(rows(pozytywka("recommend", "7", "-n", "3", "--json", *wish, *where))) == 3


@pytest.mark.parametrize("wish", [["--genres", "qqq"], ["--like-artist", "qqq"], ["--like-track", "qqq"]])
def test_a_wish_that_means_nothing_exits_3(pozytywka, where, wish):
    """The message names it."""
    answer = pozytywka("recommend", "101", *wish, *where)
    assert (answer.code, answer.out) == (3, "")
    assert "qqq" in answer.err


def test_one_user_gets_the_same_tracks_as_all(pozytywka, where, tmp_path):
    """The answer does not depend on who else is asked about."""
    assert pozytywka("recommend", "--all-users", "-n", "4", "-o", tmp_path / "all.parquet", *where).code == 0
    written = pl.read_parquet(tmp_path / "all.parquet")
    assert written["user_id"].n_unique() == 30
    alone = rows(pozytywka("recommend", "105", "-n", "4", "--json", *where))
    assert written.filter(user_id=105)["track_id"].to_list() == [row["track_id"] for row in alone]


def test_users_in_a_pipe_are_answered_as_they_come(where):
    """One line written to the pipe is answered before the next one is; a bad one is a warning."""
    command = [*PROGRAM, "-", "-n", "1", *where]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        for user in (101, 102):
            program.stdin.write(b"%d\n" % user)
            program.stdin.flush()
            assert program.stdout.readline().startswith(b"%d\t" % user)
        program.stdin.write(b"nonsense\n")
        program.stdin.close()
        assert b"-:3: " in program.stderr.read()
    assert program.returncode == 3


def test_nobody_on_standard_input_makes_an_empty_file(where, tmp_path):
    """Its columns are those of any answer."""
    command = [*PROGRAM, "-", "-o", str(tmp_path / "empty.parquet"), *where]
    assert subprocess.run(command, input=b"\n", check=False).returncode == 0
    empty = pl.read_parquet(tmp_path / "empty.parquet")
    assert (len(empty), empty.columns[:2]) == (0, ["user_id", "rank"])


def test_predict_writes_the_usual_requests(pozytywka, where, artifacts, tmp_path):
    """Of all users; `predict recommend FILE` answers requests with wishes."""
    assert pozytywka("predict", "recommend", *where).code == 0
    written = pl.read_parquet(artifacts / "predictions" / "recommend.parquet")
    assert written["user_id"].n_unique() == 30
    (tmp_path / "wishes.csv").write_text("user_id,count,genres\n101,2,\n7,3,folk\n7,1,\n")
    lines = pozytywka("predict", "recommend", tmp_path / "wishes.csv", *where).out.splitlines()
    assert [json.loads(line)["user_id"] for line in lines] == [101, 101, 7, 7, 7, 7]
    assert json.loads(lines[-1])["problem"]


def test_the_options_have_the_defaults_of_a_request():
    """The command states them apart, so that its help imports nothing heavy."""
    options = signature(recommend).parameters
    for field in msgspec.structs.fields(RecommendRequest):
        if field.name in options:
            assert options[field.name].default == field.default, field.name
