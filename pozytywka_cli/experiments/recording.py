"""Log exposures and outcomes, in batches, each in one transaction. What was logged before is not logged again."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa

from pozytywka_cli.experiments import database as db
from pozytywka_cli.experiments.assignment import assign
from pozytywka_cli.experiments.entries import Exposure, Outcome, check_units
from pozytywka_cli.experiments.lifecycle import Stored, require_running

BATCH = 10_000  # rows of a statement
Record = TypeVar("Record")
TYPES: dict[type, str] = {
    sa.Text: "text",
    sa.BigInteger: "bigint",
    sa.Double: "double precision",
    sa.Integer: "integer",
}


class Logged(NamedTuple):
    """Numbers of rows."""

    exposures: int
    outcomes: int


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


def record(
    engine: sa.Engine, exposures: Sequence[tuple[int, Exposure]], outcomes: Sequence[tuple[int, Outcome]]
) -> Logged:
    """Log exposures and outcomes, each with the id of its experiment, in one transaction; return how many are new.

    The first exposure of a unit stays; a later one to another arm is kept as a crossover. An outcome that was logged
    before is not logged again.
    """
    # every writer inserts in the order of the keys: two that hold rows the other one waits for would never end
    exposed = sorted(exposures, key=lambda row: (row[0], row[1].unit))
    logged = sorted(outcomes, key=lambda row: (row[0], row[1].metric, row[1].unit, row[1].event))
    with db.writing(engine) as connection:
        units = sum(_insert(connection, db.exposures, _exposure_columns(batch)) for batch in _batches(exposed))
        if units < len(exposed):  # the others were exposed before, perhaps to another arm
            _log_crossovers(connection, exposed)
        return Logged(units, _insert_outcomes(connection, logged))


def log_exposures(engine: sa.Engine, experiment: int, exposures: Sequence[Exposure]) -> int:
    """Log exposures to one experiment, and return how many units are new; see `record`."""
    return record(engine, [(experiment, one) for one in exposures], []).exposures


def log_outcomes(engine: sa.Engine, experiment: int, outcomes: Sequence[Outcome]) -> int:
    """Log outcomes of one experiment, and return how many are new."""
    return record(engine, [], [(experiment, one) for one in outcomes]).outcomes


def replace_outcomes(engine: sa.Engine, experiment: int, metrics: Sequence[str], outcomes: Sequence[Outcome]) -> None:
    """Replace all outcomes of some metrics by others, in one transaction."""
    chosen = (db.outcomes.c.experiment == experiment, db.outcomes.c.metric.in_(metrics))
    with db.writing(engine) as connection:
        connection.execute(db.outcomes.delete().where(*chosen))
        _insert_outcomes(connection, [(experiment, one) for one in outcomes])


def clear(engine: sa.Engine, stored: Stored) -> Logged:
    """Remove everything that was logged of an experiment, in one transaction; return how many rows there were."""
    with db.writing(engine) as connection:
        exposures, _, outcomes = (
            connection.execute(table.delete().where(table.c.experiment == stored.id)).rowcount
            for table in (db.exposures, db.crossovers, db.outcomes)
        )
    return Logged(exposures, outcomes)


def _batches(rows: Sequence[Record]) -> Iterator[Sequence[Record]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def _exposure_columns(rows: Sequence[tuple[int, Exposure]]) -> dict[str, list[Any]]:
    names = {"unit": "unit", "arm": "arm", "exposed_at": "at", "version": "version", "request": "request"}
    columns = {column: [getattr(row, field) for _, row in rows] for column, field in names.items()}
    return {"experiment": [experiment for experiment, _ in rows], **columns}


def _insert_outcomes(connection: sa.Connection, rows: Sequence[tuple[int, Outcome]]) -> int:
    return sum(_insert(connection, db.outcomes, _outcome_columns(batch)) for batch in _batches(rows))


def _outcome_columns(rows: Sequence[tuple[int, Outcome]]) -> dict[str, list[Any]]:
    columns = {field: [getattr(row, field) for _, row in rows] for field in Outcome.__struct_fields__}
    return {"experiment": [experiment for experiment, _ in rows], **columns}


def _log_crossovers(connection: sa.Connection, rows: Sequence[tuple[int, Exposure]]) -> None:
    """Log those of exposures, in the order of their keys, whose unit was exposed to another arm first."""
    table, crossed = db.exposures.c, []
    for experiment, group in groupby(rows, itemgetter(0)):
        for batch in _batches([row for _, row in group]):
            units = [row.unit for row in batch]
            chosen = sa.select(table.unit, table.arm).where(table.experiment == experiment, table.unit.in_(units))
            first = {row.unit: row.arm for row in connection.execute(chosen)}
            # a unit may be gone again, if somebody clears the experiment at this moment
            crossed += [(experiment, row.unit, row.arm) for row in batch if first.get(row.unit, row.arm) != row.arm]
    experiments, crossed_units, arms = ([row[place] for row in sorted(crossed)] for place in range(3))
    _insert(connection, db.crossovers, {"experiment": experiments, "unit": crossed_units, "arm": arms})


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
