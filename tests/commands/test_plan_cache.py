"""`plan cache`, through the command line."""

import json
import shutil
import sys
from pathlib import Path

import polars as pl
import pytest

COLUMNS = ["track_id", "name", "artist", "storage_class", "planned_class", "expected_plays", "full_play_probability"]
COLUMNS += ["expected_full_plays", "daily_cost"]
POLICIES = ["the plan", "most played", "least frequently used", "least recently used", "present placement", "oracle"]


@pytest.fixture
def folders(sampled, trained) -> list[object]:
    """The sample, and the models trained on it."""
    return ["--data-dir", sampled, "--artifacts-dir", trained]


@pytest.fixture
def without_models(sampled, trained, tmp_path) -> list[object]:
    """The sample and its plays, without a model."""
    (tmp_path / "artifacts").mkdir()
    shutil.copy(trained / "plays.parquet", tmp_path / "artifacts")
    return ["--data-dir", sampled, "--artifacts-dir", tmp_path / "artifacts"]


@pytest.fixture
def changed(sampled, without_models, tmp_path):
    """Arguments for a copy of the sample whose table of storage has these lines, or none."""

    def change(lines: list[dict] | None) -> list[object]:
        data = shutil.copytree(sampled, tmp_path / "data")
        path = data / "track_storage.jsonl"
        path.unlink()
        if lines is not None:
            path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return ["--data-dir", data, *without_models[2:]]

    return change


def stored(folder: Path) -> list[dict]:
    return pl.read_ndjson(folder / "track_storage.jsonl").to_dicts()


def test_a_plan_by_the_promoted_model(pozytywka, folders, tmp_path):
    """The file, the table and the JSON agree, and the budgets are kept."""
    answer = pozytywka("plan", "cache", "--fast-budget", "2", "--medium-budget", "1", "--json", *folders)
    found = json.loads(answer.out)
    assert (answer.code, found["format"], found["command"]) == (0, 1, "plan cache")
    assert list(found["rows"][0]) == COLUMNS
    assert "No version of skip" not in answer.err
    for name, budget in (("FAST", 2), ("MEDIUM", 1)):
        costs = [row["daily_cost"] for row in found["rows"] if row["planned_class"] == name]
        assert 0.5 * budget < sum(costs) <= budget
        [total] = [one for one in found["classes"] if one["storage_class"] == name]
        assert (total["tracks"], total["cost"]) == (len(costs), pytest.approx(sum(costs)))
    assert [one["policy"] for one in found["backtest"]] == POLICIES
    assert {one["days"] for one in found["backtest"]} == {28}
    assert f"{found['backtest'][0]['plays_served']:.1%}" in found["answer"]
    path = tmp_path / "placement.csv"
    written = pozytywka("plan", "cache", "--fast-budget", "2", "--medium-budget", "1", "-o", path, *folders)
    assert written.code == 0
    assert f"Wrote {path}: {len(found['rows']):,} tracks." in written.err
    assert pl.read_csv(path)["planned_class"].to_list() == [row["planned_class"] for row in found["rows"]]
    for text in ("FAST", "tracks now", "moves", "expected full plays", "Backtest", *POLICIES):
        assert text in written.out
    assert " ".join(written.out.split()).endswith(found["answer"])


def test_without_a_model_shares_of_past_plays_stand_in(pozytywka, without_models, tmp_path):
    """A message says so; nothing but the files asked for is written, and -q with a file prints nothing."""
    path = tmp_path / "a.parquet"
    answer = pozytywka("plan", "cache", "--fast-budget", "2", *without_models)
    assert answer.code == 0
    assert "pozytywka train skip" in answer.err
    quiet = pozytywka("-q", "plan", "cache", "--fast-budget", "2", "-o", path, *without_models)
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    planned = pl.read_parquet(path)
    assert planned.columns == COLUMNS
    assert set(planned["planned_class"]) == {"FAST", "SLOW"}


