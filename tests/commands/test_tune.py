"""`train --tune`: what it says, what it keeps, and when it has nothing to do."""

import json
from pathlib import Path

import pytest

from pozytywka_cli.settings import SkipSettings
from pozytywka_cli.tuning import best, read_trials

KEPT = Path("artifacts") / "skip" / "trials.jsonl"


@pytest.fixture
def train(pozytywka, sampled, tmp_path, monkeypatch, quick):
    """Train `simple` on the sample in an empty folder, with these options more."""
    monkeypatch.chdir(tmp_path)
    return lambda *more: pozytywka("train", "skip", "--variant", "simple", "--data-dir", sampled, *more)


@pytest.fixture
def tried(monkeypatch) -> list[SkipSettings]:
    """The settings that were tried, each of which is said to have its dropout for a loss."""
    found: list[SkipSettings] = []

    def trial(_: object, settings: SkipSettings, **more: object) -> float:
        assert more == {"variant": "simple", "seed": 0, "device": "cpu"}
        found.append(settings)
        return settings.dropout

    monkeypatch.setattr("pozytywka_cli.families.skip.tune.trial", trial)
    return found


def trained() -> dict[str, object]:
    """The settings of the only trained version."""
    (manifest,) = (json.loads(path.read_text()) for path in Path("artifacts/skip/versions").glob("*/manifest.json"))
    return manifest["settings"]


def test_a_search_chooses_the_settings(train):
    """Every trial is kept, the version has the best one's settings, and a second run has nothing to do."""
    first = train("--tune", "3", "--jobs", "2")
    kept = read_trials(KEPT)
    assert (first.code, first.out, [trial.number for trial in kept]) == (0, "", [0, 1, 2])
    assert trained() == best(kept).settings
    before = KEPT.read_bytes()
    again = train("--tune", "3")
    assert (again.code, KEPT.read_bytes()) == (0, before)
    assert "nothing has changed since it was trained" in again.err
    (chosen,) = (line for line in again.err.splitlines() if line.startswith("  3 trials; "))
    assert chosen in first.err.splitlines()


def test_what_was_chosen_is_said(train, tried):
    """In words, and in the JSON row."""
    answer = train("--tune", "4", "--json")
    chosen = min(tried, key=lambda settings: settings.dropout)
    assert chosen != tried[0]
    assert (
        f"\n  4 trials; the best has dropout {chosen.dropout}, learning_rate {chosen.learning_rate} "
        f"(validation log loss {chosen.dropout:.4f}, settings in force 0.3000)\n"
    ) in answer.err
    (row,) = json.loads(answer.out)["rows"]
    assert row["tuned"] == {
        "trials": 4,
        "best": tried.index(chosen),
        "settings": {"dropout": chosen.dropout, "learning_rate": chosen.learning_rate},
        "metric": "log loss",
        "loss": chosen.dropout,
        "in_force": 0.3,
    }


def test_settings_in_force_may_be_the_best(train, tried):
    """Then the version is the one that is trained without a search."""
    assert "\n  1 trial; the settings in force are the best (validation log loss 0.3000)\n" in train("--tune", "1").err
    assert "nothing has changed since it was trained" in train().err


def test_a_longer_search_goes_on_from_the_shorter_one(train, tried):
    """Trials are run once, even with --force; other settings in force make it another search."""
    train("--tune", "2")
    train("--tune", "4", "--force")
    assert [trial.settings["dropout"] for trial in read_trials(KEPT)] == [settings.dropout for settings in tried]
    assert len(tried) == 4
    train("--tune", "2", "--until", "2031-01-01")
    assert len(tried) == 6
    assert len({trial.search for trial in read_trials(KEPT)}) == 2


def test_chosen_settings_can_be_put_in_force(train, tried, monkeypatch):
    """What the sentence says, typed into the environment, gives the version that is already there."""
    train("--tune", "4")
    chosen = min(tried, key=lambda settings: settings.dropout)
    monkeypatch.setenv("POZYTYWKA_SKIP_DROPOUT", str(chosen.dropout))
    monkeypatch.setenv("POZYTYWKA_SKIP_LEARNING_RATE", str(chosen.learning_rate))
    assert "nothing has changed since it was trained" in train().err


def test_damaged_trials_are_refused(train, tried):
    """Exit 4, the file and the line, before anything is tried or trained."""
    KEPT.parent.mkdir(parents=True)
    KEPT.write_text("{\n")
    answer = train("--tune", "2")
    assert (answer.code, tried) == (4, [])
    assert f"error: skip: {KEPT}:1 is damaged: Input data was truncated\n" in answer.err
    assert answer.err.endswith("Mend that line or remove the file, whose trials are then run again.\n")
    assert not (KEPT.parent / "versions").exists()


TUNABLE = "Leave out --tune, or tune one of: skip advanced, skip simple, weekly lstm.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["weekly", "--variant", "mean", "--tune", "5"], f"error: weekly mean has no settings to tune\n{TUNABLE}"),
        (["--tune", "5"], f"error: similar als has no settings to tune\n{TUNABLE}"),
        (["skip", "--variant", "forest", "--tune", "5"], f"error: skip forest has no settings to tune\n{TUNABLE}"),
        (
            ["skip", "--jobs", "2"],
            "error: --jobs is for trials, and there are none\nAdd --tune N, or leave out --jobs.\n",
        ),
    ],
)
def test_what_cannot_be_tuned_is_refused(pozytywka, tmp_path, monkeypatch, arguments, message):
    """Before any work is done."""
    monkeypatch.chdir(tmp_path)
    answer = pozytywka("train", *arguments)
    assert (answer.code, answer.out, answer.err) == (2, "", message)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["--tune", "0"], ["--tune", "5", "--jobs", "-1"], ["--tune", "some"]])
def test_numbers_of_trials_and_jobs_are_at_least_one(pozytywka, arguments):
    """The option is named."""
    answer = pozytywka("train", "skip", *arguments)
    assert answer.code == 2
    assert answer.err.startswith(f"error: Invalid value for '{arguments[-2]}': ")
