"""`plan rates` and `predict weekly`, through the command line."""

import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest


def _forecast(pozytywka, folders, tmp_path) -> Path:
    """Write the forecast of all artists and return its path."""
    assert pozytywka("-q", "predict", "weekly", "-o", tmp_path / "forecast.parquet", *folders).code == 0
    return tmp_path / "forecast.parquet"


@pytest.fixture
def folders(sampled, trained) -> list[object]:
    """The sample, and the models trained on it."""
    return ["--data-dir", sampled, "--artifacts-dir", trained]


def test_a_budget_is_divided_to_the_cent(pozytywka, folders, tmp_path):
    """The file, the table and the JSON agree; pay-outs sum to the budget and respect floor and cap."""
    rule = ["--budget", "1234.56", "--floor", "1.50", "--cap", "90", "--premium", "10%", "--cut", "10%"]
    answer = pozytywka("plan", "rates", *rule, "--json", *folders)
    found = json.loads(answer.out)
    assert (answer.code, found["format"], found["command"]) == (0, 1, "plan rates")
    assert list(found["rows"][0]) == ["artist_id", "name", "week", "forecast", "trend", "share", "payout"]
    assert {row["week"] for row in found["rows"]} == {
        str(week) for week in pl.read_parquet(_forecast(pozytywka, folders, tmp_path))["week"]
    }
    paid = [round(100 * row["payout"]) for row in found["rows"]]
    assert sum(paid) == 123_456
    assert min(paid) >= 150
    assert max(paid) <= 9000
    assert sum(row["share"] for row in found["rows"]) == pytest.approx(1)
    assert {one["by"] for one in found["backtest"]} == {
        "the plan",
        "last week",
        "mean of 4 weeks",
        "mean of all weeks",
    }
    assert {one["weeks"] for one in found["backtest"]} == {10}  # a third of 30 at most
    path = tmp_path / "payouts.csv"
    written = pozytywka("plan", "rates", *rule, "-o", path, *folders)
    assert written.code == 0
    assert f"Wrote {path}: {len(paid)} artists by weekly lstm." in written.err
    assert pl.read_csv(path)["payout"].to_list() == pytest.approx([row["payout"] for row in found["rows"]])
    assert "Backtest over the last 10 weeks" in written.out


def test_the_table_shows_the_largest_and_the_backtest(pozytywka, folders, tmp_path):
    """With two decimals; -q prints nothing else, and with a file nothing at all."""
    answer = pozytywka("plan", "rates", "--budget", "10000", *folders)
    assert answer.code == 0
    [week] = set(pl.read_parquet(_forecast(pozytywka, folders, tmp_path))["week"])
    title = " ".join(answer.out.partition("payout")[0].split())
    assert f"pay-outs for the week from {week}; forecast in seconds, by weekly lstm" in title
    for text in ("payout", "trend", "Backtest over the last 10 weeks", "error per artist", "mean of 4 weeks"):
        assert text in answer.out
    assert pozytywka("-q", "plan", "rates", "--budget", "10000", *folders) == answer
    written = pozytywka("-q", "plan", "rates", "--budget", "10000", "-o", tmp_path / "a.csv", *folders)
    assert (written.code, written.out, written.err) == (0, "", "")


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        ([], 2, "error: Missing option '--budget'."),
        (["--budget", "0"], 2, "error: --budget 0: there is nothing to divide"),
        (["--budget", "ten"], 2, "error: --budget 'ten' is not an amount of money"),
        (["--budget", "10.005"], 2, "error: --budget '10.005' is not an amount of money"),
        (["--budget", "9", "--premium", "5"], 2, "error: --premium '5' is not a percentage from 0% to 100%"),
        (["--budget", "9", "--floor", "2", "--cap", "1"], 2, "error: --floor 2.00 is above --cap 1.00"),
        (["--budget", "9", "--floor", "9"], 3, "error: --floor 9.00 for "),
        (["--budget", "900", "--cap", "0.01"], 3, "error: --cap 0.01 for "),
        (["--budget", "9", "-o", "x.xls"], 2, "error: -o x.xls: the suffix names no format"),
    ],
)
def test_an_impossible_rule_is_refused(pozytywka, folders, flags, code, message):
    """With two lines and an exit code; nothing on stdout."""
    answer = pozytywka("plan", "rates", *flags, *folders)
    assert (answer.code, answer.out) == (code, "")
    assert answer.err.startswith(message)
    assert len(answer.err.splitlines()) == 2


def test_without_a_model_it_names_how_to_train_one(pozytywka, sampled, tmp_path):
    """Exit 4."""
    answer = pozytywka("plan", "rates", "--budget", "9", "--data-dir", sampled, "--artifacts-dir", tmp_path)
    assert answer.code == 4
    assert "no weekly model" in answer.err


def test_fewer_than_four_full_weeks_are_refused_with_their_number(pozytywka, trained, tmp_path):
    """By `predict weekly`, `plan rates`, `train weekly` and `evaluate weekly` alike."""
    assert pozytywka("-q", "sample", tmp_path / "data", "--users", "10", "--weeks", "3").code == 0
    store = shutil.copytree(trained, tmp_path / "trained", symlinks=True)
    folders = ["--data-dir", tmp_path / "data", "--artifacts-dir", store]
    fresh = ["--data-dir", tmp_path / "data", "--artifacts-dir", tmp_path / "artifacts"]
    for command in (
        ["predict", "weekly", *folders],
        ["plan", "rates", "--budget", "9", *folders],
        ["train", "weekly", *fresh],
        ["evaluate", "weekly", *fresh],
    ):
        answer = pozytywka(*command)
        assert (answer.code, answer.out) == (3, "")
        assert "only 2 full weeks of plays; weekly needs at least 4" in answer.err


