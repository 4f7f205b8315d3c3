"""Open the promoted versions of families as predictors."""

from pozytywka_cli.artifacts import Store, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families import registry
from pozytywka_cli.families.family import Predictor


def promoted(store: Store, family: str | None) -> dict[str, Version]:
    """Load a family's promoted version, or all families'; an ArtifactError if there is none, or one is damaged."""
    names = [family] if family else [name for name in registry.names() if store.promoted(name)]
    if not names:
        raise ArtifactError(f"no model is promoted in {store.root}", "Train some: `pozytywka train`.")
    return {name: store.load(name) for name in names}


def open_predictor(version: Version, dataset: Dataset | None) -> Predictor:
    """Open a version of any family."""
    return registry.get(version.manifest.family).open(version, dataset)
