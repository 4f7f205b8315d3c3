"""Load what models are trained on: the tables and plays, or two CSV files of scrobbles."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from pozytywka_cli.commands.context import Context
from pozytywka_cli.commands.options import moment
from pozytywka_cli.errors import UsageError

if TYPE_CHECKING:
    from pozytywka_cli.dataset.loading import Dataset


def dataset(context: Context, until: str | None = None, *, locked: bool = False) -> "Dataset":
    """Load the dataset as it was known before `until`; missing or stale plays are made again, with a message.

    `locked` tells that the caller holds the lock of the artifacts folder, under which plays are made.
    """
    from pozytywka_cli.dataset.loading import load

    lock = nullcontext if locked else context.store.lock
    loaded = load(context.data(), context.plays, context.console.info, lock, context.columns)
    return loaded.until(moment(until))


def scrobbles(
    context: Context, families: list[str], scrobbles: Path | None, artists: Path | None, until: str | None
) -> "Dataset | None":
    """Load the two CSV files; None if the options were not given.

    Raises:
        UsageError: one is given without the other, or for another family than similar.
        StorageError: a file cannot be read.
        RefusedError: a line of a file is wrong.
    """
    if scrobbles is None and artists is None:
        return None
    if scrobbles is None or artists is None:
        raise UsageError("--scrobbles and --artists go together", "Give both files, or neither.")
    if families != ["similar"] or until is not None:
        hint = "Name only similar, and leave out --until."
        raise UsageError("--scrobbles only applies to similar, without --until", hint)
    from pozytywka_cli.dataset.scrobbles import load_scrobbles

    return load_scrobbles(scrobbles, artists, context.console.info)
