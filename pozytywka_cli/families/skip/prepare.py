"""Write what answers requests about the present without the data: the state of all users, and the tracks."""

from pathlib import Path

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.models import kinds
from pozytywka_cli.families.skip.state import files
from pozytywka_cli.families.skip.state.inputs import parameters
from pozytywka_cli.families.skip.state.state import State


def prepare(version: Version, dataset: Dataset, folder: Path) -> None:
    """Write the state that a dataset gives for a version into an empty folder."""
    log, reader = PlayLog.of(dataset), kinds.load(version).reader
    files.save(State.build(log, parameters(reader, dataset)), folder)
