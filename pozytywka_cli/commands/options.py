"""Options that several commands share, and the settings that they assign."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pozytywka_cli.errors import UsageError

if TYPE_CHECKING:
    from pozytywka_cli.families.family import Family
    from pozytywka_cli.settings import Assigned


def complete_family(incomplete: str) -> list[str]:
    """Complete the name of a family."""
    from pozytywka_cli.families import registry

    return [name for name in registry.names() if name.startswith(incomplete)]


def complete_variant(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete a variant of the families on the command line."""
    from pozytywka_cli.families import registry

    families = registry.chosen(ctx.params.get("family"))
    return [name for family in families for name in family.variants if name.startswith(incomplete)]


def complete_version(ctx: typer.Context, incomplete: str) -> list[str]:
    """Complete a version of the family on the command line."""
    from pozytywka_cli.commands.context import Context

    options = ctx.find_root().params
    flags = {"artifacts_dir": options.get("artifacts_dir")}
    store = Context(options.get("config"), flags, verbose=False, quiet=True).store
    return [name for name in store.names(ctx.params.get("family") or "") if name.startswith(incomplete)]


def moment(text: str | None, flag: str = "--until") -> datetime | None:
    """Parse a date or time as UTC, or raise a UsageError."""
    if text is None:
        return None
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        problem = f"{flag} {text!r} is not a date"
        raise UsageError(problem, "Write it as 2024-11-26 or 2024-11-26T12:00:00.") from None


def device(families: "list[Family]", *, gpu: bool) -> str:
    """Return "cpu", or with `gpu` "cuda"; an UnavailableError if the libraries of a family cannot use a GPU."""
    for family in families if gpu else ():
        family.require_gpu()
    return "cuda" if gpu else "cpu"


READ_BY_PREDICTION = ("weekly.horizon",)


def assigned(
    overrides: list[str] | None,
    trained: Collection[str] | None = None,
    flags: Mapping[str, object] | None = None,
    readable: Collection[str] = READ_BY_PREDICTION,
) -> "list[Assigned]":
    """Return the settings that a command line assigns, by --set and by `flags` (values by key, None if absent).

    `trained` names the families that the command trains; None if it only predicts, which reads only the `readable`
    settings of families.

    Raises:
        UsageError: one is malformed, belongs to a family that the command does not run, or was fixed in training.
    """
    from pozytywka_cli.families import registry
    from pozytywka_cli.settings import Assigned, General, parse_override

    values = {key: value for key, value in (flags or {}).items() if value is not None}
    settings = [parse_override(text) for text in overrides or []]
    settings += [Assigned(key, value, f"--{key.rpartition('.')[2]}") for key, value in values.items()]
    for setting in (setting for setting in settings if setting.key.rpartition(".")[0] in registry.names()):
        family = setting.key.rpartition(".")[0]
        name = f"--set {setting.key}" if setting.source == "--set" else setting.source
        if trained is None and setting.key not in readable:
            known = ", ".join([*readable, *General.__struct_fields__])
            hint = f"Use it with `pozytywka train {family}`; settings that this command reads: {known}."
            raise UsageError(f"{name}: fixed when a version of {family} is trained", hint)
        if trained is not None and family not in trained:
            raise UsageError(f"{name} only applies to {family}", f"Name {family}, or leave out {name}.")
    return settings


Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FAMILY.KEY=VALUE", help="Override a setting; repeatable, see `pozytywka settings`."),
]
Measure = Annotated[
    Literal["total", "mean"] | None,
    typer.Option(metavar="total|mean", help="weekly: forecast an artist's total listening, or the mean of one play."),
]
Horizon = Annotated[int | None, typer.Option(metavar="H", min=1, max=13, help="weekly: weeks to forecast ahead.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Families = Annotated[
    list[str] | None,
    typer.Argument(metavar="FAMILY", help="Model families; all if none.", autocompletion=complete_family),
]
DataDir = Annotated[Path | None, typer.Argument(metavar="DIR", help="The data folder; default: --data-dir.")]
Gpu = Annotated[bool, typer.Option("--gpu", help="Compute on the GPU; exit 5 if there is none.")]
Until = Annotated[str | None, typer.Option(metavar="DATE", help="Use only events before this date or time (UTC).")]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The seed of all random numbers.")]
Scrobbles = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="similar: a CSV of user_id,artist_id,scrobbles in place of plays."),
]
Artists = Annotated[
    Path | None, typer.Option(metavar="FILE", help="similar: a CSV of artist_id,artist_name, or the same file.")
]
