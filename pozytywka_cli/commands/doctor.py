"""`pozytywka doctor`."""

from typing import Annotated, Literal

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import context


def doctor(
    ctx: typer.Context,
    require: Annotated[
        Literal["gpu"] | None, typer.Option(help="Exit 5 unless train --gpu can compute on a GPU.")
    ] = None,
    json: options.Json = False,
) -> None:
    """Say what this machine can do, what is missing, and how to get it.

    Looks at the processor, memory and threads, the GPU with all that torch and implicit need to compute on it, the
    extras, the data folder and artifacts/; trains and writes nothing. What is missing need not be wrong: each line
    says what it would take.

    \b
    Examples:
      pozytywka doctor
      pozytywka doctor --require gpu && pozytywka train --gpu
      pozytywka doctor --json | jq '.rows[] | select(.found == null)'
    """
    from pozytywka_cli.commands import tables
    from pozytywka_cli.doctor import contents, cuda, machine

    shared = context(ctx)
    findings = [
        *machine.machine(),
        *cuda.cuda(),
        *contents.extras(),
        *contents.data(shared.data()),
        *contents.artifacts(shared.artifacts, shared.plays),
    ]
    if json:
        tables.json_object("doctor", [finding._asdict() for finding in findings])
    else:
        rows = ((one.area, one.name, one.found or f"missing. {one.hint}") for one in findings)
        tables.table("", ("area", "name", "found"), rows)
    if require:
        cuda.require(findings)
