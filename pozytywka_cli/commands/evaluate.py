"""`pozytywka evaluate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import Context, context
from pozytywka_cli.errors import UsageError, raise_any

if TYPE_CHECKING:
    from pozytywka_cli.families.family import Evaluated

GRID = ("similar.factors", "similar.iterations")  # settings that --curve varies


def evaluate(
    ctx: typer.Context,
    family: options.Families = None,
    gpu: options.Gpu = False,
    until: options.Until = None,
    seed: options.Seed = 0,
    measure: options.Measure = None,
    horizon: options.Horizon = None,
    scrobbles: options.Scrobbles = None,
    artists: options.Artists = None,
    overrides: options.Set = None,
    planted: Annotated[bool, typer.Option("--planted", help="Measure on generated data whose truth is known.")] = False,
    curve: Annotated[
        bool, typer.Option("--curve", help="similar: measure quality against cost, over factors and iterations.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Draw the results: a .png, .svg, .pdf or .html.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write one row for each metric: a .parquet or .csv.")
    ] = None,
    jobs: Annotated[
        int, typer.Option(metavar="N", min=1, max=1024, help="skip: fit the models of N splits at a time.")
    ] = 1,
    json: options.Json = False,
) -> None:
    """Compare every variant with the baselines on held-out data.

    Reads the data folder and artifacts/plays.parquet, which it makes where missing or stale. Writes only the files of
    -o and --plot.

    Prints a table for each protocol: the default variant first, the others from best to worst. ↓ marks metrics of which
    less is better, ↑ more, → a target; the best value is bold on a terminal. Intervals are 95 % intervals over users
    (skip, similar, recommend) or artists (weekly), by the jackknife with Student's t; of a single one they are unknown.
    "vs VARIANT" is the difference from the default variant (recommend: from popular) with its p-value.

    "validation" is what train chooses the variant by that serves: a part of the data before what is tested.

    skip is measured on the latest plays and by user, weekly on the last weeks, similar on a random fifth of every
    user's artists in four splits (split 0 chose its default settings) and, in-sample, by the old system's metric,
    which rewards memorizing. recommend is measured on the tracks that users play to the end in the last 30 days:
    tracks that are new to them, all tracks, and the next one; and on what variety costs, and on the skips to
    expect. --planted needs no data: it generates some, and shows how close each variant comes to the best possible
    value. --curve trains similar with 15 settings, and measures quality, training time and lookup time.

    \b
    Examples:
      pozytywka evaluate
      pozytywka evaluate skip --jobs 2
      pozytywka evaluate skip --planted
      pozytywka evaluate skip --plot skip.png
      pozytywka evaluate weekly --horizon 4 --set weekly.test_weeks=13 -o weekly.csv
      pozytywka evaluate similar --curve --plot curve.png
      pozytywka evaluate weekly --json | jq '.rows[] | select(.metric == "rmse")'
    """
    from pozytywka_cli import plots
    from pozytywka_cli.commands import datasets
    from pozytywka_cli.commands import outputs as out
    from pozytywka_cli.families import registry
    from pozytywka_cli.families.capabilities import Tradeoff
    from pozytywka_cli.pipeline import evaluate as pipeline

    shared, families = context(ctx), registry.chosen(family)
    names = [family.name for family in families]
    assigned = options.assigned(overrides, names, {"weekly.measure": measure, "weekly.horizon": horizon})
    shared.override(assigned)
    if planted and (until or scrobbles or artists or curve or plot):
        hint = "Leave out --until, --scrobbles, --artists, --curve and --plot."
        raise UsageError("--planted generates its own data", hint)
    if curve:
        for one in families:
            pipeline.capable(one, Tradeoff, "--curve")
        if fixed := [setting.key for setting in assigned if setting.key in GRID]:
            raise UsageError(f"--curve varies {' and '.join(fixed)}", "Leave out --set for them, or --curve.")
    if plot:
        plots.check(plot)
    out.check_target(output, shared.data(), (".parquet", ".csv"))
    device = options.device(families, gpu=gpu)
    with shared.console.progress() as progress:
        runs = pipeline.runs(
            families, shared.settings, shared.store, seed=seed, device=device, progress=progress, jobs=jobs
        )
        if planted:
            evaluation = pipeline.evaluate_ground_truth(families, runs, seed=seed)
        else:
            dataset = datasets.scrobbles(shared, names, scrobbles, artists, until) or datasets.dataset(shared, until)
            evaluation = pipeline.evaluate(families, dataset, runs, tradeoff=curve)
        panels = [panel for result in evaluation.evaluated.values() for panel in result.panels()] if plot else []
    _deliver(shared, evaluation.evaluated, output, json=json)
    if plot and panels:
        plots.draw(panels, plot, f"pozytywka evaluate {' '.join(names)}")
        shared.console.info(f"Wrote {plot}.")
    raise_any(evaluation.errors)


def _deliver(shared: Context, evaluated: "dict[str, Evaluated]", output: Path | None, *, json: bool) -> None:
    """Write and print the rows of all families, and report their notes."""
    import polars as pl
    from msgspec import structs

    from pozytywka_cli.commands import evaluation_table, tables
    from pozytywka_cli.commands import outputs as out
    from pozytywka_cli.families import registry
    from pozytywka_cli.records import Row

    rows = [row for result in evaluated.values() for row in result.rows]
    if output:
        schema = {field.name: pl.String() if field.type is str else pl.Float64() for field in structs.fields(Row)}
        out.write_frame(pl.DataFrame([structs.asdict(row) for row in rows], schema=schema), output)
        shared.console.info(f"Wrote {output}: {len(rows):,} rows.")
    if json:
        tables.json_object("evaluate", rows)
    for name, result in evaluated.items() if not (json or output) else ():
        evaluation_table.report(registry.get(name), result.rows, shared.store)
    for note in (note for result in evaluated.values() for note in result.notes):
        shared.console.info(note)
