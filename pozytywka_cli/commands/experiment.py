"""`pozytywka experiment`: create, assign, start, stop and analyse randomized experiments."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import Context, context
from pozytywka_cli.commands.experiment_design import power, simulate
from pozytywka_cli.errors import RefusedError, UnavailableError, UsageError

if TYPE_CHECKING:
    import polars as pl
    import sqlalchemy as sa

    from pozytywka_cli.experiments.lifecycle import Stored

app = typer.Typer(help="Run randomized experiments, and analyse them.", no_args_is_help=True, rich_markup_mode=None)

LOOKS = 40  # of a chart, at most
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of an experiment.")]
At = Annotated[str | None, typer.Option(metavar="DATE", help="At this date or time (UTC) in place of now.")]
FromLog = Annotated[bool, typer.Option("--from-log", help="Take them from the plays; see above.")]


@app.command()
def create(
    ctx: typer.Context,
    name: Name,
    arm: Annotated[
        list[str],
        typer.Option(metavar="NAME[=WEIGHT[@MODEL]]", help="An arm; repeat for each, the control first."),
    ],
    metric: Annotated[
        list[str] | None, typer.Option(metavar="NAME[=KIND]", help="A metric; repeatable.  [default: skip_rate]")
    ] = None,
    unit: Annotated[Literal["user", "artist"], typer.Option(help="What is assigned to arms.")] = "user",
    planned_units: Annotated[
        int | None, typer.Option(metavar="N", min=4, max=10**9, help="How many units it is planned for, in all arms.")
    ] = None,
    salt: Annotated[str, typer.Option(help="A text that decides who is in which arm.  [default: random]")] = "",
    json: options.Json = False,
) -> None:
    """Create an experiment; it does not run before `experiment start`.

    Metrics: skip_rate, listened_seconds and full_plays are computed from the log; recommendation_success (a ratio) and
    misallocated (a mean of artists) are logged by whoever knows them, as are metrics of your own: NAME=mean, the mean
    over units of each unit's sum, or NAME=ratio, the sum of values over the sum of weights.

    A weight is any number above 0; arms get units in proportion. MODEL is the version or variant that serves the arm.
    --planned-units makes the confidence sequence narrowest there; see `experiment power`.

    Writes to artifacts/experiments.sqlite3, or to the PostgreSQL database that POZYTYWKA_DATABASE_URL names.

    \b
    Examples:
      pozytywka experiment create mixture --arm control --arm treatment
      pozytywka experiment create mixture --arm old=90@mlp --arm new=10@advanced \\
        --metric skip_rate --metric listened_seconds --planned-units 20000
    """
    from pozytywka_cli.commands import tables
    from pozytywka_cli.experiments import definition

    arms = [definition.parse_arm(text) for text in arm]
    metrics = list({one.name: one for one in map(definition.parse_metric, metric or ["skip_rate"])}.values())
    experiment = definition.Experiment(name, unit, arms, salt, metrics, planned_units)
    shared = context(ctx)
    with _connected(shared) as engine:
        from pozytywka_cli.experiments import lifecycle

        stored = lifecycle.create(engine, experiment)
    if json:
        tables.json_object("experiment create", [stored.experiment])
    shared.console.info(f"Created {name}; start it: `pozytywka experiment start {name}`.")


@app.command()
def start(
    ctx: typer.Context,
    name: Name,
    at: At = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(metavar="ARM=WEIGHT", help="Change the weight of an arm of a running experiment; repeatable."),
    ] = None,
) -> None:
    """Start an experiment, or change the weights of one that runs.

    With new weights as few units as possible change their arm. Units that were exposed before count for their first
    arm; how many see another one later is shown by `experiment analyze`.

    Writes to the database of experiments.

    \b
    Examples:
      pozytywka experiment start mixture
      pozytywka experiment start mixture --weight old=50 --weight new=50
    """
    shared, moment = context(ctx), _moment(at)
    weights = dict(_weight(text) for text in weight or [])
    with _connected(shared) as engine:
        from pozytywka_cli.experiments import lifecycle

        if weights:
            lifecycle.change_weights(engine, name, weights, moment)
        else:
            lifecycle.start(engine, name, moment)
    shared.console.info(f"Changed the weights of {name}." if weights else f"Started {name}.")


@app.command()
def stop(ctx: typer.Context, name: Name, at: At = None) -> None:
    """Stop an experiment: nobody is exposed any more. Outcomes of those who were are still logged.

    Writes to the database of experiments.

    \b
    Examples:
      pozytywka experiment stop mixture
    """
    shared, moment = context(ctx), _moment(at)
    with _connected(shared) as engine:
        from pozytywka_cli.experiments import lifecycle

        lifecycle.stop(engine, name, moment)
    shared.console.info(f"Stopped {name}.")


@app.command()
def assign(
    ctx: typer.Context,
    name: Name,
    units: Annotated[list[str] | None, typer.Argument(metavar="UNIT", help="Ids; - reads one a line.")] = None,
    at: At = None,
    from_log: FromLog = False,
    json: options.Json = False,
) -> None:
    """Assign units to arms, log their exposure, and print the arms.

    The arm is decided by SHA-256 of the experiment's salt and the unit: the same at every call. The first exposure of a
    unit stays. With --from-log, every unit with a play since the start is exposed at the first one.

    Writes to the database of experiments. --from-log reads the data folder and artifacts/plays.parquet.

    \b
    Examples:
      pozytywka experiment assign mixture 101 102
      cut -d, -f1 users.csv | pozytywka experiment assign mixture -
      pozytywka experiment assign mixture --from-log
    """
    from pozytywka_cli.commands import tables

    if from_log == bool(units) or (from_log and at):
        raise UsageError("name units, or give --from-log without --at", f"`pozytywka experiment assign {name} 101`.")
    shared = context(ctx)
    with _connected(shared) as engine:
        from pozytywka_cli.experiments import lifecycle, play_outcomes, recording

        stored = lifecycle.require_running(lifecycle.load(engine, name))
        if from_log:
            count = play_outcomes.expose_players(engine, stored, _plays(shared, stored))
            shared.console.info(f"Exposed {count:,} units to {name}.")
            return
        named = [line.rstrip("\r\n") for unit in units or [] for line in (sys.stdin if unit == "-" else [unit])]
        arms = recording.expose(engine, stored, named, _moment(at))
    rows = [{"unit": unit, "arm": one} for unit, one in zip(named, arms, strict=True)]
    if json:
        tables.json_object("experiment assign", rows)
    else:
        tables.table("", ("unit", "arm"), [row.values() for row in rows])


@app.command()
def status(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Default: all experiments.")] = None,
    json: options.Json = False,
) -> None:
    """List experiments with their arms, or one of them.

    Reads the database of experiments.

    \b
    Examples:
      pozytywka experiment status
      pozytywka experiment status mixture --json
    """
    from pozytywka_cli.commands import tables

    shared = context(ctx)
    with _connected(shared) as engine:
        from pozytywka_cli.experiments import lifecycle
        from pozytywka_cli.experiments.analysis import count_units

        found = [lifecycle.load(engine, name)] if name else lifecycle.load_all(engine)
        rows = [(one.experiment, count_units(engine, one)) for one in found]
    if json:
        objects = ({"name": one.name, "status": one.status, "definition": one, "arms": arms} for one, arms in rows)
        tables.json_object("experiment status", objects)
    elif rows:
        cells = (
            (one.name, one.status, one.unit, arm.name, arm.weight, arm.model or "", counted.units, counted.crossovers)
            for one, arms in rows
            for arm, counted in zip(one.arms, arms, strict=True)
        )
        tables.table("", ("experiment", "status", "unit", "arm", "weight", "model", "units", "crossovers"), cells)
    else:
        shared.console.info("There are no experiments yet. Create one: `pozytywka experiment create --help`.")


@app.command()
def analyze(
    ctx: typer.Context,
    name: Name,
    from_log: FromLog = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw effects and arm sizes by day; .png, .svg, .pdf or .html.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Compare every arm with the control, on every metric.

    Intervals and tests are over units, not over plays: a mean by Welch's test, a ratio by the delta method. Where units
    have outcomes from before their exposure, CUPED takes off what those predict, and that row is the one to decide by.
    p-values are adjusted over all metrics and arms (Benjamini and Hochberg).

    "95 % interval" holds for one look at a planned time. "any time" is a confidence sequence: look every day, and stop
    when 0 is outside of it. If arms do not have as many units as their weights say (p < .001), something is broken, no
    effect can be believed, and the exit code is 3.

    With --from-log, outcomes come from the plays: skips, seconds and full plays of exposed units, by day, since their
    exposure and in the four weeks before. Reads the data folder and artifacts/plays.parquet, and replaces what earlier
    plays have given. Reads the database of experiments, and writes outcomes there and the file of --plot.

    \b
    Examples:
      pozytywka experiment analyze mixture
      pozytywka experiment analyze mixture --from-log --plot mixture.png
      pozytywka experiment analyze mixture --json | jq '.rows[] | select(.primary)'
    """
    from pozytywka_cli import plots
    from pozytywka_cli.commands import experiment_tables, tables
    from pozytywka_cli.records import Progress

    shared = context(ctx)
    if plot:
        plots.check(plot)
    with _connected(shared) as engine, shared.console.progress() as report:
        from pozytywka_cli.experiments import analysis as analyses
        from pozytywka_cli.experiments import charts, lifecycle, play_outcomes

        stored = lifecycle.load(engine, name)
        if from_log:
            count = play_outcomes.log_plays(engine, stored, _plays(shared, stored))
            shared.console.info(f"Logged {count:,} outcomes from the plays.")
        found = analyses.analyze(engine, stored)
        step = lambda done: report(Progress("days", done, LOOKS))  # noqa: E731
        looks = analyses.over_time(engine, stored, LOOKS, step) if plot else []
    if json:
        more = {"arms": found.arms, "sample_ratio_p_value": found.sample_ratio_p_value}
        status = stored.experiment.status
        tables.json_object("experiment analyze", found.effects, experiment=name, status=status, **more)
    else:
        experiment_tables.analysis(stored.experiment, found)
    if plot:
        plots.draw(charts.panels(looks), plot, f"pozytywka experiment analyze {name}")
        shared.console.info(f"Wrote {plot}.")
    if found.is_mismatched:
        problem = f"sample-ratio mismatch in {name!r}: p = {found.sample_ratio_p_value:.2g}"
        raise RefusedError(problem, "Do not use the effects; find out which units are missing or added in one arm.")


