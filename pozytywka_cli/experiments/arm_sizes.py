"""The sizes of an experiment's arms, beside those that the weights let expect."""

import msgspec
import numpy as np
import sqlalchemy as sa

from pozytywka_cli.experiments import database as db
from pozytywka_cli.experiments.assignment import Segment
from pozytywka_cli.experiments.estimation import sample_ratio
from pozytywka_cli.experiments.lifecycle import Stored
from pozytywka_cli.experiments.moments import Floats


class ArmUnits(msgspec.Struct, frozen=True):
    """How many units were exposed to an arm, how many were to be expected, and how many saw another arm later."""

    arm: str
    units: int
    expected: float
    crossovers: int


def count_units(engine: sa.Engine, stored: Stored) -> list[ArmUnits]:
    """Count the units of each arm, in the order of the arms."""
    with db.reading(engine) as connection:
        return arm_units(connection, stored)[0]


def arm_units(connection: sa.Connection, stored: Stored, until: int | None = None) -> tuple[list[ArmUnits], float]:
    """Count the units of each arm that were exposed before `until` (µs since 1970), or all.

    They stand beside what the weights at the time of each exposure let expect, and with them the p-value of the test
    that they are divided so.
    """
    names = [arm.name for arm in stored.experiment.arms]
    counts, expected = np.zeros(len(names)), np.zeros(len(names))
    bounds = [allocation.since for allocation in stored.allocations[1:]]
    table = db.exposures.c
    for place, (since, to) in enumerate(zip([None, *bounds], [*bounds, None], strict=True)):
        conditions = [table.experiment == stored.id]
        conditions += [table.exposed_at >= since] if since is not None else []
        conditions += [table.exposed_at < one for one in (to, until) if one is not None]
        rows = connection.execute(sa.select(table.arm, sa.func.count()).where(*conditions).group_by(table.arm))
        found = {arm: count for arm, count in rows}  # noqa: C416 - a result is no iterable of pairs to mypy
        here = np.array([found.get(name, 0) for name in names], dtype=np.float64)
        counts += here
        expected += here.sum() * _shares(stored.allocations[place].segments, names)
    crossed = _crossovers(connection, stored.id)
    rows_of_arms = zip(names, counts, expected, strict=True)
    arms = [ArmUnits(name, int(count), float(wanted), crossed.get(name, 0)) for name, count, wanted in rows_of_arms]
    return arms, sample_ratio(counts, expected)


def _shares(segments: list[Segment], names: list[str]) -> Floats:
    widths = np.array([float(sum(one.width for one in segments if one.arm == name)) for name in names])
    shares: Floats = widths / widths.sum()
    return shares


def _crossovers(connection: sa.Connection, experiment: int) -> dict[str, int]:
    """Return by first arm how many units were exposed to another one later."""
    first, other = db.exposures.c, db.crossovers.c
    same = sa.and_(first.experiment == other.experiment, first.unit == other.unit)
    chosen = sa.select(first.arm, sa.func.count(sa.distinct(first.unit))).select_from(
        db.crossovers.join(db.exposures, same)
    )
    rows = connection.execute(chosen.where(other.experiment == experiment).group_by(first.arm))
    return {row[0]: row[1] for row in rows}
