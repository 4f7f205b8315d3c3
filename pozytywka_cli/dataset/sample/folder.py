"""The folder of a sample: which folder may be replaced, and which of its files are kept."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pozytywka_cli import files
from pozytywka_cli.errors import UsageError

TRUTHS = ("sample.json", "skips.parquet", "weeks.parquet", "artists.parquet", "faults.json")
MARKER = "sample.json"


@contextmanager
def replacing_sample(folder: Path) -> Iterator[Path]:
    """Yield a new folder that takes the place of `folder` if the block succeeds; notes and hidden files are kept.

    Raises:
        UsageError: `folder` holds anything else than notes, hidden files and an earlier sample.
        StorageError: it cannot be written.
    """
    with files.explained(folder):
        _check_replaceable(folder.resolve())
    with files.replacing_folder(folder) as new:
        (new / "truth").mkdir()
        yield new
        _check_replaceable(folder.resolve())  # again: writing takes long enough for someone to put a file there
        for path in folder.iterdir() if folder.exists() else ():
            if _is_kept(path):
                _copy(path, new / path.name)


def bytes_of_tables(folder: Path) -> dict[str, int]:
    """Return the size of every file of a sample, by its name, without the truth and what is kept."""
    return {
        path.name: path.stat().st_size
        for path in sorted(folder.iterdir())
        if path.name != "truth" and not _is_kept(path)
    }


def _is_kept(path: Path) -> bool:
    return path.name.startswith(".") or path.name.lower().startswith("readme")


def _copy(path: Path, target: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.copytree(path, target, symlinks=True)
    else:
        shutil.copy2(path, target, follow_symlinks=False)


def _check_replaceable(folder: Path) -> None:
    if not folder.exists():
        return
    hint = "Name a new or an empty folder, or one that holds an earlier sample."
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", hint)
    if folder == Path.cwd():
        raise UsageError(f"{folder} is the current folder, which cannot be replaced", "Name a folder inside it.")
    if not all(map(_is_kept, folder.iterdir())) and not _is_sample(folder):
        raise UsageError(f"{folder} holds files that are not a sample's", hint)


def _is_sample(folder: Path) -> bool:
    """Return whether a folder holds only what `sample` has written: its files by name, its tables by size."""
    try:
        written = json.loads((folder / "truth" / MARKER).read_bytes())["bytes"]
        truths = {path.name for path in (folder / "truth").iterdir()}
        return truths <= set(TRUTHS) and bytes_of_tables(folder) == written
    except (OSError, ValueError, LookupError, TypeError):
        return False
