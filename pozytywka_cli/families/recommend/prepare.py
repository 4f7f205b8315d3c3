"""Prepare a version for a service: the plays and tracks, and the vectors of the tracks that the version knows."""

from pathlib import Path

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.predictor import loading
from pozytywka_cli.families.recommend import FAMILY
from pozytywka_cli.families.recommend.features import files
from pozytywka_cli.families.recommend.features.frames import collect_history, collect_tracks
from pozytywka_cli.families.recommend.models.model import WITH_NEIGHBOURS, Model


def prepare(version: Version, dataset: Dataset, folder: Path) -> None:
    """Write what `RecommendAnswerer.open` reads."""
    with loading(version, FAMILY.variants):
        model = Model.load(version)
    history = collect_history(dataset, collect_tracks(dataset))
    files.save(history, folder, neighbours=model.variant in WITH_NEIGHBOURS)
    files.save_vectors(model.aligned(history.tracks), folder)
