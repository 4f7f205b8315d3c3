"""Open the promoted versions of families as predictors."""

from pozytywka_cli.artifacts import LOOKUP_BYTES, Store, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families import registry
from pozytywka_cli.families.family import Predictor


def promoted(store: Store, family: str | None) -> list[str]:
    """Return a family, or all that have a promoted version; an ArtifactError if there is none, or one is damaged."""
    names = [family] if family else [name for name in registry.names() if store.promoted(name)]
    if not names:
        raise ArtifactError(f"no model is promoted in {store.root}", "Train some: `pozytywka train`.")
    for name in names:
        store.open(name, lambda version: version, hash_limit=LOOKUP_BYTES)
    return names


def open_predictor(store: Store, family: str, dataset: Dataset | None) -> tuple[Version, Predictor]:
    """Open the promoted version of a family."""
    return store.open(family, lambda version: (version, registry.get(family).open(version, dataset)))
