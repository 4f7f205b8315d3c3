"""`pozytywka validate`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context
from pozytywka_cli.errors import RefusedError


def validate(
    ctx: typer.Context,
    folder: options.DataDir = None,
    report: Annotated[
        list[str] | None, typer.Option(metavar="FMT=PATH", help="Write html=PATH or junit=PATH; may be repeated.")
    ] = None,
    quarantine: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Set bad lines apart here, and good ones as Parquet.")
    ] = None,
    fail_on: Annotated[
        Literal["error", "warning", "never"], typer.Option(help="The level of violation that makes this exit 3.")
    ] = "error",
    max_bad: Annotated[str, typer.Option(metavar="N|N%", help="How many bad lines a table may have.")] = "0",
    json: options.Json = False,
) -> None:
    """Hold the five tables to every rule, and show every rule that is broken, where and how often.

    Reads users, artists, tracks, sessions and track_storage from the data folder: .jsonl, .jsonl.gz or .parquet, one
    file or many. Writes nothing but the reports and the quarantine asked for. `pozytywka schema` lists the rules.

    \b
    Examples:
      pozytywka validate
      pozytywka validate logs --max-bad 0.1% --quarantine quarantine
      pozytywka validate --report html=report.html --report junit=report.xml --fail-on warning
    """
    from pozytywka_cli.commands import reports, tables
    from pozytywka_cli.dataset import quarantine as apart
    from pozytywka_cli.dataset.report import MaxBad, failures
    from pozytywka_cli.dataset.validate import check

    shared, allowed = context(ctx), MaxBad.parse(max_bad)
    wanted = [reports.parse(text) for text in report or []]
    with shared.console.progress() as step:
        checked = check(shared.data(folder), facts=json or bool(wanted), report=step)
    for kind, path in wanted:
        reports.write(kind, path, checked)
    if quarantine:
        apart.write(checked, quarantine)
    reasons = failures(checked, fail_on, allowed)
    if json:
        tables.json_object("validate", checked.violations, profile=[fact._asdict() for fact in checked.profile])
    else:
        columns = ("table", "rule", "column", "level", "count", "examples")
        rows = [(v.table, v.rule, v.column, v.level, v.count, reports.places(v)) for v in checked.violations]
        if rows and not (shared.console.quiet and not reasons):
            tables.table("", columns, rows)
    bad = sum(map(len, map(checked.bad, checked.readings)))
    if reasons:
        raise RefusedError("; ".join(reasons), _next(quarantine, bad))
    lines, tables = sum(reading.lines for reading in checked.readings.values()), len(checked.readings)
    allowed_bad = f"{bad:,} of {lines:,} lines in {tables} tables are bad, which is allowed."
    shared.console.info(allowed_bad if bad else f"{lines:,} lines in {tables} tables are sound.")


def _next(quarantine: Path | None, bad: int) -> str:
    if not bad:
        return "Check --data-dir; `pozytywka schema` lists the tables."
    return f"The bad lines are in {quarantine / 'bad'}." if quarantine else "Set bad lines apart with --quarantine DIR."
