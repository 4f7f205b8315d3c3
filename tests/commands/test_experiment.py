"""`experiment`, through the command line."""

import io
import json
import sys

import pytest

pytest.importorskip("sqlalchemy", reason="the extra `experiments` is not installed")


@pytest.fixture
def folders(sampled, tmp_path) -> list[object]:
    """The sample, and an empty folder of artifacts."""
    return ["--data-dir", sampled, "--artifacts-dir", tmp_path / "artifacts"]


@pytest.fixture
def run(pozytywka, folders):
    """Run `experiment …` there, and require that it succeeds."""

    def call(*words: object, code: int = 0):
        answer = pozytywka("experiment", *words, *folders)
        assert answer.code == code, answer.err
        return answer

    return call


@pytest.fixture
def started(run):
    """An experiment of users that runs since before the sample."""
    metrics = ["--metric", "skip_rate", "--metric", "listened_seconds"]
    arms = ["--arm", "old=1@skip/simple", "--arm", "new=1@skip"]
    run("create", "mixture", *arms, *metrics, "--salt", "s", "--planned-units", 30)
    run("start", "mixture", "--at", "2020-01-01")
    return run


def rows(answer) -> list[dict]:
    """The rows of a JSON answer."""
    return json.loads(answer.out)["rows"]


def test_an_experiment_from_its_creation_to_its_analysis(started):
    """On the log: exposures, outcomes, table, JSON, picture; then it is stopped, and nobody is exposed any more."""
    run = started
    run("assign", "mixture", "--from-log")
    answer = run("analyze", "mixture", "--from-log", "--json")
    found = json.loads(answer.out)
    assert (found["format"], found["command"], found["experiment"]) == (1, "experiment analyze", "mixture")
    assert sum(arm["units"] for arm in found["arms"]) == 30
    assert {row["metric"] for row in found["rows"]} == {"skip_rate", "listened_seconds"}
    for row in found["rows"]:
        assert row["always_low"] < row["low"] < row["difference"] < row["high"] < row["always_high"]
    text = run("analyze", "mixture").out
    assert "skip_rate" in text
    assert max(map(len, text.splitlines())) <= 100
    run("stop", "mixture")
    assert "stopped" in run("status").out
    run("assign", "mixture", "101", code=3)


