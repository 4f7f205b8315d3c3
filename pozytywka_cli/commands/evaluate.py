"""`pozytywka evaluate`."""

from typing import Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context
from pozytywka_cli.errors import UsageError, raise_any


def evaluate(
    ctx: typer.Context,
    family: options.Families = None,
    gpu: options.Gpu = False,
    until: options.Until = None,
    seed: options.Seed = 0,
    scrobbles: options.Scrobbles = None,
    artists: options.Artists = None,
    planted: Annotated[bool, typer.Option("--planted", help="Measure on generated data whose truth is known.")] = False,
    json: options.Json = False,
) -> None:
    """Print honest figures of every variant beside the baselines, from one run.

    Reads the data folder and artifacts/plays.parquet, which it makes where missing or stale; writes nothing else. Every
    variant is trained on the earlier part of the data and measured on the later one. low and high bound the
    95 % interval over users (skip, similar) or artists (weekly). --planted needs no data: it makes a sample and
    prints how much of the best possible score each model reaches.

    \b
    Examples:
      pozytywka evaluate
      pozytywka evaluate skip --planted
      pozytywka evaluate weekly --json | jq '.rows[] | select(.metric == "RMSE")'
    """
    from pozytywka_cli import planted as known
    from pozytywka_cli.commands import render, sources
    from pozytywka_cli.families import chosen, evaluate_all
    from pozytywka_cli.learning import device

    shared, families, settings = context(ctx), chosen(family), context(ctx).settings
    where = str(device(gpu=gpu))
    if planted and (until or scrobbles or artists):
        raise UsageError("--planted makes its own data", "Leave out --until, --scrobbles and --artists.")
    if planted:
        with shared.talk.progress() as report:
            found, refused = known.evaluate(families, settings, seed=seed, device=where, report=report)
        rows = [row for measured in found.values() for row in measured]
    else:
        source = sources.scrobbles(families, scrobbles, artists, until) or sources.service(shared, until)
        with shared.talk.progress() as report:
            evaluated, refused = evaluate_all(families, source, settings, seed=seed, device=where, report=report)
        rows = [row for measured in evaluated.values() for row in measured.rows]
    if json:
        render.json_object("evaluate", rows)
    else:
        columns = ("family", "variant", "protocol", "metric", "value", "low", "high")
        render.table("", columns, ([getattr(row, column) for column in columns] for row in rows))
    raise_any(refused)