def test_the_backtest_is_drawn(pozytywka, without_models, tmp_path):
    """With a line for every policy."""
    path = tmp_path / "budgets.svg"
    answer = pozytywka("plan", "cache", "--fast-budget", "2", "--plot", path, *without_models)
    assert answer.code == 0
    assert f"Wrote {path}." in answer.err
    picture = path.read_text()
    for text in (*POLICIES, "Plays served from FAST", "Listened time served from FAST"):
        assert text in picture


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        ([], 2, "error: Missing option '--fast-budget'."),
        (["--fast-budget", "0"], 2, "error: --fast-budget 0: there is nothing to place"),
        (["--fast-budget", "ten"], 2, "error: --fast-budget 'ten' is not a cost"),
        (["--fast-budget", "1", "--medium-budget", "-1"], 2, "error: --medium-budget '-1' is not a cost"),
        (["--fast-budget", "0.0001"], 3, "error: --fast-budget 0.0001 has no room for any track"),
        (["--fast-budget", "1", "-o", "x.xls"], 2, "error: -o x.xls: the suffix names no format"),
        (["--fast-budget", "1", "--plot", "x.gif"], 2, "error: --plot x.gif: unknown chart format"),
        (["--fast-budget", "1", "--set", "skip.epochs=2"], 2, "error: --set skip.epochs"),
    ],
)
def test_an_impossible_plan_is_refused(pozytywka, without_models, flags, code, message):
    """With an error of two lines, an exit code, and nothing on stdout."""
    answer = pozytywka("plan", "cache", *flags, *without_models)
    assert (answer.code, answer.out) == (code, "")
    *_, problem, _ = answer.err.splitlines()
    assert problem.startswith(message)


def test_without_altair_only_pictures_are_missing(pozytywka, without_models, monkeypatch):
    """Exit 5."""
    monkeypatch.setitem(sys.modules, "altair", None)
    answer = pozytywka("plan", "cache", "--fast-budget", "1", "--plot", "a.png", *without_models)
    assert answer.code == 5


def test_a_missing_table_of_storage_is_refused(pozytywka, changed):
    """Exit 3, with the folder and the next step."""
    answer = pozytywka("plan", "cache", "--fast-budget", "1", *changed(None))
    assert (answer.code, answer.out) == (3, "")
    assert "track_storage" in answer.err.splitlines()[-2]
    assert "pozytywka schema" in answer.err.splitlines()[-1]


def test_a_class_without_a_track_is_only_needed_for_its_budget(pozytywka, changed, sampled):
    """MEDIUM with --medium-budget; unknown classes and bad costs are counted and left out."""
    lines = stored(sampled)
    medium = sum(line["storage_class"] == "MEDIUM" for line in lines)
    rest = [{**line, "storage_class": "TURBO"} if line["storage_class"] == "MEDIUM" else line for line in lines]
    where = changed(rest)
    answer = pozytywka("plan", "cache", "--fast-budget", "1", *where)
    assert answer.code == 0
    assert f"Ignoring {medium:,} bad lines of track_storage" in answer.err
    assert f"{medium:,} of {len(lines):,} tracks have no storage class" in answer.err
    answer = pozytywka("plan", "cache", "--fast-budget", "1", "--medium-budget", "1", *where)
    assert (answer.code, answer.out) == (3, "")
    assert "MEDIUM" in answer.err.splitlines()[-2]


def test_a_short_log_has_a_plan_without_a_backtest(pozytywka, tmp_path):
    """A warning says why; there is no picture."""
    assert pozytywka("-q", "sample", tmp_path / "data", "--users", "10", "--weeks", "2").code == 0
    folders = ["--data-dir", tmp_path / "data", "--artifacts-dir", tmp_path / "artifacts"]
    picture = tmp_path / "a.svg"
    answer = pozytywka("plan", "cache", "--fast-budget", "1", "--plot", picture, *folders)
    assert answer.code == 0
    assert "no backtest" in answer.err
    assert "Backtest" not in answer.out
    assert not picture.exists()
    found = json.loads(pozytywka("plan", "cache", "--fast-budget", "1", "--json", *folders).out)
    assert (found["backtest"], found["answer"]) == ([], None)


def test_a_damaged_model_is_no_reason_to_do_without(pozytywka, folders, trained, tmp_path):
    """Exit 4."""
    store = shutil.copytree(trained, tmp_path / "trained", symlinks=True)
    for path in (store / "skip" / "current").glob("*.safetensors"):
        path.write_bytes(path.read_bytes()[:-1])
    answer = pozytywka("plan", "cache", "--fast-budget", "1", *folders[:2], "--artifacts-dir", store)
    assert (answer.code, answer.out) == (4, "")


def test_faults_of_the_dirty_sample_do_not_stop_it(pozytywka, tmp_path):
    """Bad lines of every kind are counted in messages."""
    data, artifacts = tmp_path / "data", tmp_path / "artifacts"
    assert pozytywka("-q", "sample", data, "--users", "20", "--weeks", "10", "--dirty").code == 0
    made = pozytywka("-q", "transform", data, "--on-invalid", "quarantine", "--artifacts-dir", artifacts)
    assert made.code == 0, made.err
    answer = pozytywka("plan", "cache", "--fast-budget", "1", "--data-dir", data, "--artifacts-dir", artifacts)
    assert answer.code == 0, answer.err
    assert "bad lines of track_storage" in answer.err
