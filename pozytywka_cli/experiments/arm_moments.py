"""Moments over the units of each arm, computed by the database."""

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import sqlalchemy as sa

from pozytywka_cli.experiments import database as db
from pozytywka_cli.experiments.definition import MetricDefinition
from pozytywka_cli.experiments.lifecycle import Stored
from pozytywka_cli.experiments.moments import (
    COLUMNS,
    EARLIER_VALUE,
    EARLIER_WEIGHT,
    VALUE,
    WEIGHT,
    Floats,
    Moments,
    from_sums,
)

SAMPLED = 1000  # units whose means the sums are taken around, which keeps their digits
NAMES = ("value", "weight", "earlier_value", "earlier_weight")
EARLIER = (EARLIER_VALUE, EARLIER_WEIGHT)


@dataclass(frozen=True)
class ArmMoments:
    """The moments of the arms that have units, by name, and how many units have a value from before the exposure."""

    by_arm: dict[str, Moments]
    with_past: int


def arm_moments(
    connection: sa.Connection, stored: Stored, metric: MetricDefinition, until: int | None = None
) -> ArmMoments:
    """Return the moments of a metric over the units of each arm.

    A unit's value is the sum of its outcomes since its exposure, its earlier value that of the outcomes before; a unit
    without any before gets the mean of those that have some. A unit without outcomes since has the value 0.

    Args:
        connection: the database, in one transaction.
        stored: the experiment.
        metric: which outcomes to take.
        until: leave out exposures and outcomes from this time on, µs since 1970.
    """
    columns = (VALUE, EARLIER_VALUE) if metric.kind == "mean" else (VALUE, WEIGHT, EARLIER_VALUE, EARLIER_WEIGHT)
    totals = _unit_totals(stored.id, metric, columns, until)
    centres = _centres(connection, totals, columns)
    rows = connection.execute(_sums(totals, columns, centres)).mappings().all()
    return _filled([dict(row) for row in rows], columns, centres)


def _unit_totals(
    experiment: int, metric: MetricDefinition, columns: tuple[int, ...], until: int | None
) -> "sa.Select[tuple[object, ...]]":
    """Select the arm and the totals of each exposed unit; those from before the exposure are null if there are none."""
    exposed, outcome = db.exposures.c, db.outcomes.c
    # both experiments are compared with a constant, so that both keys' indexes are in the order of units
    same = [outcome.experiment == experiment, outcome.metric == metric.name, outcome.unit == exposed.unit]
    chosen = [exposed.experiment == experiment]
    if until is not None:
        same.append(outcome.at < until)
        chosen.append(exposed.exposed_at < until)
    since: sa.ColumnElement[bool] = outcome.at >= exposed.exposed_at
    zero: sa.ColumnElement[float] = sa.literal_column("0.0")
    expressions = {
        VALUE: sa.func.coalesce(sa.func.sum(sa.case((since, outcome.value))), zero),
        WEIGHT: sa.func.coalesce(sa.func.sum(sa.case((since, outcome.weight))), zero),
        EARLIER_VALUE: sa.func.sum(sa.case((~since, outcome.value))),
        EARLIER_WEIGHT: sa.func.sum(sa.case((~since, outcome.weight))),
    }
    return (
        sa.select(exposed.arm, *(expressions[column].label(NAMES[column]) for column in columns))
        .select_from(db.exposures.outerjoin(db.outcomes, sa.and_(*same)))
        .where(*chosen)
        .group_by(exposed.experiment, exposed.unit)  # the whole key, so that each group has one arm
    )


def _centres(connection: sa.Connection, totals: "sa.Select[tuple[object, ...]]", columns: tuple[int, ...]) -> Floats:
    """Return the means of the columns over a few units, (4,)."""
    few = totals.limit(SAMPLED).subquery()
    means = connection.execute(sa.select(*(sa.func.avg(few.c[NAMES[column]]) for column in columns))).one()
    centres = np.zeros(COLUMNS)
    centres[list(columns)] = [mean or 0.0 for mean in means]
    return centres


def _sums(
    totals: "sa.Select[tuple[object, ...]]", columns: tuple[int, ...], centres: Floats
) -> "sa.Select[tuple[object, ...]]":
    """Select for each arm the number of units, and sums of columns and of products, around the centres.

    `past_0` is the sum of column 0 over the units with a value from before, `past` their number.
    """
    unit = totals.subquery()
    around = {column: unit.c[NAMES[column]] - float(centres[column]) for column in columns}
    is_known = unit.c[NAMES[EARLIER_VALUE]].is_not(None)
    sums = {f"sum_{column}": around[column] for column in columns}
    sums |= {f"past_{column}": sa.case((is_known, around[column])) for column in columns if column not in EARLIER}
    sums |= {f"product_{a}_{b}": around[a] * around[b] for a, b in combinations_with_replacement(columns, 2)}
    return sa.select(
        unit.c.arm,
        sa.func.count().label("units"),
        sa.func.count(unit.c[NAMES[EARLIER_VALUE]]).label("past"),
        *(sa.func.sum(expression).label(name) for name, expression in sums.items()),
    ).group_by(unit.c.arm)


def _filled(rows: list[dict[str, object]], columns: tuple[int, ...], centres: Floats) -> ArmMoments:
    """Return the moments of each row of `_sums`, with the mean of all known ones in place of missing earlier values."""
    known = np.array([row["past"] for row in rows], dtype=np.float64)
    means = {
        column: sum(_number(row, f"sum_{column}") for row in rows) / max(known.sum(), 1.0)
        for column in EARLIER
        if column in columns
    }
    moments = {}
    for row in rows:
        count, past = _number(row, "units"), _number(row, "past")
        sums, products = np.zeros(COLUMNS), np.zeros((COLUMNS, COLUMNS))
        for a in columns:
            sums[a] = _number(row, f"sum_{a}") - means.get(a, 0.0) * past
        for a, b in combinations_with_replacement(columns, 2):
            product = _number(row, f"product_{a}_{b}")
            # Σ (a - mean) (b - mean) over the units where the earlier ones are known; a filled one is 0
            if b in means:
                product -= means[b] * _number(row, f"sum_{a}" if a in means else f"past_{a}")
            if a in means:
                product -= means[a] * sums[b]
            products[a, b] = products[b, a] = product
        offset = centres + np.array([means.get(column, 0.0) for column in range(COLUMNS)])
        offset[[column for column in range(COLUMNS) if column not in columns]] = 1.0
        moments[str(row["arm"])] = from_sums(np.array(count), sums, products).shifted(offset)
    return ArmMoments(moments, int(known.sum()))


def _number(row: dict[str, object], name: str) -> float:
    value = row[name]
    return float(value) if isinstance(value, int | float) else 0.0  # a sum without any row is null
