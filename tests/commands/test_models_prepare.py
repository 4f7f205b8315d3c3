"""What `train`, `predict` and `models prepare` prepare, and what `models prune` removes of it."""

import shutil
from pathlib import Path

import pytest

from pozytywka_cli.artifacts import Store, Version
from pozytywka_cli.commands.boundary import run
from pozytywka_cli.pipeline import online
from pozytywka_cli.pipeline.versions import named


def folders(data: Path, artifacts: Path) -> list[str]:
    """The options that name the two folders."""
    return ["--data-dir", str(data), "--artifacts-dir", str(artifacts)]


@pytest.fixture
def artifacts(trained: Path, tmp_path: Path) -> Path:
    """A copy of the trained artifacts."""
    shutil.copytree(trained, tmp_path / "artifacts", symlinks=True)
    return tmp_path / "artifacts"


def promoted(artifacts: Path) -> Version:
    """The promoted version of skip."""
    return Store(artifacts).load("skip")


def test_training_prepares_what_it_promotes(trained: Path):
    """So that a service can open it."""
    online.open_answerer(Store(trained), promoted(trained))


def test_training_until_a_moment_prepares_nothing(sampled: Path, tmp_path: Path, quick: None):
    """A service answers about the present."""
    run(["-q", "train", "skip", "--variant", "constant", "--until", "2025-12-01", *folders(sampled, tmp_path)])
    assert promoted(tmp_path).name
    assert not promoted(tmp_path).prepared.exists()


def test_prediction_prepares_again_only_where_it_is_needed(
    sampled: Path, artifacts: Path, capfd: pytest.CaptureFixture[str]
):
    """Without input, where nothing is prepared or the data are others; requests change nothing."""
    folder = promoted(artifacts).prepared
    shutil.rmtree(folder)
    line = sampled.parent / "requests.csv"
    line.write_text("user_id,track_id\n101,x\n")
    assert run(["predict", "skip", str(line), *folders(sampled, artifacts)]) == 0
    assert not folder.exists()
    capfd.readouterr()
    assert run(["predict", "skip", *folders(sampled, artifacts)]) == 0
    assert f"Prepared skip {folder.name}" in capfd.readouterr().err
    made = (folder / "prepared.json").read_bytes()
    assert run(["predict", "skip", *folders(sampled, artifacts)]) == 0
    assert "Prepared" not in capfd.readouterr().err
    assert (folder / "prepared.json").read_bytes() == made


def test_the_command_replaces_what_is_damaged(sampled: Path, artifacts: Path, capfd: pytest.CaptureFixture[str]):
    """It always computes everything again."""
    version = promoted(artifacts)
    (version.prepared / "users.npy").write_bytes(b"")
    assert run(["models", "prepare", "skip", *folders(sampled, artifacts)]) == 0
    assert f"Prepared skip {version.name}" in capfd.readouterr().err
    online.open_answerer(Store(artifacts), version)


def test_what_cannot_be_prepared_is_refused_if_it_is_named(
    sampled: Path, tmp_path: Path, quick: None, capfd: pytest.CaptureFixture[str]
):
    """And else a message; without any promoted version it is an error of artifacts."""
    assert run(["models", "prepare", *folders(sampled, tmp_path)]) == 4
    run(["-q", "train", "skip", "--variant", "forest", "--no-promote", *folders(sampled, tmp_path)])
    store = Store(tmp_path)
    store.promote(
        "skip", next(name for name in store.names("skip") if store.manifest("skip", name).variant == "forest")
    )
    capfd.readouterr()
    assert run(["models", "prepare", "skip", *folders(sampled, tmp_path)]) == 3
    assert run(["models", "prepare", *folders(sampled, tmp_path)]) == 0
    assert capfd.readouterr().err.count("skip forest") == 2
    assert not promoted(tmp_path).prepared.exists()


def test_pruning_removes_what_was_prepared_for_versions_that_are_gone(sampled: Path, artifacts: Path):
    """And what a killed run has left there; what was prepared for the others stays."""
    folder = promoted(artifacts).prepared
    shutil.copytree(folder, folder.with_name("20200101T000000Z-00000000"))
    shutil.copytree(folder, folder.with_name(f".{folder.name}.0123abcd.tmp"))
    assert run(["-q", "models", "prune", *folders(sampled, artifacts)]) == 0
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_versions_that_a_service_was_asked_for_are_prepared_again_with_the_promoted_one(
    sampled: Path, artifacts: Path, tmp_path: Path
):
    """As the arms of an experiment are; a damaged one keeps nobody from it."""
    shutil.copytree(sampled, tmp_path / "data")
    data = tmp_path / "data"
    for variant in ("constant", "user-rate"):
        run(["-q", "train", "skip", "--variant", variant, "--no-promote", *folders(data, artifacts)])
        assert run(["-q", "models", "prepare", "skip", variant, *folders(data, artifacts)]) == 0
    constant, rate = (named(Store(artifacts), "skip", variant) for variant in ("constant", "user-rate"))
    (constant.folder / "card.md").write_text("damaged")
    before = {one.name: (one.prepared / "prepared.json").stat().st_ino for one in (constant, rate)}
    with (data / "users.jsonl").open("a") as stream:
        stream.write('{"user_id": 424242, "favourite_genres": ["jazz"]}\n')
    assert run(["-q", "predict", "skip", *folders(data, artifacts)]) == 0
    after = {one.name: (one.prepared / "prepared.json").stat().st_ino for one in (constant, rate)}
    assert after[constant.name] == before[constant.name]
    assert after[rate.name] != before[rate.name]
