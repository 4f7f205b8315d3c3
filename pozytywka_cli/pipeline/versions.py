"""Find the version of a family that a variant, or the name of a version, stands for."""

from contextlib import suppress

from pozytywka_cli.artifacts import LOOKUP_BYTES, Store, Version
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families import registry


def require_promoted(store: Store) -> None:
    """Raise an ArtifactError unless a version of some family is promoted."""
    if not any(map(store.promoted, registry.names())):
        raise ArtifactError(f"no model is promoted in {store.root}", "Train some: `pozytywka train`.")


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
