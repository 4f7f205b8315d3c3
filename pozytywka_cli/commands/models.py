"""`pozytywka models`: list, show, verify, promote, roll back, prepare and prune trained models."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from pozytywka_cli.commands import options
from pozytywka_cli.commands.context import Context, context
from pozytywka_cli.commands.models_prepare import prepare
from pozytywka_cli.errors import ArtifactError, raise_any
from pozytywka_cli.records import VALIDATION

if TYPE_CHECKING:
    from pozytywka_cli.artifacts import Manifest
    from pozytywka_cli.families.family import Family

app = typer.Typer(
    help="List, show, verify, promote, roll back, prepare and prune trained models.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

family_argument = partial(typer.Argument, metavar="FAMILY", autocompletion=options.complete_family)
version_argument = partial(typer.Argument, metavar="VERSION", autocompletion=options.complete_version)
Name = Annotated[str, family_argument(help="Name of a model family.")]
AnyName = Annotated[str | None, family_argument(help="Default: all families.")]
Version = Annotated[str, version_argument(help="Name of a version, or its beginning or end.")]
AnyVersion = Annotated[str | None, version_argument(help="Default: the promoted version.")]


@app.command("list")
def list_(ctx: typer.Context, family: AnyName = None, json: options.Json = False) -> None:
    """List all versions with their headline metric beside the baseline's.

    Predictions use the promoted version of each family. With --json all metrics are printed.

    Reads the manifests in artifacts/.

    \b
    Examples:
      pozytywka models list
      pozytywka models list skip --json
    """
    from pozytywka_cli.commands import tables

    shared = context(ctx)
    families = _families(shared, family)
    if json:
        tables.json_object("models list", [row for one in families for row in _metric_rows(shared, one)])
    elif families:
        columns = ("family", "version", "variant", "promoted", "created", "metric", "value", "baseline")
        tables.table("", columns, (row for one in families for row in _version_rows(shared, one)))
    else:
        shared.console.info("There are no models yet. Train them: `pozytywka train`.")


@app.command()
def show(ctx: typer.Context, family: Name, version: AnyVersion = None, json: options.Json = False) -> None:
    """Show the card of a version: data, test, metrics, use and limits; with --json its manifest.

    Reads the version's folder in artifacts/, and checks the hashes of all its files.

    \b
    Examples:
      pozytywka models show skip
      pozytywka models show similar 1f3a9c2b --json
    """
    from pozytywka_cli.artifacts.decoding import decoding
    from pozytywka_cli.commands import tables
    from pozytywka_cli.commands.console import literal

    loaded = context(ctx).store.load(_known(family).name, version)
    if json:
        tables.json_object("models show", [loaded.manifest])
    else:
        card = loaded.path("card.md")
        with decoding(card):
            text = card.read_text(encoding="utf-8")
        typer.echo(literal(text), nl=False)


@app.command()
def verify(ctx: typer.Context, family: AnyName = None, json: options.Json = False) -> None:
    """Check every file of every version against the hashes in its manifest; exit 4 if one is damaged.

    Reads everything in artifacts/.

    \b
    Examples:
      pozytywka models verify
    """
    from pozytywka_cli.commands import tables

    shared = context(ctx)
    rows = [
        {"family": one.name, "version": version, "problem": problem}
        for one in _families(shared, family)
        for version, problem in shared.store.verified(one.name)
    ]
    if not rows:
        raise ArtifactError(f"there are no versions in {shared.artifacts}", "Train some: `pozytywka train`.")
    if json:
        tables.json_object("models verify", rows)
    if problems := [str(row["problem"]) for row in rows if row["problem"]]:
        hint = "Promote an undamaged version (`pozytywka models promote`), then remove the folders of damaged ones."
        raise ArtifactError("; ".join(problems), hint)
    shared.console.info(f"{_counted(len(rows))} verified.")


@app.command()
def promote(ctx: typer.Context, family: Name, version: Version) -> None:
    """Promote a version: predictions use it from now on.

    Checks the hashes of its files, and changes the link artifacts/FAMILY/current.

    \b
    Examples:
      pozytywka models promote skip 20261121T030000Z-1f3a9c2b
    """
    shared = context(ctx)
    with shared.store.lock():
        name = shared.store.promote(_known(family).name, version)
    shared.console.info(f"Promoted {family} {name}.")


@app.command()
def rollback(ctx: typer.Context, family: Name) -> None:
    """Promote the version again that was promoted before the present one.

    Checks the hashes of its files, and changes the link artifacts/FAMILY/current.

    \b
    Examples:
      pozytywka models rollback skip
    """
    shared = context(ctx)
    with shared.store.lock():
        name = shared.store.rollback(_known(family).name)
    shared.console.info(f"Rolled {family} back to {name}.")


app.command()(prepare)


@app.command()
def prune(
    ctx: typer.Context,
    family: AnyName = None,
    keep: Annotated[int, typer.Option(min=0, help="How many of the newest versions of each family to keep.")] = 5,
) -> None:
    """Remove old versions, and what killed runs have left; the promoted version is always kept.

    Where no version of a family is promoted, none of it is removed. Deletes folders in artifacts/FAMILY/versions/, and
    temporary files in artifacts/ that no running process writes; what was prepared for removed versions goes too.

    \b
    Examples:
      pozytywka models prune --keep 3
    """
    from pozytywka_cli.pipeline import each

    shared = context(ctx)
    with shared.store.lock():
        removed, errors = each(_families(shared, family), lambda one: shared.store.prune(one.name, keep))
    for name, versions in removed.items():
        why = "" if shared.store.promoted(name) else ": none is promoted"
        shared.console.info(f"{name}: {_counted(len(versions))} removed{why}.")
    raise_any(errors)


def _metric_rows(shared: Context, family: "Family") -> Iterator[dict[str, object]]:
    """Yield a row for each metric of each version; for a damaged version one without a metric."""
    promoted = shared.store.promoted(family.name)
    for version, made in _manifests(shared, family):
        known: dict[str, object] = {"family": family.name, "variant": made and made.variant, "version": version}
        known |= {"promoted": version == promoted, "created": made and made.created}
        for row in [row for row in made.metrics if row.variant == made.variant] if made else [None]:
            yield {**known, **{name: row and getattr(row, name) for name in ("protocol", "metric", "value")}}


def _version_rows(shared: Context, family: "Family") -> Iterator[tuple[object, ...]]:
    """Yield a row for each version, with its value of the headline metric and the baseline's."""
    headline, metric = next(iter(family.metrics.items()))
    promoted = shared.store.promoted(family.name)
    for version, made in _manifests(shared, family):
        variant, date = (made.variant, made.created[:10]) if made else ("damaged", None)
        tested = [row for row in made.metrics if row.protocol != VALIDATION] if made else []
        values = {row.variant: row.value for row in tested if row.metric == headline}
        shown = (metric.label, values.get(variant), values.get(family.baseline))
        yield family.name, version, variant, "yes" if version == promoted else "", date, *shown


def _manifests(shared: Context, family: "Family") -> Iterator[tuple[str, "Manifest | None"]]:
    """Yield each version with its manifest; a damaged one with a warning and without its manifest."""
    for version in shared.store.names(family.name):
        try:
            yield version, shared.store.manifest(family.name, version)
        except ArtifactError as error:
            if version not in shared.store.names(family.name):
                continue  # another run has pruned it meanwhile
            shared.console.warn(f"{error.message}. {error.hint}")
            yield version, None


def _counted(versions: int) -> str:
    return f"{versions} version{'' if versions == 1 else 's'}"


def _known(family: str) -> "Family":
    from pozytywka_cli.families import registry

    return registry.get(family)


def _families(shared: Context, family: str | None) -> "list[Family]":
    """Return the named family, or all families with at least one version."""
    from pozytywka_cli.families import registry

    return [_known(family)] if family else [one for one in registry.chosen(None) if shared.store.names(one.name)]
