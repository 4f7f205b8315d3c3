"""Find the version that is promoted, that a variant stands for, or that has a name."""

from contextlib import suppress

from pozytywka_cli.artifacts import LOOKUP_BYTES, Store, Version
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families import registry


def require_promoted(store: Store) -> None:
    """Raise an ArtifactError unless a version of some family is promoted."""
    if not any(map(store.promoted, registry.names())):
        raise ArtifactError(f"no model is promoted in {store.root}", "Train some: `pozytywka train`.")


def of_variant(store: Store, family: str, variant: str) -> Version:
    """Load the promoted version if it is of a variant, else the newest one that is.

    Files of more than 16 MB are not hashed.

    Raises:
        UsageError: the family has no such variant.
        ArtifactError: no version is of this variant, or it is damaged.
    """
    return store.load(family, _name_of_variant(store, family, variant), hash_limit=LOOKUP_BYTES)


def full_name(store: Store, family: str, name: str) -> str:
    """Return the name of the version that a variant, or the beginning or end of a name, stands for; errors as above."""
    if name in registry.get(family).variants:
        return _name_of_variant(store, family, name)
    return store.resolve(family, name)


def named(store: Store, family: str, name: str | None) -> Version:
    """Load a version by its name, or that `of_variant`, or the promoted one where `name` is None; errors as there."""
    known = registry.get(family).name
    found = None if name is None else full_name(store, known, name)
    return store.load(known, found, hash_limit=LOOKUP_BYTES)


def _name_of_variant(store: Store, family: str, variant: str) -> str:
    name, _ = registry.variant(registry.get(family), variant)
    current = store.promoted(family)
    for version in ([current] if current else []) + store.names(family)[::-1]:
        with suppress(ArtifactError):  # one that is damaged may be of any variant
            if store.manifest(family, version).variant == name:
                return version
    command = f"pozytywka train {family} --variant {name} --no-promote"
    raise ArtifactError(f"no version of {family} in {store.root} is {name}", f"Train one: `{command}`.")
