"""Databases for the tests of experiments: SQLite, and PostgreSQL where its server is installed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgresql import MISSING, programs, server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server."""
    pytest.importorskip("psycopg", reason="the extra `experiments` is not installed")
    folder = programs()
    if folder is None:
        pytest.skip(MISSING)
    with server(folder, "fsync=off") as url:
        yield url


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
