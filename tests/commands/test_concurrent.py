"""Commands that run at the same time on one artifacts folder."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pozytywka_cli.artifacts import Store
from pozytywka_cli.commands import datasets
from pozytywka_cli.families import registry


@pytest.fixture
def store(sampled: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None) -> Store:
    """A store of its own with trained models, which the commands of the test use."""
    shutil.copytree(trained, tmp_path / "artifacts", symlinks=True)
    monkeypatch.setenv("POZYTYWKA_DATA_DIR", str(sampled))
    monkeypatch.setenv("POZYTYWKA_ARTIFACTS_DIR", str(tmp_path / "artifacts"))
    return Store(tmp_path / "artifacts")


def during(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, action: Callable[[], object]) -> None:
    """Let an action happen after the call of a function."""
    real = getattr(owner, name)

    def call(*arguments: object, **options: object) -> object:
        result = real(*arguments, **options)
        action()
        return result

    monkeypatch.setattr(owner, name, call, raising=False)


def test_a_second_training_of_a_family_exits_75(pozytywka, store: Store) -> None:
    """At once, and names the family; a training of another family goes on."""
    with store.training("weekly"):
        answer = pozytywka("train")
        assert (answer.code, answer.out) == (75, "")
        assert "weekly" in answer.err
        assert pozytywka("train", "similar").code == 0


def test_versions_are_promoted_and_rolled_back_during_a_training(
    pozytywka, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock for writing is free while a model is fitted; the new version is promoted at the end."""
    codes = []
    first = store.promoted("weekly")
    assert pozytywka("train", "weekly", "--variant", "mean", "--seed", "1").code == 0
    assert store.promoted("weekly") != first
    known, family = store.names("weekly"), registry.get("weekly")
    during(monkeypatch, family, "train", lambda: codes.append(pozytywka("models", "rollback", "weekly").code))
    during(monkeypatch, family, "train", lambda: codes.append(store.promoted("weekly") == first))
    assert pozytywka("train", "weekly", "--variant", "mean", "--seed", "2").code == 0
    assert codes == [0, True]
    assert store.promoted("weekly") not in known


@pytest.mark.parametrize("command", [["predict", "weekly"], ["plan", "rates", "--budget", "100"]])
def test_a_version_that_is_pruned_while_the_data_are_loaded(
    pozytywka, store: Store, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """The answer is that of the version which was promoted meanwhile."""
    assert pozytywka("train", "weekly", "--variant", "mean", "--seed", "1").code == 0
    before, after = store.names("weekly")[0], store.promoted("weekly")
    assert pozytywka("models", "promote", "weekly", before).code == 0

    def prune() -> None:
        store.promote("weekly", str(after))
        assert before in store.prune("weekly", 0)

    during(monkeypatch, datasets, "dataset", prune)
    answer = pozytywka(*command)
    assert answer.code == 0
    assert "by weekly mean" in answer.out
