"""`train --tune`: what it reports, what it records, and when it has nothing to do."""

import json
from pathlib import Path

import pytest

from pozytywka_cli.families import registry
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.tuning import best, read_trials

TRIALS = Path("artifacts") / "skip" / "trials.jsonl"


@pytest.fixture
def train(pozytywka, sampled, tmp_path, monkeypatch, quick):
    """Train `simple` on the sample in an empty folder, with these options more."""
    monkeypatch.chdir(tmp_path)
    return lambda *more: pozytywka("train", "skip", "--variant", "simple", "--data-dir", sampled, *more)


@pytest.fixture
def tried(monkeypatch) -> list[SkipSettings]:
    """Replace the trials of skip by their dropout, and record their settings."""
    settings: list[SkipSettings] = []

    def trial(_: object, run: TrainingRun) -> float:
        assert (run.variant, run.seed, run.device) == ("simple", 0, "cpu")
        settings.append(run.settings_as(SkipSettings))
        return settings[-1].dropout

    monkeypatch.setattr(registry.get("skip"), "trial", trial, raising=False)
    return settings


def trained() -> dict[str, object]:
    """The settings of the only trained version."""
    (manifest,) = (json.loads(path.read_text()) for path in Path("artifacts/skip/versions").glob("*/manifest.json"))
    return manifest["settings"]


def test_a_search_chooses_the_settings(train):
    """Every trial is recorded, the version has the settings of the best, and a second run has nothing to do."""
    first = train("--tune", "3", "--jobs", "2")
    recorded = read_trials(TRIALS)
    assert (first.code, [trial.number for trial in recorded]) == (0, [0, 1, 2])
    assert trained() == best(recorded).settings
    before = TRIALS.read_bytes()
    again = train("--tune", "3")
    assert (again.code, TRIALS.read_bytes()) == (0, before)
    assert "unchanged" in again.out
    (chosen,) = (line for line in again.err.splitlines() if line.startswith("  3 trials; "))
    assert chosen in first.err.splitlines()


def test_the_chosen_settings_are_reported(train, tried):
    """On stderr, and in the JSON row."""
    answer = train("--tune", "4", "--json")
    chosen = min(tried, key=lambda settings: settings.dropout)
    assert chosen != tried[0]
    assert f"dropout {chosen.dropout}, learning_rate {chosen.learning_rate}" in answer.err
    (row,) = json.loads(answer.out)["rows"]
    assert row["tuned"] == {
        "trials": 4,
        "best": tried.index(chosen),
        "settings": {"dropout": chosen.dropout, "learning_rate": chosen.learning_rate},
        "metric": "log_loss",
        "loss": chosen.dropout,
        "loss_in_force": 0.3,
    }


def test_the_configured_settings_may_be_the_best(train, tried):
    """Then the version is the one that is trained without a search."""
    assert "1 trial; the configured settings are the best" in train("--tune", "1").err
    assert "unchanged" in train().out


def test_a_longer_search_goes_on_from_the_shorter_one(train, tried):
    """Trials are run once, even with --force; other settings in force make it another search."""
    train("--tune", "2")
    train("--tune", "4", "--force")
    assert [trial.settings["dropout"] for trial in read_trials(TRIALS)] == [settings.dropout for settings in tried]
    assert len(tried) == 4
    train("--tune", "2", "--until", "2031-01-01")
    assert len(tried) == 6
    assert len({trial.search for trial in read_trials(TRIALS)}) == 2


def test_chosen_settings_can_be_put_in_force(train, tried, monkeypatch):
    """The reported settings, set in the environment, give the version that is already there."""
    train("--tune", "4")
    chosen = min(tried, key=lambda settings: settings.dropout)
    monkeypatch.setenv("POZYTYWKA_SKIP_DROPOUT", str(chosen.dropout))
    monkeypatch.setenv("POZYTYWKA_SKIP_LEARNING_RATE", str(chosen.learning_rate))
    assert "unchanged" in train().out


def test_damaged_trials_are_refused(train, tried):
    """Exit 4, the file and the line, before anything is tried or trained."""
    TRIALS.parent.mkdir(parents=True)
    TRIALS.write_text("{\n")
    answer = train("--tune", "2")
    assert (answer.code, tried) == (4, [])
    assert f"error: skip: {TRIALS}:1 is damaged" in answer.err
    assert not (TRIALS.parent / "versions").exists()


TUNABLE = "skip advanced, skip simple, weekly lstm"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["weekly", "--variant", "mean", "--tune", "5"], ["weekly mean", TUNABLE]),
        (["--tune", "5"], ["similar two-cosines", TUNABLE]),
        (["skip", "--variant", "forest", "--tune", "5"], ["skip forest", TUNABLE]),
        (["skip", "--jobs", "2"], ["--jobs", "--tune"]),
    ],
)
def test_a_search_without_anything_to_tune_is_refused(pozytywka, tmp_path, monkeypatch, arguments, words):
    """Before any work is done."""
    monkeypatch.chdir(tmp_path)
    answer = pozytywka("train", *arguments)
    assert (answer.code, answer.out) == (2, "")
    assert [word for word in words if word not in answer.err] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["--tune", "0"], ["--tune", "5", "--jobs", "-1"], ["--tune", "some"]])
def test_numbers_of_trials_and_jobs_are_at_least_one(pozytywka, arguments):
    """The option is named."""
    answer = pozytywka("train", "skip", *arguments)
    assert answer.code == 2
    assert answer.err.startswith(f"error: Invalid value for '{arguments[-2]}': ")
