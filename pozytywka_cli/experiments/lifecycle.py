"""Create, start and stop experiments, change their weights, and look them up."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction

import msgspec
import sqlalchemy as sa

from pozytywka_cli.errors import NotFoundError, RefusedError, UsageError
from pozytywka_cli.experiments import database as db
from pozytywka_cli.experiments.arm_models import check_models
from pozytywka_cli.experiments.assignment import Segment, cut, recut
from pozytywka_cli.experiments.definition import Experiment, check_arms, check_name

EXPERIMENT = msgspec.json.Decoder(Experiment)
SEGMENTS = msgspec.json.Decoder(list[Segment])


class Allocation(msgspec.Struct, frozen=True):
    """The segments that assign units since a moment, in µs since 1970."""

    since: int
    segments: list[Segment]


class Stored(msgspec.Struct, frozen=True):
    """An experiment, its id in the database, and its allocations, the oldest first."""

    id: int
    experiment: Experiment
    allocations: list[Allocation]

    @property
    def segments(self) -> list[Segment]:
        """The segments in force."""
        return self.allocations[-1].segments


def microseconds(moment: datetime) -> int:
    """Return a time as µs since 1970."""
    return round(moment.timestamp() * 1_000_000)


def now() -> int:
    """Return the present time as µs since 1970."""
    return microseconds(datetime.now(UTC))


def create(engine: sa.Engine, experiment: Experiment) -> Stored:
    """Store a new experiment; without a salt it gets a random one.

    Raises:
        UsageError: its name, its arms or their models are not possible.
        RefusedError: there is one of that name.
    """
    check_name(experiment.name, "an experiment")
    check_arms(experiment.arms)
    check_models(experiment.arms)
    salt = experiment.salt or secrets.token_hex(8)
    experiment = msgspec.structs.replace(experiment, salt=salt, created_at=now())
    with db.writing(engine) as connection:
        if _row(connection, experiment.name):
            hint = "Choose another name, or see `pozytywka experiment status`."
            raise RefusedError(f"there is an experiment {experiment.name!r} already", hint)
        row = {"name": experiment.name, "definition": msgspec.json.encode(experiment).decode()}
        connection.execute(db.experiments.insert().values(row))
        stored = _row(connection, experiment.name)
        assert stored is not None
        segments = cut({arm.name: arm.share for arm in experiment.arms})
        _allocate(connection, stored.id, experiment.created_at, segments)
        return _loaded(connection, stored)


def load(engine: sa.Engine, name: str) -> Stored:
    """Return an experiment; a NotFoundError if there is none of that name."""
    with db.reading(engine) as connection:
        return _found(connection, name)


def load_all(engine: sa.Engine) -> list[Stored]:
    """Return all experiments, the oldest first."""
    with db.reading(engine) as connection:
        rows = connection.execute(sa.select(db.experiments).order_by(db.experiments.c.id)).all()
        return [_loaded(connection, row) for row in rows]


def start(engine: sa.Engine, name: str, at: int) -> Stored:
    """Start an experiment; exposures are logged from now on.

    Raises:
        RefusedError: it is unknown, or was started before.
    """
    with db.writing(engine) as connection:
        stored = _found(connection, name)
        if stored.experiment.status != "created":
            hint = "Create a new one, with a salt of its own; one that was stopped is not started again."
            raise RefusedError(f"experiment {name!r} was started before", hint)
        first = stored.allocations[0].since
        moved = db.allocations.update().where(db.allocations.c.experiment == stored.id)
        connection.execute(moved.values(since=min(first, at)))
        return _changed(connection, stored, started_at=at)


def stop(engine: sa.Engine, name: str, at: int) -> Stored:
    """Stop a running experiment: no more exposures are logged. Outcomes of exposed units still are."""
    with db.writing(engine) as connection:
        stored = require_running(_found(connection, name))
        if at < (stored.experiment.started_at or 0):
            raise UsageError(f"experiment {name!r} cannot stop before its start", "Choose a later time.")
        return _changed(connection, stored, stopped_at=at)


def change_weights(engine: sa.Engine, name: str, weights: Mapping[str, str], at: int) -> Stored:
    """Change the weights of a running experiment's arms; as few units as possible change their arm.

    Raises:
        UsageError: an arm is unknown, or the time is not after the last change.
        RefusedError: the experiment is unknown or does not run.
    """
    with db.writing(engine) as connection:
        stored = require_running(_found(connection, name))
        if unknown := set(weights) - {arm.name for arm in stored.experiment.arms}:
            known = ", ".join(arm.name for arm in stored.experiment.arms)
            raise UsageError(f"experiment {name!r} has no arm {', '.join(sorted(unknown))}", f"It has {known}.")
        if at <= stored.allocations[-1].since:
            raise UsageError(f"the weights of {name!r} were changed later than that", "Choose a later time.")
        arms = [
            msgspec.structs.replace(arm, weight=weights.get(arm.name, arm.weight)) for arm in stored.experiment.arms
        ]
        shares: dict[str, Fraction] = {arm.name: arm.share for arm in arms}
        _allocate(connection, stored.id, at, recut(stored.segments, shares))
        return _changed(connection, stored, arms=arms)


def require_running(stored: Stored) -> Stored:
    """Return the experiment, or raise a RefusedError if it does not run."""
    name, status = stored.experiment.name, stored.experiment.status
    if status == "created":
        raise RefusedError(f"experiment {name!r} has not started", f"Start it: `pozytywka experiment start {name}`.")
    if status == "stopped":
        raise RefusedError(f"experiment {name!r} was stopped", "Create a new one.")
    return stored


def _found(connection: sa.Connection, name: str) -> Stored:
    row = _row(connection, name)
    if row is None:
        raise NotFoundError(f"unknown experiment {name!r}", "List all: `pozytywka experiment status`.")
    return _loaded(connection, row)


def _row(connection: sa.Connection, name: str) -> "sa.Row[tuple[int, str, str]] | None":
    return connection.execute(sa.select(db.experiments).where(db.experiments.c.name == name)).one_or_none()


def _loaded(connection: sa.Connection, row: "sa.Row[tuple[int, str, str]]") -> Stored:
    chosen = sa.select(db.allocations).where(db.allocations.c.experiment == row.id).order_by(db.allocations.c.since)
    allocations = [Allocation(one.since, SEGMENTS.decode(one.segments)) for one in connection.execute(chosen)]
    return Stored(row.id, EXPERIMENT.decode(row.definition), allocations)


def _changed(connection: sa.Connection, stored: Stored, **fields: object) -> Stored:
    experiment = msgspec.structs.replace(stored.experiment, **fields)
    changed = db.experiments.update().where(db.experiments.c.id == stored.id)
    connection.execute(changed.values(definition=msgspec.json.encode(experiment).decode()))
    return _found(connection, experiment.name)


def _allocate(connection: sa.Connection, experiment: int, since: int, segments: Sequence[Segment]) -> None:
    row = {"experiment": experiment, "since": since, "segments": msgspec.json.encode(segments).decode()}
    connection.execute(db.allocations.insert().values(row))
