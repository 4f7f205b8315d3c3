from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pozytywka_cli.commands.boundary import run

REAL = Path(__file__).parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Answer:
    """What a command line gave."""

    code: int
    out: str
    err: str


@pytest.fixture
def pozytywka(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run a command line in this process; nothing may escape it but its exit code."""

    def call(*arguments: object) -> Answer:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def real() -> Path:
    """The folder of real data."""
    if not REAL.is_dir():
        pytest.skip(f"the real data are not here: {REAL} is missing")
    return REAL


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of the person who runs the tests decides their outcome."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
