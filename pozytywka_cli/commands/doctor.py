"""`pozytywka doctor`."""

from typing import Annotated, Literal

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context


def doctor(
    ctx: typer.Context,
    require: Annotated[Literal["gpu"] | None, typer.Option(help="Exit 5 unless `train --gpu` works here.")] = None,
    json: options.Json = False,
) -> None:
    """Check this machine: CPU, memory, GPU, extras, data, models.

    Reads the data folder and artifacts/, and writes nothing. Most of it is optional: where something is missing, its
    line says how to get it.

    \b
    Examples:
      pozytywka doctor
      pozytywka doctor --require gpu && pozytywka train --gpu
      pozytywka doctor --json | jq '.rows[] | select(.found == null)'
    """
    from pozytywka_cli import doctor as checks
    from pozytywka_cli.commands import tables

    shared = context(ctx)
    findings = [*checks.machine(), *checks.gpu(), *checks.extras(), *checks.data(shared.data())]
    findings += checks.artifacts(shared.artifacts, shared.plays)
    if json:
        tables.json_object("doctor", [finding._asdict() for finding in findings])
    else:
        rows = ((one.area, one.name, one.found or f"missing. {one.hint}") for one in findings)
        tables.table("", ("area", "name", "found"), rows)
    if require:
        checks.require_gpu(findings)
