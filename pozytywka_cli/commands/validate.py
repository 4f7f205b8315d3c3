"""`pozytywka validate`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context


def validate(
    ctx: typer.Context,
    folder: options.DataDir = None,
    report: Annotated[
        list[str] | None, typer.Option(metavar="FMT=PATH", help="Write html=PATH or junit=PATH; may be repeated.")
    ] = None,
    quarantine: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write bad lines here, and good ones as Parquet.")
    ] = None,
    fail_on: Annotated[
        Literal["error", "warning", "never"], typer.Option(help="The level of violation that makes this exit 3.")
    ] = "error",
    max_bad: Annotated[str, typer.Option(metavar="N|N%", help="How many bad lines a table may have.")] = "0",
    json: options.Json = False,
) -> None:
    """Check the five tables against every rule and list all violations.

    Reads users, artists, tracks, sessions and track_storage from the data folder: .jsonl, .ndjson or .parquet, the text
    formats also as .gz, .zst or .bz2, each table as one file or many. Files that look like data but are not read are
    listed. Writes only the reports and the quarantine that are named. `pozytywka schema` lists the rules.

    \b
    Examples:
      pozytywka validate
      pozytywka validate logs --max-bad 0.1% --quarantine quarantine
      pozytywka validate --report html=report.html --report junit=report.xml --fail-on warning
    """
    from pozytywka_cli import files
    from pozytywka_cli.commands import reports, tables
    from pozytywka_cli.dataset import quarantine as quarantined
    from pozytywka_cli.dataset.tables import RULES
    from pozytywka_cli.dataset.validate import check, parse_max_bad, raise_failures

    shared, allowed = context(ctx), parse_max_bad(max_bad)
    wanted = [reports.parse(text) for text in report or []]
    with shared.console.progress() as step:
        checked = check(shared.data(folder), columns=shared.columns, facts=json or bool(wanted), report=step)
    for render, path in wanted:
        files.write_text(path, render(checked))
    if quarantine:
        quarantined.write(checked, quarantine)
    if json:
        tables.json_object("validate", checked.violations, profile=[fact._asdict() for fact in checked.profile])
    elif checked.violations and not shared.console.quiet:
        columns = ("table", "rule", "column", "level", "count", "examples")
        found = [(v.table, v.rule, v.column, v.level, v.count, list(map(str, v.examples))) for v in checked.violations]
        tables.table("Violations", columns, found)
        broken = {violation.rule for violation in checked.violations}
        tables.table("Rules", ("rule", "meaning"), [(name, RULES[name].meaning) for name in RULES if name in broken])
    raise_failures(checked, fail_on, allowed, quarantine)
    total = f"{checked.lines:,} lines in {len(checked.readings)} tables"
    bad = f"{checked.bad_lines:,} of {total} are bad, which is allowed."
    shared.console.info(bad if checked.bad_lines else f"{total} are valid.")
