import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pozytywka_cli.commands.boundary import run

QUICK = {
    "POZYTYWKA_SKIP_EPOCHS": "2",
    "POZYTYWKA_WEEKLY_EPOCHS": "2",
    "POZYTYWKA_SIMILAR_FACTORS": "8",
    "POZYTYWKA_SIMILAR_ITERATIONS": "5",
}
REAL = Path(__file__).parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Answer:
    """The result of a command line."""

    code: int
    out: str
    err: str


@pytest.fixture
def pozytywka(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run a command line in this process; whatever happens, it ends with an exit code."""

    def call(*arguments: object) -> Answer:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def real() -> Path:
    """Return the folder of real data."""
    if not REAL.is_dir():
        pytest.skip(f"the real data are not here: {REAL} is missing")
    return REAL


@pytest.fixture(scope="session", autouse=True)
def _plain_environment() -> Iterator[None]:
    """Remove the environment variables that would change the outcome of a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("POZYTYWKA_")]:
            patch.delenv(name)
        for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
            patch.delenv(name, raising=False)
        yield


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
