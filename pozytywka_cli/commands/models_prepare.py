"""`pozytywka models prepare`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import Context, context
from pozytywka_cli.errors import PozytywkaError, RefusedError

if TYPE_CHECKING:
    from pozytywka_cli.artifacts import Version
    from pozytywka_cli.dataset.loading import Dataset


def prepare(
    ctx: typer.Context,
    family: Annotated[
        str | None,
        typer.Argument(metavar="FAMILY", help="Default: all families.", autocompletion=options.complete_family),
    ] = None,
    version: Annotated[
        str | None,
        typer.Argument(
            metavar="VERSION",
            help="A version, its beginning or end, or a variant.  [default: the promoted one]",
            autocompletion=options.complete_version,
        ),
    ] = None,
) -> None:
    """Compute what the promoted versions need to answer single requests at once, as a service does.

    `train` and `predict` without INPUT do this where the data have changed. Reads the promoted versions, the data
    folder, and artifacts/plays.parquet, which it makes where missing or stale. Writes
    artifacts/FAMILY/prepared/VERSION/, in the place of what was there before.

    \b
    Examples:
      pozytywka models prepare
      pozytywka models prepare skip
      pozytywka models prepare skip logistic
    """
    from pozytywka_cli.commands import datasets
    from pozytywka_cli.pipeline import online
    from pozytywka_cli.pipeline.predict import promoted
    from pozytywka_cli.pipeline.versions import named

    shared = context(ctx)
    found = {family: named(shared.store, family, version)} if family else promoted(shared.store, None)
    for name, one in found.items():
        if obstacle := online.obstacle(one):
            if family:
                raise RefusedError(obstacle, f"`pozytywka predict {name}` answers with it.")
            shared.console.info(f"Not prepared: {obstacle}.")
    able = [one for one in found.values() if online.can_prepare(one)]
    if able:
        dataset = datasets.dataset(shared)
        for one in able:
            online.prepare(one, dataset)
            _report(shared, one)


def refresh(shared: Context, families: Iterable[str], dataset: "Dataset") -> None:
    """Prepare the promoted versions of families that are not yet prepared from this dataset.

    One that cannot be, as with too little data for its forecasts, is a warning.
    """
    from pozytywka_cli.pipeline import online

    for family in families:
        try:
            for version in online.refresh(shared.store, [family], dataset):
                _report(shared, version)
        except PozytywkaError as error:
            shared.console.warn(f"{family} is not prepared to answer single requests: {error.message}")


def _report(shared: Context, version: "Version") -> None:
    shared.console.info(f"Prepared {version.manifest.family} {version.name} to answer single requests at once.")
