from pathlib import Path

import pytest

from pozytywka_cli.commands.boundary import run

QUICK = {
    "POZYTYWKA_SKIP_EPOCHS": "2",
    "POZYTYWKA_WEEKLY_EPOCHS": "2",
    "POZYTYWKA_SIMILAR_FACTORS": "8",
    "POZYTYWKA_SIMILAR_ITERATIONS": "5",
}


@pytest.fixture(scope="session")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small clean sample, made once and only read."""
    folder = tmp_path_factory.mktemp("sampled") / "data"
    assert run(["-q", "sample", str(folder), "--users", "30", "--weeks", "30"]) == 0
    return folder


@pytest.fixture(scope="session")
def trained(sampled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts of all families, trained quickly on the sample, once; only read."""
    artifacts = tmp_path_factory.mktemp("trained") / "artifacts"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in QUICK.items():
            patch.setenv(name, value)
        assert run(["-q", "train", "--data-dir", str(sampled), "--artifacts-dir", str(artifacts)]) == 0
    return artifacts


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings under which training takes a second."""
    for name, value in QUICK.items():
        monkeypatch.setenv(name, value)
