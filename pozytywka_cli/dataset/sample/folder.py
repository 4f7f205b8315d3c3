"""The folder of a sample: which one may be written, and how it appears all at once."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pozytywka_cli.errors import StorageError, UsageError

TRUTHS = ("sample.json", "skips.parquet", "weeks.parquet", "artists.parquet", "faults.json")
MARKER = "sample.json"


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A new folder to write into, which becomes `folder` when all went well.

    Raises UsageError where `folder` holds anything but a former sample, StorageError where it cannot be written.
    """
    try:
        folder = folder.resolve()
        _refuse_foreign(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as workshop:
            new = Path(workshop) / "new"
            (new / "truth").mkdir(parents=True)
            yield new
            # looked at again: writing takes long enough for someone to put a file there
            _refuse_foreign(folder)
            if folder.exists():
                folder.rename(Path(workshop) / "old")
            new.rename(folder)
    except OSError as error:
        raise StorageError(
            f"{folder} could not be written: {error.strerror or error}",
            "Name a folder on a disk with room that you may write to.",
        ) from error


def _refuse_foreign(folder: Path) -> None:
    if not folder.exists():
        return
    hint = "Name a new or an empty folder, or one that holds a former sample."
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", hint)
    if folder == Path.cwd():
        raise UsageError(f"{folder} is the folder you are in, and is replaced as a whole", "Name a folder inside it.")
    if any(folder.iterdir()) and not _is_sample(folder):
        raise UsageError(f"{folder} holds files that are not a sample's", hint)


def _is_sample(folder: Path) -> bool:
    """Whether a folder holds what `sample` has written and nothing else: its files by name, its tables by size."""
    try:
        written = json.loads((folder / "truth" / MARKER).read_bytes())["bytes"]
        truths = {path.name for path in (folder / "truth").iterdir()}
        return truths <= set(TRUTHS) and bytes_of_tables(folder) == written
    except (OSError, ValueError, LookupError, TypeError):
        return False


def bytes_of_tables(folder: Path) -> dict[str, int]:
    """The size of every file in a folder, by its name."""
    return {path.name: path.stat().st_size for path in sorted(folder.iterdir()) if path.name != "truth"}
