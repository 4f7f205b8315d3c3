"""Remove versions, and what killed runs have left in the artifacts folder. Called under the lock for writing."""

from pathlib import Path

from pozytywka_cli import files, temporaries


def remove_leftovers(root: Path) -> None:
    """Remove the temporary files and folders of killed runs, wherever in the artifacts folder `root` runs write."""
    versions, prepared = list(root.glob("*/versions")), list(root.glob("*/prepared"))
    written = [root / name for name in (".", "predictions", "runs", "quarantine/bad", "quarantine/good")]
    for folder in (*written, *versions, *prepared, *(path.parent for path in versions)):
        temporaries.remove_leftovers(folder)


def remove_folder(path: Path) -> None:
    """Remove a version, or what was prepared; it is renamed first, so that a kill leaves no part of it by its name."""
    doomed = temporaries.unused(path)
    with files.explained(path):
        path.rename(doomed)
        temporaries.remove(doomed)
