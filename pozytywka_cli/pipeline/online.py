"""Prepare versions for the service, and open what was prepared."""

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from pozytywka_cli.artifacts import Store, Version, prepared
from pozytywka_cli.artifacts.fingerprint import source_digest
from pozytywka_cli.artifacts.prepared import Prepared
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families import registry
from pozytywka_cli.families.capabilities import BuildsOn, Online
from pozytywka_cli.families.predictor import Answerer

if TYPE_CHECKING:
    from pozytywka_cli.dataset.loading import Dataset


def can_prepare(version: Version) -> bool:
    """Return whether the version's variant answers from prepared files; other variants need the data."""
    return not obstacle(version)


def obstacle(version: Version) -> str:
    """Return why a version cannot be prepared; empty if it can be."""
    family = registry.get(version.manifest.family)
    if isinstance(family, Online) and version.manifest.variant in family.online:
        return ""
    return f"{family.name} {version.manifest.variant} answers with the data only"


def prepare(version: Version, dataset: "Dataset") -> None:
    """Prepare a version that can be, so that it answers from files what it would answer with this dataset."""
    family = registry.get(version.manifest.family)
    if isinstance(family, Online):
        prepared.write(version, _code(version), dataset.inputs, partial(family.prepare, version, dataset))


def refresh(store: Store, names: Iterable[str], dataset: "Dataset") -> list[Version]:
    """Prepare the promoted versions of families, and others that were prepared before, from this dataset.

    Those that are prepared from it already are left as they are; returns the others.
    """
    wanted = [version for name in names for version in _wanted(store, name)]
    stale = [version for version in wanted if can_prepare(version) and not is_current(version, dataset)]
    for version in stale:
        prepare(version, dataset)
    return stale


def _wanted(store: Store, family: str) -> list[Version]:
    """Return the promoted version of a family, and those that a service was asked for, such as arms of experiments."""
    promoted = store.promoted(family)
    found = [store.open(family, lambda version: version)] if promoted else []
    for name in store.names(family):
        if name != promoted and (store.root / family / "prepared" / name).is_dir():
            with suppress(ArtifactError):  # a damaged one must not keep the others from being prepared
                found.append(store.load(family, name))
    return found


def is_current(version: Version, dataset: "Dataset") -> bool:
    """Return whether a version is prepared, from this dataset."""
    known = prepared.current(version, _code(version))
    return known is not None and dataset.cut is None and known.inputs == dataset.inputs


def is_prepared(version: Version) -> bool:
    """Return whether a version is prepared, from whatever data."""
    return prepared.current(version, _code(version)) is not None


def open_answerer(store: Store, version: Version) -> tuple[Prepared, Answerer]:
    """Open a version that was prepared; one that builds on another family gets the answerer of its promoted version.

    Raises:
        ArtifactError: nothing is prepared, or a file is damaged.
    """
    family = registry.get(version.manifest.family)
    if not isinstance(family, Online) or not can_prepare(version):
        raise ArtifactError(obstacle(version), f"Use `pozytywka predict {family.name}`, or another variant.")
    other = partial(_other, store, family.builds_on) if isinstance(family, BuildsOn) else _nothing
    return prepared.opened(version, _code(version), lambda folder: family.open_online(version, folder, other))


def _other(store: Store, name: str) -> Answerer | None:
    """Open the promoted version of a family, if there is one and it was prepared."""
    if not store.promoted(name):
        return None
    return store.open(name, lambda version: open_answerer(store, version)[1])


def _nothing() -> None:
    return None


def _code(version: Version) -> str:
    return source_digest(registry.MODULES[version.manifest.family])
