"""Log exposures and outcomes, in batches, each in one transaction. What was logged before is not logged again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from pozytywka_cli.errors import UsageError
from pozytywka_cli.experiments import database as db
from pozytywka_cli.experiments.assignment import assign
from pozytywka_cli.experiments.lifecycle import Stored, require_running

BATCH = 10_000  # rows of a statement
Record = TypeVar("Record")
TYPES: dict[type, str] = {
    sa.Text: "text",
    sa.BigInteger: "bigint",
    sa.Double: "double precision",
    sa.Integer: "integer",
}


class Exposure(msgspec.Struct, frozen=True):
    """A unit that was exposed to its arm at a time (µs since 1970), with the model's version and the request's id."""

    unit: str
    at: int
    arm: str
    version: str | None = None
    request: str | None = None


class Outcome(msgspec.Struct, frozen=True):
    """A value of a metric for a unit at a time (µs since 1970).

    event: what it comes from; the same event of the same unit and metric is logged once
    weight: of a ratio metric, what the value is a part of (1 skip of 1 play)
    """

    unit: str
    metric: str
    event: str
    at: int
    value: float
    weight: float = 1.0


def expose(
    engine: sa.Engine,
    stored: Stored,
    units: Sequence[str],
    at: int | Sequence[int],
    *,
    versions: Mapping[str, str] | None = None,
    request: str | None = None,
) -> list[str]:
    """Assign units to arms and log their exposure, and return each one's arm.

    Args:
        engine: the database.
        stored: a running experiment.
        units: the units; those that were exposed before keep their first time and arm in the log.
        at: the time of all, or of each.
        versions: the version of the model of each arm.
        request: an id of the request that is answered.

    Raises:
        RefusedError: the experiment does not run.
        UsageError: the id of a unit cannot be stored.
    """
    require_running(stored)
    check_units(units)
    arms = assign(stored.experiment.salt, stored.segments, units)
    times = [at] * len(units) if isinstance(at, int) else at
    found = versions or {}
    rows = zip(units, times, arms, strict=True)
    log_exposures(engine, stored.id, [Exposure(unit, time, arm, found.get(arm), request) for unit, time, arm in rows])
    return arms


def check_units(units: Sequence[str]) -> None:
    """Raise a UsageError if the id of a unit is empty, longer than 200 characters, or not storable."""
    for unit in units:
        if not unit or len(unit) > 200 or "\0" in unit or not unit.isprintable():
            raise UsageError(f"{unit[:50]!r} cannot be the id of a unit", "Use 1 to 200 printable characters.")


def log_exposures(engine: sa.Engine, experiment: int, exposures: Sequence[Exposure]) -> int:
    """Log exposures, and return how many units are new.

    The first exposure of a unit stays. A later one to another arm is kept as a crossover.
    """
    added = 0
    with db.writing(engine) as connection:
        for batch in _batches(exposures):
            new = _insert(connection, db.exposures, _exposure_columns(experiment, batch))
            added += new
            if new < len(batch):  # the others were exposed before, perhaps to another arm
                _log_crossovers(connection, experiment, batch)
    return added


def log_outcomes(engine: sa.Engine, experiment: int, outcomes: Sequence[Outcome]) -> int:
    """Log outcomes, and return how many are new."""
    with db.writing(engine) as connection:
        return sum(
            _insert(connection, db.outcomes, _outcome_columns(experiment, batch)) for batch in _batches(outcomes)
        )


def replace_outcomes(engine: sa.Engine, experiment: int, prefix: str, outcomes: Sequence[Outcome]) -> None:
    """Replace the outcomes whose event begins with a prefix by others, in one transaction."""
    old = db.outcomes.c.event.startswith(prefix, autoescape=True)
    with db.writing(engine) as connection:
        connection.execute(db.outcomes.delete().where(db.outcomes.c.experiment == experiment, old))
        for batch in _batches(outcomes):
            _insert(connection, db.outcomes, _outcome_columns(experiment, batch))


def _batches(rows: Sequence[Record]) -> Iterator[Sequence[Record]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def _exposure_columns(experiment: int, rows: Sequence[Exposure]) -> dict[str, list[Any]]:
    names = {"unit": "unit", "arm": "arm", "exposed_at": "at", "version": "version", "request": "request"}
    columns = {column: [getattr(row, field) for row in rows] for column, field in names.items()}
    return {"experiment": [experiment] * len(rows), **columns}


def _outcome_columns(experiment: int, rows: Sequence[Outcome]) -> dict[str, list[Any]]:
    columns = {field: [getattr(row, field) for row in rows] for field in Outcome.__struct_fields__}
    return {"experiment": [experiment] * len(rows), **columns}


def _log_crossovers(connection: sa.Connection, experiment: int, rows: Sequence[Exposure]) -> None:
    units = [row.unit for row in rows]
    table = db.exposures.c
    chosen = sa.select(table.unit, table.arm).where(table.experiment == experiment, table.unit.in_(units))
    first = {row.unit: row.arm for row in connection.execute(chosen)}
    crossed = [row for row in rows if first[row.unit] != row.arm]
    columns = {"unit": [row.unit for row in crossed], "arm": [row.arm for row in crossed]}
    _insert(connection, db.crossovers, {"experiment": [experiment] * len(crossed), **columns})


def _insert(connection: sa.Connection, table: sa.Table, columns: dict[str, list[Any]]) -> int:
    """Insert rows, given as columns, that are not there yet, and return how many there were."""
    names, height = list(columns), len(columns["experiment"])
    if not height:
        return 0
    into = f"INSERT INTO {table.name} ({', '.join(names)})"
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        rows = list(zip(*columns.values(), strict=True))
        statement = f"{into} VALUES ({marks}) ON CONFLICT DO NOTHING"
        return connection.exec_driver_sql(statement, rows).rowcount
    # one array a column: a statement with a placeholder for every value takes ten times as long
    arrays = ", ".join(f"unnest(%({name})s::{TYPES[type(table.c[name].type)]}[])" for name in names)
    return connection.exec_driver_sql(f"{into} SELECT {arrays} ON CONFLICT DO NOTHING", columns).rowcount
