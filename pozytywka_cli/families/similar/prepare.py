"""Prepare a version for a service: there is nothing to prepare, as a version of similar answers without data."""

from pathlib import Path
from typing import TYPE_CHECKING

from pozytywka_cli.artifacts import Version

if TYPE_CHECKING:
    from pozytywka_cli.dataset.loading import Dataset


def prepare(version: Version, dataset: "Dataset", folder: Path) -> None:
    """Leave the folder empty."""
