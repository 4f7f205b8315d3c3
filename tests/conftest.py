import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pozytywka_cli.commands.boundary import run

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
