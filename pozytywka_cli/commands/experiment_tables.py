"""Tables of experiments, for people."""

from typing import TYPE_CHECKING

import typer

from pozytywka_cli.commands import tables
from pozytywka_cli.commands.console import literal
from pozytywka_cli.commands.evaluation_table import ARROWS
from pozytywka_cli.commands.tables import Percent
from pozytywka_cli.families import registry
from pozytywka_cli.records import Metric

if TYPE_CHECKING:
    from pozytywka_cli.experiments.analysis import Analysis, Effect
    from pozytywka_cli.experiments.definition import Experiment
    from pozytywka_cli.experiments.design import Power
    from pozytywka_cli.experiments.replay.comparison import Compared, Measured
    from pozytywka_cli.experiments.simulation import Simulated

MISALLOCATED = Metric("misallocated", "lower", "share of the money of a week that goes to the wrong artists")


def analysis(experiment: "Experiment", found: "Analysis") -> None:
    """Print the arms and the primary effects, and what may be concluded."""
    sizes = ((arm.arm, arm.units, round(arm.expected), arm.crossovers) for arm in found.arms)
    planned = f" of {experiment.planned_units:,} planned" if experiment.planned_units else ""
    title = f"{experiment.name}, {experiment.status}: {found.units:,} units{planned}"
    tables.table(
        f"{title}; sample ratio p = {found.sample_ratio_p_value:.2g}",
        ("arm", "units", "expected", "crossovers"),
        sizes,
    )
    primary = [one for one in found.effects if one.primary]
    if primary:
        columns = ("metric", "arm", "control", "treatment", "difference", "relative", "p", "adjusted p")
        tables.table("", columns, map(_effect, primary))
        bounds = ("metric", "arm", "95 % interval", "relative", "any time")
        tables.table("", bounds, map(_bounds, primary), right=(2, 3, 4))
    typer.echo("\n" + literal("\n".join(_conclusions(primary))))


def _effect(one: "Effect") -> tuple[object, ...]:
    name = one.metric + (" (CUPED)" if one.method == "cuped" else "")
    values = (one.control, one.treatment, one.difference, _percent(one.relative))
    return name, one.arm, *values, one.p_value, one.adjusted_p_value


def _bounds(one: "Effect") -> tuple[object, ...]:
    relative = _interval(one.relative_low, one.relative_high, "+.1%")
    return one.metric, one.arm, _interval(one.low, one.high), relative, _interval(one.always_low, one.always_high)


def _interval(low: float | None, high: float | None, style: str = "+.3g") -> str:
    return "" if low is None or high is None else f"{low:{style}} to {high:{style}}"


def _conclusions(effects: "list[Effect]") -> list[str]:
    """Return a sentence for each effect that is shown at any time, and one if there is none."""
    if not effects:
        return ["There is nothing to compare yet: no arm but one has units."]
    shown = [one for one in effects if one.always_low is not None and one.always_high is not None]
    shown = [one for one in shown if not (one.always_low or 0) <= 0 <= (one.always_high or 0)]
    if not shown:
        return ["No difference is shown so far: every confidence sequence contains 0."]
    return [f"{one.metric} differs in {one.arm}: its confidence sequence does not contain 0." for one in shown]


def powers(rows: "list[Power]", days: int, chance: float) -> None:
    """Print what an experiment finds, and how many units it needs."""
    with_effect = any(row.needed is not None for row in rows)
    columns = ["metric", "method", "value", "sd of a unit", "units", "detectable", "of the value"]
    columns += ["effect", "needed units"] if with_effect else []
    cells = (
        (row.metric, row.method, row.value, row.deviation, row.units, row.detectable, _percent(row.relative))
        + ((row.effect, row.needed) if with_effect else ())
        for row in rows
    )
    title = f"Experiments of {days} days: effects that are found with a chance of {chance:.0%}"
    tables.table(title, columns, cells, gap=1)


def simulations(rows: "list[Simulated]", runs: int) -> None:
    """Print how often each check rejects; beside it stands how often it should."""
    cells = ((row.metric, row.check, Percent(row.share), _percent(row.expected)) for row in rows)
    tables.table(f"{runs:,} simulated experiments", ("metric", "check", "rejected", "should be"), cells)


def replayed(family: str, measured: "Measured", rows: "list[Compared]") -> None:
    """Print the metrics of each model, and its differences from the first one."""
    metrics = {"misallocated_share": MISALLOCATED, **registry.get(family).metrics}
    names = {name: f"{metric.label} {ARROWS[metric.better]}" for name, metric in metrics.items()}
    cells = (
        (
            names[row.metric],
            row.model,
            row.value,
            _bounded(row.low, row.high),
            row.difference,
            _interval(row.difference_low, row.difference_high),
        )
        for row in rows
    )
    unit = "artists" if family == "weekly" else "users"
    title = f"{family} from {measured.since:%Y-%m-%d} on, {measured.count:,} {unit}; fitted to what was known before"
    columns = ("metric", "model", "value", "95 % interval", "difference", "95 % interval")
    tables.table(title, columns, cells, right=(3, 5))


def _bounded(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{tables.cell(low)} to {tables.cell(high)}"


def _percent(share: float | None) -> Percent | None:
    return None if share is None else Percent(share)
