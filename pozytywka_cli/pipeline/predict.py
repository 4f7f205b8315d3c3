"""Open the promoted versions of families as predictors."""

from pozytywka_cli.artifacts import LOOKUP_BYTES, Store, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families import registry
from pozytywka_cli.families.family import Predictor


def promoted(store: Store, family: str | None) -> dict[str, Version]:
    """Load a family's promoted version, or all families', to find out before any work is done whether one can be.

    Files of more than 16 MB are not hashed. An ArtifactError if none is promoted, or one is damaged.
    """
    names = [family] if family else [name for name in registry.names() if store.promoted(name)]
    if not names:
        raise ArtifactError(f"no model is promoted in {store.root}", "Train some: `pozytywka train`.")
    return {name: store.open(name, lambda version: version, hash_limit=LOOKUP_BYTES) for name in names}


def open_predictor(store: Store, family: str, dataset: Dataset | None) -> tuple[Version, Predictor]:
    """Open the promoted version of a family, as it is now; after the data are loaded, for that takes longest."""
    return store.open(family, lambda version: (version, registry.get(family).open(version, dataset)))
