"""`pozytywka experiment power` and `simulate`: what to know before an experiment starts."""

from typing import Annotated, Literal

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context
from pozytywka_cli.commands.experiment_data import plays_of
from pozytywka_cli.errors import UsageError

Metrics = Annotated[
    list[str] | None,
    typer.Option("--metric", metavar="NAME", help="A metric from the log; repeatable.  [default: all three]"),
]
Unit = Annotated[Literal["user", "artist"], typer.Option(help="What is assigned to arms.")]
Days = Annotated[int, typer.Option(min=1, max=3650, help="Days that the experiment lasts; the last ones of the log.")]


def power(
    ctx: typer.Context,
    metric: Metrics = None,
    days: Days = 28,
    effect: Annotated[
        str | None, typer.Option(metavar="SIZE", help="The smallest effect that matters: 5% of the value, or 0.01.")
    ] = None,
    units: Annotated[
        int | None,
        typer.Option(metavar="N", min=4, max=10**9, help="Units of both arms.  [default: the active ones]"),
    ] = None,
    chance: Annotated[float, typer.Option("--power", min=0.1, max=0.999, help="The chance to find the effect.")] = 0.8,
    unit: Unit = "user",
    json: options.Json = False,
) -> None:
    """Compute which effects an experiment finds, and how many units it needs, on this service's own units.

    The last days of the log stand for those of the experiment: two arms of equal size, a two-sided test at 5 %. CUPED
    takes off what the four weeks before predict. "needed units" is for the effect of --effect.

    Reads the data folder and artifacts/plays.parquet, which it makes where missing or stale.

    \b
    Examples:
      pozytywka experiment power
      pozytywka experiment power --metric skip_rate --days 14 --effect 5%
      pozytywka experiment power --units 20000 --power 0.9 --json
    """
    from pozytywka_cli.commands import experiment_tables, tables
    from pozytywka_cli.experiments import design

    size = None if effect is None else design.parse_effect(effect)
    metrics, shared = _metrics(metric), context(ctx)
    rows = design.powers(plays_of(shared, unit), metrics, days, units=units, effect=size, wanted=chance)
    if json:
        tables.json_object("experiment power", rows)
    else:
        experiment_tables.powers(rows, days, chance)


def simulate(
    ctx: typer.Context,
    metric: Metrics = None,
    days: Days = 28,
    runs: Annotated[int, typer.Option(min=10, max=100_000, help="Simulated experiments.")] = 2000,
    looks: Annotated[int, typer.Option(min=1, max=1000, help="Looks at each experiment while it runs.")] = 40,
    seed: options.Seed = 0,
    unit: Unit = "user",
    json: options.Json = False,
) -> None:
    """Simulate experiments on this service's own units, and count how often the analysis is wrong.

    Units keep what they did in the last days of the log; their arms are drawn, again for each experiment. So a found
    effect is an error, which must happen in 5 % of experiments (with 2,000 of them, 4 to 6 % by chance). A confidence
    sequence must be wrong in at most 5 % after all looks together; a test at every look is wrong far more often. Then
    effects are added that the power formula says are found in 50, 80 and 90 % of experiments. Beside them stands the
    old way, a t-test over plays with user_id % 2.

    Reads the data folder and artifacts/plays.parquet, which it makes where missing or stale.

    \b
    Examples:
      pozytywka experiment simulate
      pozytywka experiment simulate --metric skip_rate --days 14 --runs 10000
    """
    from pozytywka_cli.commands import experiment_tables, tables
    from pozytywka_cli.experiments import design

    metrics, shared = _metrics(metric), context(ctx)
    plays = plays_of(shared, unit)
    with shared.console.progress() as report:
        rows = design.simulations(plays, metrics, days, runs=runs, looks=looks, seed=seed, report=report)
    if json:
        tables.json_object("experiment simulate", [row._asdict() for row in rows])
    else:
        experiment_tables.simulations(rows, runs)


def _metrics(names: list[str] | None) -> list[str]:
    from pozytywka_cli.experiments.definition import FROM_THE_LOG

    for name in names or []:
        if name not in FROM_THE_LOG:
            raise UsageError(f"the log knows no metric {name!r}", f"Known are {', '.join(FROM_THE_LOG)}.")
    return list(dict.fromkeys(names or FROM_THE_LOG))