def test_a_picture(started, tmp_path):
    """Effects, confidence sequences and the sample ratio."""
    pytest.importorskip("altair")
    started("assign", "mixture", "--from-log")
    started("analyze", "mixture", "--from-log", "--plot", tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    for title in ("skip_rate", "confidence sequence", "Sample ratio"):
        assert title in text


def test_arms_are_the_same_at_every_call(started):
    """Until the weights change: then some move, all to the arm that grows, and are counted."""
    units = [str(number) for number in range(200)]
    first = {row["unit"]: row["arm"] for row in rows(started("assign", "mixture", *units, "--json"))}
    assert first == {row["unit"]: row["arm"] for row in rows(started("assign", "mixture", *reversed(units), "--json"))}
    started("start", "mixture", "--weight", "new=3")
    later = {row["unit"]: row["arm"] for row in rows(started("assign", "mixture", *units, "--json"))}
    moved = [unit for unit in units if first[unit] != later[unit]]
    assert {first[unit] for unit in moved} == {"old"}
    assert 25 < len(moved) < 75
    [status] = rows(started("status", "mixture", "--json"))
    assert [arm["crossovers"] for arm in status["arms"]] == [len(moved), 0]
    assert [arm["weight"] for arm in status["definition"]["arms"]] == ["1", "3"]


def test_units_from_standard_input(started, monkeypatch):
    """One a line, as on the command line."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("101\n102\r\n"))
    found = rows(started("assign", "mixture", "-", "--json"))
    assert found == rows(started("assign", "mixture", "101", "102", "--json"))


def test_a_mismatch_is_refused(started, tmp_path):
    """After the figures: exit 3."""
    from pozytywka_cli.experiments.database import connect
    from pozytywka_cli.experiments.entries import Exposure
    from pozytywka_cli.experiments.recording import log_exposures

    engine = connect("", tmp_path / "artifacts")
    arms = ["old"] * 5200 + ["new"] * 4800
    log_exposures(engine, 1, [Exposure(str(number), 2 * 10**15, arm) for number, arm in enumerate(arms)])
    engine.dispose()
    answer = started("analyze", "mixture", code=3)
    assert "5,200" in answer.out
    assert "mismatch" in answer.err


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["create", "A B", "--arm", "a", "--arm", "b"], 2, "A B"),
        (["create", "x", "--arm", "a"], 2, "two"),
        (["create", "x", "--arm", "a", "--arm", "a"], 2, "two"),
        (["create", "x", "--arm", "a=0", "--arm", "b"], 2, "a=0"),
        (["create", "x", "--arm", "a", "--arm", "b", "--metric", "clicks"], 2, "clicks"),
        (["create", "x", "--arm", "a=1@skip", "--arm", "b"], 2, "b=1@skip"),
        (["create", "x", "--arm", "a=1@skip", "--arm", "b=1@skip/quick"], 2, "quick"),
        (["create", "x", "--arm", "a=1@skip", "--arm", "b=1@weekly"], 2, "weekly"),
        (["create", "mixture", "--arm", "a", "--arm", "b"], 3, "mixture"),
        (["start", "nothing"], 3, "nothing"),
        (["start", "mixture"], 3, "mixture"),
        (["start", "mixture", "--weight", "none=1"], 2, "none"),
        (["start", "mixture", "--weight", "new"], 2, "new"),
        (["stop", "mixture", "--at", "1999-01-01"], 2, "mixture"),
        (["stop", "mixture", "--at", "soon"], 2, "--at"),
        (["assign", "mixture"], 2, "--from-log"),
        (["assign", "mixture", "101", "--from-log"], 2, "--from-log"),
        (["assign", "mixture", ""], 2, "unit"),
        (["analyze", "'; DROP TABLE experiments; --"], 3, "DROP"),
        (["analyze", "mixture", "--plot", "a.xyz"], 2, "--plot"),
        (["status", "nothing"], 3, "nothing"),
        (["replay", "skip/constant"], 2, "two"),
        (["replay", "skip/constant", "skip/constant"], 2, "two"),
        (["replay", "skip/constant", "weekly/last"], 2, "weekly"),
        (["replay", "similar/als", "similar/ppmi"], 2, "similar"),
        (["replay", "skip/constant", "skip/quick"], 2, "quick"),
        (["replay", "skip/constant", "skip"], 4, "promoted"),
        (["power", "--effect", "much"], 2, "much"),
        (["power", "--effect", "0%"], 2, "0%"),
        (["power", "--metric", "clicks"], 2, "clicks"),
        (["simulate", "--metric", "misallocated"], 2, "misallocated"),
    ],
)
def test_errors_are_for_people(started, words, code, named):
    """The exit code, and what is wrong in at most two lines."""
    answer = started(*words, code=code)
    assert named in answer.err
    assert len(answer.err.splitlines()) <= 2
    assert "Traceback" not in answer.err


def test_a_missing_extra(pozytywka, folders, monkeypatch):
    """Exit 5, with the command that installs it; power, simulate and replay do without."""
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    answer = pozytywka("experiment", "status", *folders)
    assert answer.code == 5
    assert "pip install 'pozytywka[experiments]'" in answer.err
    assert pozytywka("experiment", "power", *folders).code == 0
    assert pozytywka("experiment", "replay", "weekly/last", "weekly/mean", *folders).code == 0


def test_power_and_needed_units(run):
    """An effect that is detectable with so many units needs so many."""
    for row in rows(run("power", "--days", 60, "--units", 500, "--json")):
        again = rows(run("power", "--days", 60, "--metric", row["metric"], "--effect", row["detectable"], "--json"))
        assert [one["needed"] for one in again if one["method"] == row["method"]] == [pytest.approx(500, abs=1)]
    assert "needed units" in run("power", "--effect", "5%").out


def test_simulations(run):
    """A table and JSON of the same rows, the old way among them."""
    words = ("simulate", "--days", 90, "--runs", 200, "--looks", 5, "--metric", "skip_rate")
    found = rows(run(*words, "--json"))
    assert {"metric", "check", "share", "expected"} == set(found[0])
    assert any("old way" in row["check"] for row in found)
    assert "old way" in run(*words).out


def test_models_are_replayed(run):
    """Two variants without any version: a row for each metric and model, as a table and as JSON."""
    words = ("replay", "weekly/mean4", "weekly/last", "--days", 35)
    answer = run(*words, "--json")
    assert [(row["model"], row["difference"] is None) for row in rows(answer)][:2] == [
        ("weekly/mean4", True),
        ("weekly/last", False),
    ]
    assert {row["metric"] for row in rows(answer)} == {"rmse", "mae", "misallocated_share"}
    text = run(*words).out
    assert max(map(len, text.splitlines())) <= 100
    assert json.loads(answer.out)["since"][:10] in text


def test_artists_are_units_too(run):
    """Their plays are those of their tracks."""
    run("create", "payout", "--unit", "artist", "--arm", "a", "--arm", "b", "--metric", "full_plays")
    run("start", "payout", "--at", "2020-01-01")
    run("assign", "payout", "--from-log")
    found = json.loads(run("analyze", "payout", "--from-log", "--json").out)
    assert sum(arm["units"] for arm in found["arms"]) > 5


def test_the_password_of_the_database_is_not_shown(pozytywka, monkeypatch):
    """Neither by `settings` nor by an error."""
    monkeypatch.setenv("POZYTYWKA_DATABASE_URL", "mysql://me:hidden-word@host/name")
    answers = [pozytywka("settings"), pozytywka("settings", "--json"), pozytywka("experiment", "status")]
    assert [answer.code for answer in answers] == [0, 0, 2]
    assert all("hidden-word" not in answer.out + answer.err for answer in answers)
    assert "me:***@host" in answers[1].out
