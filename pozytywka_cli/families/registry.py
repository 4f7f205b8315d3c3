"""The model families by name, imported when they are used.

Adding a family takes one line in `MODULES`: settings, environment variables, completion, help and `doctor` follow.
An unknown name raises a UsageError.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from pozytywka_cli import settings
from pozytywka_cli.errors import UsageError

if TYPE_CHECKING:
    from pozytywka_cli.artifacts import Manifest
    from pozytywka_cli.families.family import Family, Variant

MODULES = {  # each has a FAMILY
    "skip": "pozytywka_cli.families.skip",
    "weekly": "pozytywka_cli.families.weekly",
    "similar": "pozytywka_cli.families.similar",
    "recommend": "pozytywka_cli.families.recommend",
}


def names() -> list[str]:
    """Return the names of all families, in the order in which they are listed."""
    return list(MODULES)


def get(name: str) -> "Family":
    """Return a family, or raise a UsageError if there is none of this name."""
    if name not in MODULES:
        raise UsageError(f"unknown family {name!r}", f"Choose from {', '.join(MODULES)}.")
    family: Family = import_module(MODULES[name]).FAMILY
    return family


def chosen(wanted: Sequence[str] | None) -> "list[Family]":
    """Return the named families, once each and in their usual order; all of them where none is named."""
    known = [get(name).name for name in wanted or MODULES]
    return [get(name) for name in MODULES if name in known]


def variant(family: "Family", name: str | None) -> "tuple[str, Variant]":
    """Return a variant with its name, the default one where `name` is None; a UsageError if there is no such one."""
    name = name or family.default
    if name not in family.variants:
        raise UsageError(f"{family.name} has no variant {name!r}", f"Choose from {', '.join(family.variants)}.")
    return name, family.variants[name]


def baseline_message(manifest: "Manifest") -> str:
    """Return a sentence that answers of a version come from a baseline or a fallback; empty where they do not.

    A baseline that was chosen because it is better than the default variant needs no excuse.
    """
    known = get(manifest.family).variants.get(manifest.variant)
    if known is None or manifest.chosen_over or not (known.baseline or manifest.fallback_for):
        return ""
    role = f"a fallback for {manifest.fallback_for}" if manifest.fallback_for else "a baseline"
    return f"{manifest.family} answers come from {manifest.variant}, {role}: {known.description}."


def load_settings(config: Path | None, overrides: Sequence[settings.Assigned]) -> settings.Settings:
    """Load the settings, and check the configured sections of families and names of columns; see `settings.load`."""
    loaded = settings.load(config, overrides, sections=MODULES)
    for name in loaded.configured_sections:
        loaded.section(name, get(name).Settings)
    if loaded.column_names:
        from pozytywka_cli.dataset.reading.column_names import check

        check(loaded.column_names)
    return loaded
