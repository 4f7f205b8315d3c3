"""`pozytywka models`: what was trained, what serves, and the decisions about it."""

from typing import Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import Context, context
from pozytywka_cli.errors import ArtifactError

app = typer.Typer(
    help="List, show, verify, promote, roll back and prune trained models.", no_args_is_help=True, rich_markup_mode=None
)

Family = Annotated[
    str,
    typer.Argument(metavar="FAMILY", help="skip, weekly or similar.", autocompletion=options.complete_family),
]
AnyFamily = Annotated[
    str | None, typer.Argument(metavar="FAMILY", help="All if none.", autocompletion=options.complete_family)
]
Version = Annotated[
    str,
    typer.Argument(metavar="VERSION", help="Its name, beginning or end.", autocompletion=options.complete_version),
]
AnyVersion = Annotated[
    str | None,
    typer.Argument(metavar="VERSION", help="Default: the one that serves.", autocompletion=options.complete_version),
]


@app.command("list")
def list_(ctx: typer.Context, family: AnyFamily = None, json: options.Json = False) -> None:
    """List every version with its figures, and which one serves.

    Reads the manifests under artifacts/.

    \b
    Examples:
      pozytywka models list
      pozytywka models list skip --json
    """
    from pozytywka_cli.commands import tables

    shared = context(ctx)
    rows = [
        row
        for name in _families(ctx, family)
        for version in shared.store.names(name)
        for row in _figures(shared, name, version)
    ]
    if json:
        tables.json_object("models list", rows)
    elif rows:
        tables.table("", list(rows[0]), (row.values() for row in rows))
    else:
        context(ctx).console.info("There are no models yet; make them with `pozytywka train`.")


@app.command()
def show(ctx: typer.Context, family: Family, version: AnyVersion = None, json: options.Json = False) -> None:
    """Show a version's card, or with --json its whole manifest.

    Reads the version's folder under artifacts/, after checking its hashes.

    \b
    Examples:
      pozytywka models show skip
      pozytywka models show similar 1f3a9c2b --json
    """
    from pozytywka_cli.commands import tables
    from pozytywka_cli.commands.console import literal

    found = context(ctx).store.load(_known(family), version)
    if json:
        tables.json_object("models show", [found.manifest])
    else:
        typer.echo(literal((found.folder / "card.md").read_text(encoding="utf-8")), nl=False)


@app.command()
def verify(ctx: typer.Context, family: AnyFamily = None, json: options.Json = False) -> None:
    """Hash every file of every version and compare it with its manifest; exit 4 if one is damaged.

    Reads everything under artifacts/.

    \b
    Examples:
      pozytywka models verify
    """
    from pozytywka_cli.commands import tables

    shared = context(ctx)
    rows = [
        {"family": name, "version": version, "problem": problem}
        for name in _families(ctx, family)
        for version, problem in shared.store.verified(name)
    ]
    if not rows:
        raise ArtifactError(f"there are no versions in {shared.artifacts}", "Make them with `pozytywka train`.")
    damaged = [row for row in rows if row["problem"]]
    if json:
        tables.json_object("models verify", rows)
    if damaged:
        raise ArtifactError(
            "; ".join(str(row["problem"]) for row in damaged),
            "Promote a whole version, and remove the damaged one's folder.",
        )
    shared.console.info(f"{len(rows)} versions are whole.")


@app.command()
def promote(ctx: typer.Context, family: Family, version: Version) -> None:
    """Let a version serve.

    Moves artifacts/FAMILY/current, after checking the version's hashes.

    \b
    Examples:
      pozytywka models promote skip 20261121T030000Z-1f3a9c2b
    """
    shared = context(ctx)
    with shared.store.lock():
        name = shared.store.promote(_known(family), version)
    shared.console.info(f"{family} {name} serves.")


@app.command()
def rollback(ctx: typer.Context, family: Family) -> None:
    """Let the version that served before serve again.

    Moves artifacts/FAMILY/current.

    \b
    Examples:
      pozytywka models rollback skip
    """
    shared = context(ctx)
    with shared.store.lock():
        name = shared.store.rollback(_known(family))
    shared.console.info(f"{family} {name} serves again.")


@app.command()
def prune(
    ctx: typer.Context,
    family: AnyFamily = None,
    keep: Annotated[int, typer.Option(help="How many of the newest versions of each family to keep.")] = 5,
) -> None:
    """Remove old versions; the one that serves stays.

    Deletes folders under artifacts/FAMILY/versions/.

    \b
    Examples:
      pozytywka models prune --keep 3
    """
    shared = context(ctx)
    with shared.store.lock():
        for name in _families(ctx, family):
            gone = shared.store.prune(name, keep)
            shared.console.info(f"{name}: {len(gone)} versions removed.")


def _figures(shared: Context, family: str, version: str) -> list[dict[str, object]]:
    """A row for each figure of a version; a damaged one has a row without figures, and a warning."""
    known: dict[str, object] = {"family": family, "variant": None, "version": version}
    known |= {"promoted": version == shared.store.serving(family), "created": None}
    try:
        made = shared.store.manifest(family, version)
    except ArtifactError as error:
        shared.console.warn(f"{error.message}. {error.hint}")
        return [{**known, "metric": "damaged", "value": None}]
    known |= {"variant": made.variant, "created": made.created}
    own = [row for row in made.metrics if row.variant == made.variant]
    return [{**known, "metric": f"{row.protocol}: {row.metric}", "value": row.value} for row in own]


def _known(family: str) -> str:
    from pozytywka_cli.families.registry import chosen

    return chosen([family])[0]


def _families(ctx: typer.Context, family: str | None) -> list[str]:
    from pozytywka_cli.families.registry import FAMILIES

    return [_known(family)] if family else [name for name in FAMILIES if context(ctx).store.names(name)]
