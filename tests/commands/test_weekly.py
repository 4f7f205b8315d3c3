"""The flags of weekly, through the command line."""

import json

import pytest


@pytest.fixture
def ahead(pozytywka, sampled, tmp_path, quick):
    """Artifacts of a weekly model that looks three weeks ahead."""
    folders = ["--data-dir", sampled, "--artifacts-dir", tmp_path / "artifacts"]
    answer = pozytywka("-q", "train", "weekly", "--horizon", "3", *folders)
    assert answer.code == 0
    assert "only 30 full weeks of plays: the LSTM reads 17 weeks, not 26" in answer.err
    return folders


def test_too_few_weeks_are_a_warning_and_shown_beside_every_figure(pozytywka, tmp_path, quick):
    """Also with -q, as from cron; by the tables of `predict weekly` and `plan rates`, too."""
    folders = ["--data-dir", tmp_path / "data", "--artifacts-dir", tmp_path / "artifacts"]
    assert pozytywka("-q", "sample", tmp_path / "data", "--users", "10", "--weeks", "12").code == 0
    answer = pozytywka("-q", "train", "weekly", *folders)
    assert (answer.code, answer.out) == (0, "")
    assert answer.err.startswith("warning: weekly mean ")
    assert "\n  fallback: the mean of all history, for there are only " in answer.err
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
    assert "looks 3 weeks ahead, not 4" in answer.err
    assert "--horizon 4" in answer.err


def test_the_table_shows_the_nearest_week(pozytywka, ahead, tmp_path):
    """Each artist once, whatever the horizon; the file has all weeks."""
    answer = pozytywka("predict", "weekly", *ahead)
    names = [line.split("│")[1].strip() for line in answer.out.splitlines() if line.startswith("│")]
    assert answer.code == 0
    assert len(names) == len(set(names)) == 10


def test_evaluate_measures_each_week_ahead_on_as_many_weeks_as_asked(pozytywka, sampled, tmp_path, quick):
    """Protocols tell both, and a note tells what is left out."""
    answer = pozytywka(
        *("evaluate", "weekly", "--weeks", "5", "--horizon", "2", "--measure", "mean", "--json"),
        *("--data-dir", sampled, "--artifacts-dir", tmp_path),
    )
    protocols = {row["protocol"] for row in json.loads(answer.out)["rows"]}
    nearest = {f"rolling 5 weeks, {step} ahead" for step in (1, 2)}
    assert protocols == nearest | {f"{name}, top 200" for name in nearest}
    assert "weekly seasonal is left out: only 30 full weeks" in answer.err
    assert "weekly is measured on" not in answer.err


def test_evaluate_tells_when_it_measures_fewer_weeks_than_asked(pozytywka, sampled, tmp_path, quick):
    """A third of the log is all that is kept back."""
    answer = pozytywka("evaluate", "weekly", "--weeks", "12", "--data-dir", sampled, "--artifacts-dir", tmp_path)
    told = "weekly is measured on 10 weeks, not 12: of 30 full weeks no more than a third is kept back"
    assert (answer.code, told in answer.err) == (0, True)


@pytest.mark.parametrize(
    ("command", "flags", "problem"),
    [
        ("train", ["--horizon", "2"], "--horizon: weekly alone reads this"),
        ("evaluate", ["--weeks", "2", "--measure", "mean"], "--measure and --weeks: weekly alone reads this"),
        ("predict", ["--horizon", "2"], "--horizon is for weekly"),
    ],
)
def test_flags_of_weekly_are_refused_without_it(pozytywka, sampled, command, flags, problem):
    """Exit 2 before any work."""
    answer = pozytywka(command, "skip", *flags, "--data-dir", sampled)
    assert answer.code == 2
    assert problem in answer.err


def test_an_unknown_measure_is_refused(pozytywka, sampled):
    """With the values that there are."""
    answer = pozytywka("train", "weekly", "--measure", "median", "--data-dir", sampled)
    assert answer.code == 2
    assert "median" in answer.err
