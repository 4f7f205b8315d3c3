"""`pozytywka experiment`: create, assign, start, stop and analyse randomized experiments."""

from typing import Annotated, Literal

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context
from pozytywka_cli.commands.experiment_analysis import analyze, assign
from pozytywka_cli.commands.experiment_data import At, Name, connected, moment_of
from pozytywka_cli.commands.experiment_design import power, simulate
from pozytywka_cli.commands.experiment_replay import replay

app = typer.Typer(help="Run randomized experiments, and analyse them.", no_args_is_help=True, rich_markup_mode=None)


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

    A weight is any number above 0; arms get units in proportion. MODEL is what serves the arm: a family, for its
    promoted version, FAMILY/VARIANT or FAMILY/VERSION. All arms name one of the same family, or none does.
    --planned-units makes the confidence sequence narrowest there; see `experiment power`.

    Writes to artifacts/experiments.sqlite3, or to the PostgreSQL database that POZYTYWKA_DATABASE_URL names.

    \b
    Examples:
      pozytywka experiment create mixture --arm control --arm treatment
      pozytywka experiment create mixture --arm old=90@skip/user-rate --arm new=10@skip/advanced \\
        --metric skip_rate --metric listened_seconds --planned-units 20000
    """
    from pozytywka_cli.commands import tables
    from pozytywka_cli.experiments import definition

    arms = [definition.parse_arm(text) for text in arm]
    metrics = list({one.name: one for one in map(definition.parse_metric, metric or ["skip_rate"])}.values())
    experiment = definition.Experiment(name, unit, arms, salt, metrics, planned_units)
    shared = context(ctx)
    with connected(shared) as engine:
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
    shared, moment = context(ctx), moment_of(at)
    weights = dict(_weight(text) for text in weight or [])
    with connected(shared) as engine:
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
    shared, moment = context(ctx), moment_of(at)
    with connected(shared) as engine:
        from pozytywka_cli.experiments import lifecycle

        lifecycle.stop(engine, name, moment)
    shared.console.info(f"Stopped {name}.")


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
    with connected(shared) as engine:
        from pozytywka_cli.experiments import lifecycle
        from pozytywka_cli.experiments.arm_sizes import count_units

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


app.command()(assign)
app.command()(analyze)
app.command()(power)
app.command()(simulate)
app.command()(replay)


def _weight(text: str) -> tuple[str, str]:
    from pozytywka_cli.experiments.definition import parse_weight

    arm, _, weight = text.partition("=")
    return arm, parse_weight(weight, text)
