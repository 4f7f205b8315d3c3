"""Work that runs over several families: training, evaluation, prediction, run records."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from pozytywka_cli.errors import PozytywkaError
from pozytywka_cli.families.family import Family

T = TypeVar("T")


def each(families: Iterable[Family], work: Callable[[Family], T]) -> tuple[dict[str, T], dict[str, PozytywkaError]]:
    """Do the work for every family, whatever the errors of others; return results and errors by the family's name."""
    results: dict[str, T] = {}
    errors: dict[str, PozytywkaError] = {}
    for family in families:
        try:
            results[family.name] = work(family)
        except PozytywkaError as error:
            errors[family.name] = error
    return results, errors
