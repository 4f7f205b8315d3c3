"""`pozytywka evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context
from pozytywka_cli.errors import UsageError, raise_any

if TYPE_CHECKING:
    from pozytywka_cli.records import Row


def evaluate(
    ctx: typer.Context,
    family: options.Families = None,
    gpu: options.Gpu = False,
    until: options.Until = None,
    seed: options.Seed = 0,
    measure: options.Measure = None,
    horizon: options.Horizon = None,
    weeks: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="weekly: how many of the last weeks to test on.")
    ] = None,
    weighting: options.Weighting = None,
    factors: options.Factors = None,
    regularization: options.Regularization = None,
    alpha: options.Alpha = None,
    iterations: options.Iterations = None,
    min_listeners: options.MinListeners = None,
    scrobbles: options.Scrobbles = None,
    artists: options.Artists = None,
    planted: Annotated[bool, typer.Option("--planted", help="Measure on generated data whose truth is known.")] = False,
    curve: Annotated[
        bool, typer.Option("--curve", help="similar: measure quality against cost, over factors and iterations.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Draw the figures: a .png, .svg, .pdf or .html.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Print honest figures of every variant beside the baselines, from one run.

    Reads the data folder and artifacts/plays.parquet, which it makes where missing or stale; writes nothing else but
    --plot's picture. Every variant is measured on data that it did not learn from: of skip and weekly what is later, of
    similar a random fifth of every listener's artists. low and high bound the 95 % interval over users (skip, similar)
    or artists (weekly). --planted needs no data: it makes a sample and prints how much of the best possible score each
    model reaches.

    --plot shows, of skip, calibration, ROC curves, when tracks are skipped and what the model leans on; of weekly, the
    error of each week, the calibration of the intervals and six artists' series with their forecasts; of similar, each
    metric of every variant. It needs the extra `plot`. weekly is also measured beside AutoETS and SES where the extra
    `forecast` is installed; with --horizon, each number of weeks ahead apart.

    similar is measured on four such splits: its default settings were tuned on split 0, and splits 1
    to 3 report. "als, old settings" is the old system's model, and in-sample its metric, which rewards memory.
    --curve, in place of all that, trains fifteen models of 16 to 256 factors and 5 to 40 iterations on split 0, and
    prints the PM, the training time and the lookup time of each; with --plot it draws them.

    \b
    Examples:
      pozytywka evaluate
      pozytywka evaluate skip --planted
      pozytywka evaluate skip --plot skip.png
      pozytywka evaluate weekly --weeks 13 --horizon 4 --plot weekly.png
      pozytywka evaluate similar --curve --plot curve.png
      pozytywka evaluate weekly --json | jq '.rows[] | select(.metric == "RMSE")'
    """
    from pozytywka_cli import plots
    from pozytywka_cli.commands import datasets
    from pozytywka_cli.families.registry import chosen, device, evaluate_all
    from pozytywka_cli.pipeline import ground_truth as known
    from pozytywka_cli.records import Evaluated

    shared, families = context(ctx), chosen(family)
    settings = options.applied(ctx, shared.settings, families)
    if planted and (until or scrobbles or artists or curve or plot):
        others = "--until, --scrobbles, --artists, --curve and --plot"
        raise UsageError("--planted makes its own data", f"Leave out {others}.")
    if curve and families != ["similar"]:
        raise UsageError("--curve is for similar alone", "Write `pozytywka evaluate similar --curve`.")
    if curve and (fixed := [flag for flag, value in (("--factors", factors), ("--iterations", iterations)) if value]):
        raise UsageError(f"--curve goes over {' and '.join(fixed)}", f"Leave out {' and '.join(fixed)}, or --curve.")
    if plot:
        plots.check(plot)
    where = device(families, gpu=gpu)
    given = datasets.scrobbles(shared, families, scrobbles, artists, until)
    source = None if planted else given or datasets.dataset(shared, until)
    with shared.console.progress() as report:
        if planted:
            found, refused = known.evaluate(families, settings, seed=seed, device=where, report=report)
            evaluated = {name: Evaluated(rows) for name, rows in found.items()}
        else:
            evaluated, refused = evaluate_all(
                families, source, settings, curve=curve, seed=seed, device=where, report=report
            )
        panels = [panel for measured in evaluated.values() for panel in measured.panels()] if plot else []
    rows = [row for measured in evaluated.values() for row in measured.rows]
    if rows or not refused:
        _print(rows, json=json)
    for note in (note for measured in evaluated.values() for note in measured.notes):
        shared.console.info(note)
    if plot and panels:
        plots.draw(panels, plot, f"pozytywka evaluate {' '.join(families)}")
        shared.console.info(f"Wrote {plot}.")
    raise_any(refused)


def _print(rows: "list[Row]", *, json: bool) -> None:
    from pozytywka_cli.commands import tables

    if json:
        tables.json_object("evaluate", rows)
        return
    columns = ("family", "variant", "protocol", "metric", "value", "low", "high")
    tables.table("", columns, ([getattr(row, column) for column in columns] for row in rows))
