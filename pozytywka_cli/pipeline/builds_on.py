"""Hand the promoted version of one family to another that builds on it."""

from collections.abc import Callable, Collection
from functools import partial

from pozytywka_cli.artifacts import Manifest, Store, Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families import registry
from pozytywka_cli.families.capabilities import BuildsOn
from pozytywka_cli.families.family import Family
from pozytywka_cli.families.predictor import Opener, Predictor
from pozytywka_cli.families.refit import refit
from pozytywka_cli.records import Report


def version(store: Store, family: Family, variants: Collection[str]) -> Version | None:
    """Return the promoted version of the family that variants of this one ask; None if there is none, or none asks."""
    if isinstance(family, BuildsOn) and set(variants) & set(family.asking) and store.promoted(family.builds_on):
        return store.open(family.builds_on, lambda one: one)
    return None


def missing(store: Store, manifest: Manifest) -> str:
    """Return a sentence if a version asks another family that has no promoted version; empty if all is there."""
    family = registry.get(manifest.family)
    if not isinstance(family, BuildsOn) or manifest.variant not in family.asking or store.promoted(family.builds_on):
        return ""
    return f"No version of {family.builds_on} is promoted; {family.name} {manifest.variant} answers without it."


def refitting(other: Version | None, report: Report) -> Callable[[Dataset], Opener] | None:
    """Return what fits the variant of a version again to a dataset, see `refit`; None without a version."""
    return None if other is None else partial(refit, other, report=report)


def predictor(store: Store, family: BuildsOn, dataset: Dataset) -> Predictor | None:
    """Open the promoted version of the family that this one builds on; None if there is none."""
    if not store.promoted(family.builds_on):
        return None
    return store.open(family.builds_on, lambda one: registry.get(family.builds_on).open(one, dataset))
