"""The options of weekly."""

import json
import re

import pytest


@pytest.fixture
def ahead(pozytywka, sampled, tmp_path, quick):
    """Artifacts of a weekly model that looks three weeks ahead."""
    folders = ["--data-dir", sampled, "--artifacts-dir", tmp_path / "artifacts"]
    assert pozytywka("-q", "train", "weekly", "--horizon", "3", *folders).code == 0
    return folders


def test_too_few_weeks_are_a_warning_and_shown_beside_every_figure(pozytywka, tmp_path, quick):
    """Also with -q, as from cron; by the tables of `predict weekly` and `plan rates`, too."""
    folders = ["--data-dir", tmp_path / "data", "--artifacts-dir", tmp_path / "artifacts"]
    assert pozytywka("-q", "sample", tmp_path / "data", "--users", "10", "--weeks", "12").code == 0
    answer = pozytywka("-q", "train", "weekly", *folders)
    assert (answer.code, answer.out) == (0, "")
    assert answer.err.startswith("warning: weekly mean ")
    assert "fallback for lstm" in answer.err
    for command in (["predict", "weekly"], ["plan", "rates", "--budget", "1000"]):
        assert "by weekly mean, a fallback" in " ".join(pozytywka(*command, *folders).out.split())


def test_predict_looks_as_far_as_asked_but_no_farther_than_was_trained(pozytywka, ahead):
    """Three weeks for each artist, or one; four exit 2 and say how to have them."""
    weeks = {}
    for flags in ([], ["--horizon", "1"]):
        found = json.loads(pozytywka("predict", "weekly", *flags, "--json", *ahead).out)["rows"]
        weeks[len(flags)] = {row["week"] for row in found}
        assert len(found) == len(weeks[len(flags)]) * len({row["artist_id"] for row in found})
    assert [len(one) for one in weeks.values()] == [3, 1]
    assert weeks[2] == {min(weeks[0])}
    answer = pozytywka("predict", "weekly", "--horizon", "4", *ahead)
    assert answer.code == 2
    assert "--horizon 4" in answer.err
    assert pozytywka("predict", "weekly", "--set", "weekly.horizon=4", *ahead).err == answer.err


def test_the_table_shows_the_nearest_week(pozytywka, ahead, tmp_path):
    """Each artist once, whatever the horizon; the file has all weeks."""
    answer = pozytywka("predict", "weekly", *ahead)
    weeks = re.findall(r"^(\S.*?)  +(20\d\d-\d\d-\d\d) ", answer.out, re.MULTILINE)
    assert answer.code == 0
    assert len({name for name, _ in weeks}) == 10
    assert len({week for _, week in weeks}) == 1


def test_evaluate_measures_each_week_ahead_on_as_many_weeks_as_asked(pozytywka, sampled, tmp_path, quick):
    """Protocols tell both, and a note tells what is left out; another one is what the variant is chosen by."""
    answer = pozytywka(
        *("evaluate", "weekly", "--set", "weekly.test_weeks=5", "--horizon", "2", "--measure", "mean", "--json"),
        *("--data-dir", sampled, "--artifacts-dir", tmp_path),
    )
    protocols = {row["protocol"] for row in json.loads(answer.out)["rows"]}
    nearest = {f"rolling 5 weeks, {step} ahead" for step in (1, 2)}
    assert protocols == nearest | {f"{name}, top 200" for name in nearest} | {"validation"}
    assert "weekly seasonal is left out: only 30 full weeks" in answer.err
    assert "weekly is measured on" not in answer.err


def test_evaluate_reports_that_it_measures_fewer_weeks_than_configured(pozytywka, sampled, tmp_path, quick):
    """At most a third of the log is held out."""
    weeks = ["--set", "weekly.test_weeks=12"]
    answer = pozytywka("evaluate", "weekly", *weeks, "--data-dir", sampled, "--artifacts-dir", tmp_path)
    assert answer.code == 0
    assert re.search(r"weekly .*\b10 .*\b12\b", answer.err)


def test_an_unknown_measure_is_refused(pozytywka, sampled):
    """With the values that there are."""
    answer = pozytywka("train", "weekly", "--measure", "median", "--data-dir", sampled)
    assert answer.code == 2
    assert "median" in answer.err
