"""`pozytywka evaluate`."""

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context


def evaluate(
    ctx: typer.Context,
    family: options.Families = None,
    gpu: options.Gpu = False,
    until: options.Until = None,
    seed: options.Seed = 0,
    scrobbles: options.Scrobbles = None,
    artists: options.Artists = None,
    json: options.Json = False,
) -> None:
    """Print honest figures of every variant beside the baselines, from one run.

    Reads the data folder and artifacts/plays.parquet, which it makes where missing or stale; writes nothing else. Every
    variant is trained on the earlier part of the data and measured on the later one. low and high bound the
    95 % interval over users (skip, similar) or artists (weekly).

    \b
    Examples:
      pozytywka evaluate
      pozytywka evaluate weekly --json | jq '.rows[] | select(.metric == "RMSE")'
    """
    from pozytywka_cli.commands import render, sources
    from pozytywka_cli.families import chosen, evaluation
    from pozytywka_cli.learning import device

    shared, families = context(ctx), chosen(family)
    where = str(device(gpu=gpu))
    source = sources.scrobbles(families, scrobbles, artists, until) or sources.service(shared, until)
    rows = []
    with shared.talk.progress() as report:
        for name in families:
            settings = getattr(shared.settings, name)
            rows += evaluation(name).evaluate(source, settings, seed=seed, device=where, report=report)
    if json:
        render.json_object("evaluate", rows)
    else:
        columns = ("family", "variant", "protocol", "metric", "value", "low", "high")
        render.table("", columns, ([getattr(row, column) for column in columns] for row in rows))
