"""Remove versions, and what killed runs have left in the artifacts folder. Called under the lock for writing."""

from pathlib import Path

from pozytywka_cli import files, temporaries


def remove_leftovers(root: Path) -> None:
    """Remove the temporary files and folders of killed runs, wherever in the artifacts folder `root` runs write."""
    versions = list(root.glob("*/versions"))
    written = [root / name for name in (".", "predictions", "runs", "quarantine/bad", "quarantine/good")]
    for folder in (*written, *versions, *(path.parent for path in versions)):
        temporaries.remove_leftovers(folder)


def remove_version(path: Path) -> None:
    """Remove a version; it is renamed first, so that a kill does not leave a part of it under its name."""
    doomed = temporaries.unused(path)
    with files.explained(path):
        path.rename(doomed)
        temporaries.remove(doomed)
