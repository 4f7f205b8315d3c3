"""What a family is trained on or measured by: the service's tables and plays, or two CSV files of scrobbles."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from pozytywka_cli.commands.context import Context
from pozytywka_cli.commands.options import moment
from pozytywka_cli.errors import UsageError

if TYPE_CHECKING:
    from pozytywka_cli.dataset.loading import Dataset
    from pozytywka_cli.families.similar.features import Listens


def dataset(context: Context, until: str | None = None, *, locked: bool = False) -> "Dataset":
    """The dataset as known before `until`; plays are made again, saying so, where they are missing or stale.

    They are made under the store's lock: `locked` says that the caller holds it.
    """
    from pozytywka_cli.dataset.loading import load

    lock = nullcontext if locked else context.store.lock
    return load(context.data(), context.plays, context.console.info, lock).until(moment(until))


def scrobbles(
    context: Context, families: list[str], scrobbles: Path | None, artists: Path | None, until: str | None
) -> "Listens | None":
    """The two CSV files where they are given; None where plays are meant.

    Raises:
        UsageError: one is given without the other, or for another family than similar.
    """
    if scrobbles is None and artists is None:
        return None
    if scrobbles is None or artists is None:
        raise UsageError("--scrobbles and --artists go together", "Give both files, or neither.")
    if families != ["similar"] or until is not None:
        raise UsageError(
            "--scrobbles only applies to similar, without --until", "Name only similar, and leave out --until."
        )
    from pozytywka_cli.families.similar.features import from_scrobbles

    return from_scrobbles(scrobbles, artists, context.console.info)
