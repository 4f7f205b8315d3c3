"""Open the promoted versions of families as predictors."""

from functools import partial

from pozytywka_cli.artifacts import LOOKUP_BYTES, Store, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families import registry
from pozytywka_cli.families.capabilities import BuildsOn
from pozytywka_cli.families.predictor import Predictor
from pozytywka_cli.pipeline import builds_on


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
    return store.open(family, lambda version: (version, opened(store, version, dataset)))


def opened(store: Store, version: Version, dataset: Dataset | None) -> Predictor:
    """Open a version; one that builds on another family gets the promoted predictor of that one."""
    family = registry.get(version.manifest.family)
    if isinstance(family, BuildsOn) and dataset is not None:
        return family.open_with(version, dataset, partial(builds_on.predictor, store, family, dataset))
    return family.open(version, dataset)
