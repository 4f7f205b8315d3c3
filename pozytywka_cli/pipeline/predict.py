"""Open the promoted versions of families as predictors."""

from contextlib import suppress
from functools import partial

from pozytywka_cli.artifacts import LOOKUP_BYTES, Store, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families import registry
from pozytywka_cli.families.family import BuildsOn, Predictor
from pozytywka_cli.pipeline import builds_on


def promoted(store: Store, family: str | None) -> dict[str, Version]:
    """Load a family's promoted version, or all families', to find out before any work is done whether one can be.

    Files of more than 16 MB are not hashed. An ArtifactError if none is promoted, or one is damaged.
    """
    names = [family] if family else [name for name in registry.names() if store.promoted(name)]
    if not names:
        raise ArtifactError(f"no model is promoted in {store.root}", "Train some: `pozytywka train`.")
    return {name: store.open(name, lambda version: version, hash_limit=LOOKUP_BYTES) for name in names}


def of_variant(store: Store, family: str, variant: str) -> Version:
    """Load the promoted version if it is of a variant, else the newest one that is; its hashes as for `promoted`.

    Raises:
        UsageError: the family has no such variant.
        ArtifactError: no version is of this variant, or it is damaged.
    """
    name, _ = registry.variant(registry.get(family), variant)
    current = store.promoted(family)
    for version in ([current] if current else []) + store.names(family)[::-1]:
        with suppress(ArtifactError):  # one that is damaged may be of any variant
            if store.manifest(family, version).variant == name:
                break
    else:
        command = f"pozytywka train {family} --variant {name} --no-promote"
        raise ArtifactError(f"no version of {family} in {store.root} is {name}", f"Train one: `{command}`.")
    return store.load(family, version, hash_limit=LOOKUP_BYTES)


def named(store: Store, family: str, name: str | None) -> Version:
    """Load a version by its name, or that `of_variant`, or the promoted one where `name` is None; errors as there."""
    variants = registry.get(family).variants
    if name is not None and name in variants:
        return of_variant(store, family, name)
    return store.load(family, name, hash_limit=LOOKUP_BYTES)


def open_predictor(store: Store, family: str, dataset: Dataset | None) -> tuple[Version, Predictor]:
    """Open the promoted version of a family, as it is now; after the data are loaded, for that takes longest."""
    return store.open(family, lambda version: (version, opened(store, version, dataset)))


def opened(store: Store, version: Version, dataset: Dataset | None) -> Predictor:
    """Open a version; one that builds on another family gets the promoted predictor of that one."""
    family = registry.get(version.manifest.family)
    if isinstance(family, BuildsOn) and dataset is not None:
        return family.open_with(version, dataset, partial(builds_on.predictor, store, family, dataset))
    return family.open(version, dataset)
