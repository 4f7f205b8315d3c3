"""Analyse an experiment: the effect of every arm on every metric, and whether the assignment can be trusted."""

import math
from typing import Any

import msgspec
import numpy as np
import sqlalchemy as sa

from pozytywka_cli.experiments import database as db
from pozytywka_cli.experiments.arm_moments import ArmMoments, arm_moments
from pozytywka_cli.experiments.arm_sizes import ArmUnits, arm_units
from pozytywka_cli.experiments.definition import MetricDefinition
from pozytywka_cli.experiments.estimation import Difference, adjusted_p_values, difference
from pozytywka_cli.experiments.lifecycle import Stored
from pozytywka_cli.experiments.moments import Floats
from pozytywka_cli.records import Progress, Report, silent

ALPHA = 0.05
PLANNED = 10_000  # units that the confidence sequence is made for where none are planned
MISMATCH = 0.001  # a sample ratio with a smaller p-value is no accident
DAY = 86_400_000_000  # µs
PLAIN, CUPED = "plain", "cuped"


class Effect(msgspec.Struct, frozen=True):
    """The difference between an arm and the control on a metric; None where it is not defined.

    method: "plain", or "cuped" after what the time before the exposure predicts was taken off
    primary: whether this is the row to decide by: "cuped" where there is a time before
    relative: the difference over the control's value, with its 95 % interval relative_low, relative_high
    low, high: the 95 % interval for one look that was planned
    always_low, always_high: the 95 % confidence sequence, for looking as often as one likes
    adjusted_p_value: after Benjamini and Hochberg over all primary rows
    """

    metric: str
    kind: str
    arm: str
    method: str
    primary: bool
    control: float | None
    treatment: float | None
    difference: float | None
    relative: float | None
    relative_low: float | None
    relative_high: float | None
    low: float | None
    high: float | None
    always_low: float | None
    always_high: float | None
    p_value: float | None
    adjusted_p_value: float | None = None


class Analysis(msgspec.Struct, frozen=True):
    """What is known of an experiment at a time.

    sample_ratio_p_value: of the test that arms have as many units as their weights say
    """

    arms: list[ArmUnits]
    sample_ratio_p_value: float
    effects: list[Effect]

    @property
    def units(self) -> int:
        """The units of all arms."""
        return sum(arm.units for arm in self.arms)

    @property
    def is_mismatched(self) -> bool:
        """Whether the arms' sizes cannot be chance: then no effect can be believed."""
        return self.sample_ratio_p_value < MISMATCH


def analyze(engine: sa.Engine, stored: Stored, until: int | None = None) -> Analysis:
    """Analyse an experiment on what was logged before `until` (µs since 1970), or on all."""
    with db.reading(engine) as connection:
        arms, p_value = arm_units(connection, stored, until)
        effects = [
            effect
            for metric in stored.experiment.metrics
            for effect in _effects(stored, metric, arm_moments(connection, stored, metric, until))
        ]
    primary = [effect for effect in effects if effect.primary]
    p_values = np.array([math.nan if effect.p_value is None else effect.p_value for effect in primary])
    adjusted = dict(zip(map(id, primary), adjusted_p_values(p_values), strict=True))
    with_all = [msgspec.structs.replace(one, adjusted_p_value=_known(adjusted.get(id(one)))) for one in effects]
    return Analysis(arms, p_value, with_all)


def results(stored: Stored, found: Analysis) -> dict[str, Any]:
    """Return an analysis as JSON has it: the experiment, its arms, and in `rows` every effect."""
    fields = {
        "experiment": stored.experiment.name,
        "status": stored.experiment.status,
        "arms": found.arms,
        "sample_ratio_p_value": found.sample_ratio_p_value,
        "rows": found.effects,
    }
    builtins: dict[str, Any] = msgspec.to_builtins(fields)
    return builtins


def over_time(engine: sa.Engine, stored: Stored, looks: int, report: Report = silent) -> list[tuple[int, Analysis]]:
    """Return the analysis as it was at the end of days (UTC) from the start on, at most so many of them.

    Each comes with that moment, in µs since 1970; the last one knows everything.
    """
    with db.reading(engine) as connection:
        times = [
            sa.select(sa.func.max(column)).where(table.c.experiment == stored.id)
            for table, column in ((db.exposures, db.exposures.c.exposed_at), (db.outcomes, db.outcomes.c.at))
        ]
        last = max(connection.execute(time).scalar() or 0 for time in times)
    first = stored.experiment.started_at or last
    moments = _ends_of_days(first, last, looks) if last and last >= first else []
    found = []
    for number, moment in enumerate(moments, 1):
        found.append((moment, analyze(engine, stored, moment)))
        report(Progress("days", number, len(moments)))
    return found


def _ends_of_days(first: int, last: int, most: int) -> list[int]:
    """Return at most so many ends of days, evenly spaced, up to that of the last moment."""
    begin, end = first // DAY, last // DAY + 1
    step = max(1, -(-(end - begin) // most))
    return [day * DAY for day in range(end, begin, -step)][::-1]


def _effects(stored: Stored, metric: MetricDefinition, found: ArmMoments) -> list[Effect]:
    """Return the effects of all arms on a metric, plain and where possible adjusted."""
    control, *others = [arm.name for arm in stored.experiment.arms]
    if control not in found.by_arm:
        return []
    methods = [PLAIN, CUPED] if found.with_past else [PLAIN]
    effects = []
    for arm in (name for name in others if name in found.by_arm):
        units = found.by_arm[control].count + found.by_arm[arm].count
        # the plan is for all arms; this is how far this pair has come
        planned = (stored.experiment.planned_units or PLANNED) * 2 / len(stored.experiment.arms)
        for method in methods:
            one = difference(found.by_arm[control], found.by_arm[arm], adjusted=method == CUPED)
            effects.append(_effect(metric, arm, method, method == methods[-1], one, units, planned))
    return effects


def _effect(
    metric: MetricDefinition, arm: str, method: str, primary: bool, found: Difference, units: Floats, planned: float
) -> Effect:
    (low, high), (always_low, always_high) = found.interval(ALPHA), found.sequence(units, planned, ALPHA)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = found.value / np.abs(found.control)
    relatives = (relative, *found.relative_interval(ALPHA))
    columns = (found.control, found.treatment, found.value, *relatives, low, high, always_low, always_high)
    numbers = [_known(float(one)) for one in (*columns, found.p_value())]
    return Effect(metric.name, metric.kind, arm, method, primary, *numbers)


def _known(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
