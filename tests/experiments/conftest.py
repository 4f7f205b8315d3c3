"""Databases for the tests of experiments: SQLite, and PostgreSQL where its server is installed."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

SERVERS = Path("/usr/lib/postgresql")  # where Debian's package puts them
USER = "nobody"  # the server refuses to run as root


def as_user(*words: object) -> None:
    """Run a program of the server, as root under another user."""
    prefix = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *map(str, words)], check=True, capture_output=True, cwd="/")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server, in a temporary folder and on a socket there."""
    programs = sorted(SERVERS.glob("*/bin/postgres"))
    if not programs:
        pytest.skip(f"PostgreSQL is not installed: there is no server in {SERVERS}")
    pytest.importorskip("psycopg", reason="the extra `experiments` is not installed")
    folder = Path(mkdtemp(prefix="pg-"))  # not below pytest's folder, which another user cannot enter
    programs_folder = programs[-1].parent
    if os.geteuid() == 0:
        shutil.chown(folder, USER)
    try:
        as_user(programs_folder / "initdb", "-D", folder / "data", "-U", "pozytywka", "--auth=trust", "-E", "UTF8")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        server = (programs_folder / "pg_ctl", "-D", folder / "data", "-w")
        as_user(*server, "-o", options, "-l", folder / "log", "start")
        try:
            yield f"postgresql://pozytywka@/postgres?host={folder}"
        finally:
            as_user(*server, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    pytest.importorskip("sqlalchemy", reason="the extra `experiments` is not installed")
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'experiments.sqlite3'}"
    import psycopg

    server = request.getfixturevalue("postgresql")
    name = f"test_{os.urandom(6).hex()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def engine(url, tmp_path):
    """A connection to an empty database with the tables of experiments."""
    from pozytywka_cli.experiments.database import connect

    engine = connect(url, tmp_path)
    yield engine
    engine.dispose()


@pytest.fixture
def running(engine):
    """An experiment of users that has started: control and treatment, one metric of each kind."""
    from pozytywka_cli.experiments import lifecycle
    from pozytywka_cli.experiments.definition import METRICS, Arm, Experiment

    arms = [Arm("control", "50"), Arm("treatment", "50")]
    metrics = [METRICS["listened_seconds"], METRICS["skip_rate"]]
    lifecycle.create(engine, Experiment("test", "user", arms, "salt", metrics))
    return lifecycle.start(engine, "test", 1_000)