app.command()(power)
app.command()(simulate)


@contextmanager
def _connected(shared: Context) -> "Iterator[sa.Engine]":
    """Connect to the database of experiments; an UnavailableError if the extra is missing."""
    try:
        import_module("sqlalchemy")
    except ImportError as error:
        problem = f"experiments need the extra `experiments`: {error}"
        raise UnavailableError(problem, "Install it: `pip install 'pozytywka[experiments]'`.") from None
    from pozytywka_cli.experiments import database

    engine = database.connect(shared.settings.general.database_url, shared.artifacts)
    try:
        yield engine
    finally:
        engine.dispose()


def _plays(shared: Context, stored: "Stored") -> "pl.DataFrame":
    from pozytywka_cli.commands import datasets
    from pozytywka_cli.experiments.play_totals import unit_plays

    return unit_plays(datasets.dataset(shared), stored.experiment.unit)


def _moment(text: str | None) -> int:
    """Return a time, or now, as µs since 1970."""
    from datetime import UTC, datetime

    moment = options.moment(text, "--at") or datetime.now(UTC)
    return round(moment.timestamp() * 1_000_000)


def _weight(text: str) -> tuple[str, str]:
    from pozytywka_cli.experiments.definition import parse_weight

    arm, _, weight = text.partition("=")
    return arm, parse_weight(weight, text)
