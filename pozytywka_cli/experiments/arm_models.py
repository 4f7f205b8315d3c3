"""Which models serve the arms of an experiment: `skip`, `skip/advanced`, or `skip/20261130T102814Z-86d0e8d8`."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pozytywka_cli.errors import UsageError
from pozytywka_cli.experiments.definition import Arm
from pozytywka_cli.families import registry

VERSION = re.compile(r"(\d{8}T\d{6}Z-)?[0-9a-f]{8}\+*")  # as `artifacts.saving` names them, or their end


class Model(NamedTuple):
    """A model of a family: its promoted version, or with a name the newest of a variant or that version."""

    family: str
    name: str | None = None


def parse_model(text: str) -> Model:
    """Parse `FAMILY`, `FAMILY/VARIANT` or `FAMILY/VERSION`; whether there is such a version is seen when it is opened.

    Raises:
        UsageError: there is no such family, or what follows is neither a variant of it nor the name of a version.
    """
    family_name, slash, name = text.partition("/")
    family = registry.get(family_name)
    if slash and name not in family.variants and not VERSION.fullmatch(name):
        hint = f"Choose from {', '.join(family.variants)}, or a version of `pozytywka models list`."
        raise UsageError(f"{text!r}: {family_name} has no variant {name!r}", hint)
    return Model(family_name, name or None)


def one_family(models: Iterable[str]) -> str:
    """Return the family of some models, at least one, or raise a UsageError if they are of several."""
    families = sorted({parse_model(model).family for model in models})
    if len(families) > 1:
        problem = f"the models are of several families: {', '.join(families)}"
        raise UsageError(problem, "Compare models that answer the same question.")
    return families[0]


def check_models(arms: Sequence[Arm]) -> None:
    """Raise a UsageError unless the models of all arms are of one family, or no arm names one."""
    models = [arm.model for arm in arms if arm.model is not None]
    missing = [arm.name for arm in arms if arm.model is None]
    if not models:
        return
    family = one_family(models)
    if missing:
        hint = f"`--arm {missing[0]}=1@{family}` takes the promoted version of {family}."
        raise UsageError(f"no model is named for arm {', '.join(missing)}, but for others", hint)
