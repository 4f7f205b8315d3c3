"""The model families, and the verbs that each of them has. A family's own module is imported when it is used."""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pozytywka_cli.artifacts.manifest import Trained
from pozytywka_cli.errors import PozytywkaError, UsageError
from pozytywka_cli.records import Evaluated, Report, Row
from pozytywka_cli.tuning import Space

FAMILIES = ("skip", "weekly", "similar")
T = TypeVar("T")


class Training(Protocol):
    """`<family>.train`."""

    def train(self, source: Any, settings: Any, *, variant: str, seed: int, device: str, report: Report) -> Trained:
        """Measure on the time split, then fit on everything."""
        ...


class Evaluation(Protocol):
    """`<family>.evaluate`."""

    def evaluate(self, source: Any, settings: Any, *, seed: int, device: str, report: Report) -> Evaluated:
        """Honest figures beside the baselines'."""
        ...


class Planting(Protocol):
    """`<family>.planted`."""

    def planted(self, dataset: Any, truth: Path, settings: Any, *, seed: int, device: str, report: Report) -> list[Row]:
        """Figures on a generated data set, beside the best that its truth allows."""
        ...


class Tuning(Protocol):
    """`<family>.tune`, which a family may lack."""

    METRIC: str
    SPACES: Mapping[str, Space]

    def trial(self, source: Any, settings: Any, *, variant: str, seed: int, device: str) -> float:
        """The loss that these settings give within the part of the data that a model is not tested on."""
        ...


def chosen(names: list[str] | None) -> list[str]:
    """The families named, once each and in their order; all of them where none is named.

    Raises:
        UsageError: there is no such family.
    """
    for name in names or []:
        if name not in FAMILIES:
            raise UsageError(f"{name!r} is no model family", f"Choose from {', '.join(FAMILIES)}.")
    return [name for name in FAMILIES if not names or name in names]


def variants(family: str) -> tuple[str, ...]:
    """The variants of a family, the default first."""
    found: tuple[str, ...] = import_module(f"pozytywka_cli.{family}").VARIANTS
    return found


def baseline(family: str) -> str:
    """The variant that serves where a family's model is worse."""
    found: str = import_module(f"pozytywka_cli.{family}").BASELINE
    return found


def on_gpu(family: str) -> tuple[str, ...]:
    """The variants of a family that a GPU can fit."""
    found: tuple[str, ...] = import_module(f"pozytywka_cli.{family}").ON_GPU
    return found


def planting(family: str) -> Planting:
    """The family's `planted`."""
    return import_module(f"pozytywka_cli.{family}.planted")


def training(family: str) -> Training:
    """The family's `train`."""
    return import_module(f"pozytywka_cli.{family}.train")


def tuning(family: str) -> Tuning:
    """The family's `tune`."""
    return import_module(f"pozytywka_cli.{family}.tune")


def space(family: str, variant: str) -> Space:
    """What can be tuned of a variant.

    Raises:
        UsageError: nothing.
    """
    spaces = {name: tuning(name).SPACES for name in FAMILIES if find_spec(f"pozytywka_cli.{name}.tune")}
    if variant in spaces.get(family, ()):
        return spaces[family][variant]
    tunable = ", ".join(f"{name} {one}" for name in spaces for one in spaces[name])
    raise UsageError(f"{family} {variant} has no settings to tune", f"Leave out --tune, or tune one of: {tunable}.")


def evaluation(family: str, *, curve: bool = False) -> Evaluation:
    """The family's `evaluate`, or its `curve` of quality against cost, which a family may lack."""
    return import_module(f"pozytywka_cli.{family}.{'curve' if curve else 'evaluate'}")


def device(names: list[str], *, gpu: bool) -> str:
    """Where to compute: "cpu" or "cuda".

    Raises:
        UnavailableError: a GPU was asked for, and the library that one of these families computes with cannot use any.
    """
    if not gpu:
        return "cpu"
    if "similar" in names:
        import_module("pozytywka_cli.families.similar.implicit_gpu").require()
    if set(names) != {"similar"}:
        import_module("pozytywka_cli.learning").device(gpu=True)
    return "cuda"


def evaluate_all(
    names: list[str], source: Any, settings: Any, *, curve: bool = False, seed: int, device: str, report: Report
) -> tuple[dict[str, Evaluated], dict[str, PozytywkaError]]:
    """What was found of these families, and why there is nothing of some; `settings` has a section for each."""

    def measure(name: str) -> Evaluated:
        given, room = getattr(settings, name), evaluation(name, curve=curve)
        return room.evaluate(source, given, seed=seed, device=device, report=report)

    return each(names, measure)


def each(names: list[str], measure: Callable[[str], T]) -> tuple[dict[str, T], dict[str, PozytywkaError]]:
    """What `measure` gives for every family that can be measured, and the errors of those that cannot."""
    found: dict[str, T] = {}
    refused: dict[str, PozytywkaError] = {}
    for name in names:
        try:
            found[name] = measure(name)
        except PozytywkaError as error:
            refused[name] = error
    return found, refused
