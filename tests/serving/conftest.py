import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pozytywka_cli.commands.boundary import run

from .running import Service

Start = Callable[..., Service]


@pytest.fixture(scope="session")
def prepared(sampled: Path, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data and an artifacts folder with everything that the service needs; only read."""
    folder = tmp_path_factory.mktemp("prepared")
    shutil.copytree(sampled, folder / "data")
    shutil.copytree(trained, folder / "artifacts", symlinks=True)
    places = ["--data-dir", str(folder / "data"), "--artifacts-dir", str(folder / "artifacts")]
    assert run(["-q", "models", "prepare", *places]) == 0
    return folder


@pytest.fixture(scope="session")
def service(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service whose promoted models stay as they are."""
    folder = tmp_path_factory.mktemp("service")
    shutil.copytree(prepared, folder, symlinks=True, dirs_exist_ok=True)
    running = Service(folder)
    yield running
    assert running.stop() == 0


@pytest.fixture
def start(prepared: Path, tmp_path: Path) -> Iterator[Start]:
    """Start services over one copy of the folders, one after the other or together."""
    shutil.copytree(prepared, tmp_path, symlinks=True, dirs_exist_ok=True)
    started: list[Service] = []

    def start(*options: str, **more: object) -> Service:
        started.append(Service(tmp_path, *options, **more))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for one in started:
        one.stop()