def test_a_model_of_means_pays_nobody(pozytywka, sampled, tmp_path, quick):
    """The mean listen does not show how much was listened to."""
    folders = ["--data-dir", sampled, "--artifacts-dir", tmp_path]
    assert pozytywka("-q", "train", "weekly", "--variant", "mean", "--measure", "mean", *folders).code == 0
    answer = pozytywka("plan", "rates", "--budget", "9", *folders)
    assert answer.code == 3
    assert "forecasts the mean listen" in answer.err


def test_predict_weekly_forecasts_one_artist(pozytywka, folders, tmp_path):
    """By any spelling of its name, as table, JSON or file; for an unknown name the nearest three are named."""
    every = json.loads(pozytywka("predict", "weekly", "--json", *folders).out)["rows"]
    wanted = max(every, key=lambda row: row["mean"])
    command = ["predict", "weekly", "--artist", wanted["name"].upper()]
    assert json.loads(pozytywka(*command, "--json", *folders).out)["rows"] == [wanted]
    table = pozytywka(*command, *folders)
    assert wanted["name"] in table.out
    assert table.out.startswith("Seconds, by weekly lstm")
    assert wanted["trend"] in table.out
    assert "Wrote" not in table.err
    path = tmp_path / "one.jsonl"
    assert pozytywka(*command, "-o", path, *folders).code == 0
    assert len(pl.read_ndjson(path)) == 1
    answer = pozytywka("predict", "weekly", "--artist", wanted["name"][:-1] + "qq", *folders)
    assert answer.code == 3
    assert f'"{wanted["name"][:-1]}qq"' in answer.err
    assert f'"{wanted["name"]}"' in answer.err


def test_predict_weekly_says_what_all_artists_share(pozytywka, folders):
    """In a message for people, and beside the rows of the JSON."""
    answer = pozytywka("predict", "weekly", "--json", *folders)
    move = json.loads(answer.out)["shared_move"]
    assert 0.5 < move < 2
    assert f"{move:.2f} ×" in answer.err


def test_one_artist_does_not_overwrite_the_forecast_of_all(pozytywka, folders, trained):
    """artifacts/predictions/weekly.parquet keeps every artist."""
    assert pozytywka("predict", "weekly", *folders).code == 0
    path: Path = trained / "predictions" / "weekly.parquet"
    before = path.read_bytes()
    name = pl.read_parquet(path)["name"][0]
    assert pozytywka("predict", "weekly", "--artist", name, *folders).code == 0
    assert path.read_bytes() == before


@pytest.mark.parametrize("family", [["skip"], []])
def test_artist_only_applies_to_weekly(pozytywka, folders, family):
    """Exit 2 with the right command, for skip and for all families."""
    answer = pozytywka("predict", *family, "--artist", "Rosetta", *folders)
    assert answer.code == 2
    assert "--artist" in answer.err
    assert "`pozytywka predict weekly --artist" in answer.err


def test_settings_of_the_command_line_reach_the_plan(pozytywka, sampled, trained):
    """General settings by --set; a setting of weekly is fixed in training and refused."""
    folders = ["--set", f"data_dir={sampled}", "--set", f"artifacts_dir={trained}"]
    assert pozytywka("plan", "rates", "--budget", "9", *folders).code == 0
    answer = pozytywka("plan", "rates", "--budget", "9", "--set", "weekly.horizon=2", *folders)
    assert answer.code == 2
    assert "weekly.horizon" in answer.err


def test_weekly_is_drawn(pozytywka, sampled, tmp_path, quick):
    """The error by week, the calibration of the quantiles, and six artists."""
    path = tmp_path / "weekly.svg"
    answer = pozytywka("evaluate", "weekly", "--plot", path, "--data-dir", sampled, "--artifacts-dir", tmp_path)
    assert answer.code == 0
    assert answer.err.endswith(f"Wrote {path}.\n")
    picture = path.read_text()
    assert picture.count("with 10 to 90 %") >= 6
    assert "Error by week, " in picture
    assert "Calibration, " in picture


def test_forecasts_of_zero_are_no_reason_to_pay_everybody_the_same(pozytywka, folders, tmp_path):
    """The last weeks are silent but for a play of a track without an artist: exit 3, and nothing is written."""
    data = shutil.copytree(folders[1], tmp_path / "data")
    tracks = (data / "tracks.jsonl").read_text(encoding="utf-8").splitlines()
    nobodys = {**json.loads(tracks[0]), "id": "nobodys", "id_artist": None}
    (data / "tracks.jsonl").write_text("\n".join([*tracks, json.dumps(nobodys)]) + "\n", encoding="utf-8")
    events = [json.loads(line) for line in (data / "sessions.jsonl").read_text(encoding="utf-8").splitlines()]
    last = max(event["timestamp"] for event in events)
    for event in events:
        if event["event_type"] != "BUY_PREMIUM" and event["timestamp"] > _weeks_before(last, 8):
            event["track_id"] = "nobodys"
    (data / "sessions.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    where = ["--data-dir", data, "--artifacts-dir", tmp_path / "artifacts"]
    trained = pozytywka("train", "weekly", "--variant", "mean4", "--set", "weekly.test_weeks=12", *where)
    assert trained.code == 0, trained.err
    answer = pozytywka("plan", "rates", "--budget", "100", "-o", tmp_path / "paid.csv", *where)
    assert (answer.code, answer.out) == (3, "")
    assert "0 s" in answer.err
    assert not (tmp_path / "paid.csv").exists()


def _weeks_before(moment: str, weeks: int) -> str:
    return (datetime.fromisoformat(moment) - timedelta(weeks=weeks)).isoformat()
