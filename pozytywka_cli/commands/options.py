"""Options that several commands share, written once."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pozytywka_cli.errors import UsageError

if TYPE_CHECKING:
    from pozytywka_cli.settings import Settings


def complete_family(incomplete: str) -> list[str]:
    """Shell completion of a family."""
    from pozytywka_cli.families.registry import FAMILIES

    return [name for name in FAMILIES if name.startswith(incomplete)]


def complete_variant(ctx: typer.Context, incomplete: str) -> list[str]:
    """Shell completion of a variant of the families that stand before it."""
    from pozytywka_cli.families.registry import chosen, variants

    return [
        name for family in chosen(ctx.params.get("family")) for name in variants(family) if name.startswith(incomplete)
    ]


def complete_version(ctx: typer.Context, incomplete: str) -> list[str]:
    """Shell completion of a version of the family that stands before it."""
    from pozytywka_cli import settings
    from pozytywka_cli.artifacts import Store

    given = ctx.find_root().params
    flags = {"artifacts_dir": str(given["artifacts_dir"]) if given.get("artifacts_dir") else None}
    store = Store(Path(settings.load(given.get("config"), flags).artifacts_dir))
    return [name for name in store.names(ctx.params.get("family") or "") if name.startswith(incomplete)]


def moment(text: str | None) -> datetime | None:
    """A date or time as UTC.

    Raises:
        UsageError: it is neither.
    """
    from datetime import UTC

    if text is None:
        return None
    try:
        given = datetime.fromisoformat(text)
        given = given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"--until {text!r} is no date", "Write it as 2024-11-26 or 2024-11-26T12:00:00.") from None
    return given


def applied(ctx: typer.Context, settings: "Settings", families: list[str]) -> "Settings":
    """The settings with those flags of the command that were given and are settings of a family, see `FLAGS`.

    Raises:
        UsageError: one was given and its family is not asked for, or its value cannot be used.
    """
    from pozytywka_cli.settings import changed

    changes: dict[str, dict[str, object]] = {}
    for family, flags in FLAGS.items():
        given = {name: ctx.params[name] for name in flags if ctx.params.get(name) is not None}
        if given and family not in families:
            named = " and ".join(f"--{name.replace('_', '-')}" for name in given)
            raise UsageError(f"{named}: {family} alone reads this", f"Name {family}, or leave out {named}.")
        changes[family] = {flags[name]: value for name, value in given.items()}
    return changed(settings, changes)


FLAGS = {  # by family, the names of flags and of the settings that they change
    "weekly": {"measure": "measure", "horizon": "horizon", "weeks": "test_weeks"},
    "similar": {
        name: name for name in ("weighting", "factors", "regularization", "alpha", "iterations", "min_listeners")
    },
}
Measure = Annotated[
    Literal["total", "mean"] | None,
    typer.Option(
        metavar="total|mean", help="weekly: forecast all listening of a week, or a listen's mean; default: total."
    ),
]
Horizon = Annotated[int | None, typer.Option(metavar="H", min=1, max=13, help="weekly: how many weeks to look ahead.")]
Weighting = Annotated[
    Literal["log1p", "bm25", "raw"] | None,
    typer.Option(metavar="log1p|bm25|raw", help="similar: what a count of listens weighs; default: log1p."),
]
Factors = Annotated[
    int | None, typer.Option(metavar="K", min=1, help="similar: the length of an artist's vector; default: 128.")
]
Regularization = Annotated[
    float | None,
    typer.Option(metavar="X", min=0, max=1e9, help="similar: how strongly vectors are kept small; default: 100."),
]
Alpha = Annotated[
    float | None, typer.Option(metavar="X", min=1e-9, max=1e9, help="similar: what multiplies the weights; default: 5.")
]
Iterations = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="similar: iterations of least squares, at most; default: 40.")
]
MinListeners = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="similar: leave out artists with fewer listeners; default: 3.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Families = Annotated[
    list[str] | None,
    typer.Argument(metavar="FAMILY", help="skip, weekly, similar; all if none.", autocompletion=complete_family),
]
DataDir = Annotated[Path | None, typer.Argument(metavar="DIR", help="The data folder; default: --data-dir.")]
Gpu = Annotated[bool, typer.Option("--gpu", help="Compute on the GPU, or exit 5 if there is none.")]
Until = Annotated[
    str | None, typer.Option(metavar="DATE", help="Use only what happened before this date or time (UTC).")
]
Seed = Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The seed of everything random.")]
Scrobbles = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="similar: a CSV of user_id,artist_id,scrobbles in place of plays."),
]
Artists = Annotated[
    Path | None, typer.Option(metavar="FILE", help="similar: a CSV of artist_id,artist_name, with --scrobbles.")
]
