"""`pozytywka experiment assign` and `analyze`: expose units to arms, and compare what they did."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context
from pozytywka_cli.commands.experiment_data import At, Name, connected, moment_of, plays_of
from pozytywka_cli.errors import RefusedError, UsageError

LOOKS = 40  # of a chart, at most
FromLog = Annotated[bool, typer.Option("--from-log", help="Take them from the plays; see above.")]


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
    with connected(shared) as engine:
        from pozytywka_cli.experiments import lifecycle, play_outcomes, recording

        stored = lifecycle.require_running(lifecycle.load(engine, name))
        if from_log:
            count = play_outcomes.expose_players(engine, stored, plays_of(shared, stored.experiment.unit))
            shared.console.info(f"Exposed {count:,} units to {name}.")
            return
        named = [line.rstrip("\r\n") for unit in units or [] for line in (sys.stdin if unit == "-" else [unit])]
        arms = recording.expose(engine, stored, named, moment_of(at))
    rows = [{"unit": unit, "arm": one} for unit, one in zip(named, arms, strict=True)]
    if json:
        tables.json_object("experiment assign", rows)
    else:
        tables.table("", ("unit", "arm"), [row.values() for row in rows])


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

    shared = context(ctx)
    if plot:
        plots.check(plot)
    with connected(shared) as engine, shared.console.progress() as report:
        from pozytywka_cli.experiments import analysis as analyses
        from pozytywka_cli.experiments import charts, lifecycle, play_outcomes

        stored = lifecycle.load(engine, name)
        if from_log:
            count = play_outcomes.log_plays(engine, stored, plays_of(shared, stored.experiment.unit))
            shared.console.info(f"Logged {count:,} outcomes from the plays.")
        found = analyses.analyze(engine, stored)
        looks = analyses.over_time(engine, stored, LOOKS, report) if plot else []
    if json:
        tables.json_object("experiment analyze", **analyses.results(stored, found))
    else:
        experiment_tables.analysis(stored.experiment, found)
    if plot:
        plots.draw(charts.panels(looks), plot, f"pozytywka experiment analyze {name}")
        shared.console.info(f"Wrote {plot}.")
    if found.is_mismatched:
        problem = f"sample-ratio mismatch in {name!r}: p = {found.sample_ratio_p_value:.2g}"
        raise RefusedError(problem, "Do not use the effects; find out which units are missing or added in one arm.")
