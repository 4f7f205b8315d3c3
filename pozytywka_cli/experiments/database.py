"""The tables of experiments, in SQLite or PostgreSQL, and the connection to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import exc

from pozytywka_cli.errors import (
    ArtifactError,
    BusyError,
    PozytywkaError,
    StorageError,
    UnavailableError,
    UnreachableError,
    UsageError,
)
from pozytywka_cli.experiments import migrations

BUSY_SECONDS = 30.0  # to wait for another writer of SQLite
CONNECT_SECONDS = 5  # to wait for PostgreSQL
# of PostgreSQL: exposures and outcomes are read in the order of their keys and merged, as SQLite does; hashing a
# million units takes twice as long, and the default memory spills them to the disk
READING = ("work_mem = '256MB'", "enable_hashjoin = off", "enable_hashagg = off", "jit = off")
DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg", "sqlite": "sqlite"}

metadata = sa.MetaData()


def _key() -> "sa.Column[int]":
    return sa.Column("experiment", sa.Integer, primary_key=True, autoincrement=False)


experiments = sa.Table(
    "experiments",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, unique=True, nullable=False),
    sa.Column("definition", sa.Text, nullable=False),  # JSON of `Experiment`
)
# the segments of the line in force since a moment: one row from `create`, one more for every change of weights
allocations = sa.Table(
    "allocations",
    metadata,
    _key(),
    sa.Column("since", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("segments", sa.Text, nullable=False),  # JSON of `list[Segment]`
)
exposures = sa.Table(
    "exposures",
    metadata,
    _key(),
    sa.Column("unit", sa.Text, primary_key=True),
    sa.Column("arm", sa.Text, nullable=False),
    sa.Column("exposed_at", sa.BigInteger, nullable=False),
    sa.Column("version", sa.Text),
    sa.Column("request", sa.Text),
)
outcomes = sa.Table(
    "outcomes",
    metadata,
    _key(),
    sa.Column("metric", sa.Text, primary_key=True),
    sa.Column("unit", sa.Text, primary_key=True),
    sa.Column("event", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("weight", sa.Double, nullable=False),
)
# units that were exposed to another arm than the first
crossovers = sa.Table(
    "crossovers", metadata, _key(), sa.Column("unit", sa.Text, primary_key=True),
    sa.Column("arm", sa.Text, primary_key=True),
)  # fmt: skip


def connect(url: str, artifacts: Path) -> sa.Engine:
    """Connect to the database of experiments, and bring its tables to the present version.

    Args:
        url: of SQLite or PostgreSQL; "" for `experiments.sqlite3` in the folder of artifacts.
        artifacts: the folder of artifacts, made where it is missing.

    Returns:
        the engine, which the caller disposes of.

    Raises:
        UsageError: the URL names no known database.
        UnavailableError: the driver is missing.
        StorageError: the database cannot be reached or written.
        ArtifactError: it is damaged, or of a newer version.
    """
    if not url:
        artifacts.mkdir(parents=True, exist_ok=True)
        address = sa.URL.create("sqlite", database=str(artifacts / "experiments.sqlite3"))
    else:
        address = _address(url)
    try:
        engine = sa.create_engine(address, **_options(address))
    except ImportError as error:
        problem = f"{address.render_as_string()} needs a driver: {error}"
        raise UnavailableError(problem, "Install it: `pip install 'pozytywka[experiments]'`.") from None
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _configure_sqlite)
    try:
        with writing(engine) as connection:
            migrations.upgrade(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection in a transaction, committed at the end; errors of the database become our own."""
    with explained(engine), engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # a lock that is upgraded later cannot be waited for
        yield connection


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection that sees one state of the database; errors of the database become our own."""
    with explained(engine), engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            for setting in READING:
                connection.exec_driver_sql(f"SET LOCAL {setting}")
        yield connection


@contextmanager
def explained(engine: sa.Engine) -> Iterator[None]:
    """Turn errors of the database into those of this package; passwords are not shown."""
    try:
        yield
    except exc.DBAPIError as error:
        raise _translated(error, engine.url) from None


def _translated(error: exc.DBAPIError, url: sa.URL) -> PozytywkaError:
    where, cause = url.render_as_string(), " ".join(str(error.orig).split())
    if "locked" in cause:
        return BusyError(f"{where}: {cause}", "Another program writes to it; try again later.")
    if "not a database" in cause or "malformed" in cause:
        return ArtifactError(f"{where}: {cause}", "Restore it from a backup, or move it away to begin anew.")
    kind = UnreachableError if isinstance(error, exc.OperationalError) and "psycopg" in where else StorageError
    return kind(f"{where}: {cause}", "Check POZYTYWKA_DATABASE_URL, the server, and the disk's space.")


def _address(url: str) -> sa.URL:
    try:
        address = sa.make_url(url)
        driver = DRIVERS[address.drivername.partition("+")[0]]
    except (exc.ArgumentError, ValueError, KeyError):
        hint = "Write it as postgresql://user:password@host/name or sqlite:///path, in POZYTYWKA_DATABASE_URL."
        raise UsageError("database_url names no SQLite or PostgreSQL database", hint) from None
    return address.set(drivername=driver)


def _options(address: sa.URL) -> dict[str, object]:
    if address.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": BUSY_SECONDS}}
    return {
        "connect_args": {"connect_timeout": CONNECT_SECONDS},
        "pool_pre_ping": True,
    }  # a server that was restarted is reached again


def _configure_sqlite(connection: object, _: object) -> None:
    """Let readers and a writer work at the same time, and leave transactions to us (the driver begins them late)."""
    connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = connection.cursor()  # type: ignore[attr-defined]
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -100000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
