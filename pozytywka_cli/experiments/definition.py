"""What an experiment is: its unit, arms, metrics and dates."""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import msgspec

from pozytywka_cli.errors import UsageError
from pozytywka_cli.families import registry

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
Unit = Literal["user", "artist"]
Kind = Literal["mean", "ratio"]
Status = Literal["created", "running", "stopped"]


class MetricDefinition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A metric of an experiment.

    kind: "mean" is the mean over units of each unit's sum of values; "ratio" is the sum of all values over the sum of
        all weights (skips over plays), with intervals over units
    """

    name: str
    kind: Kind
    meaning: str = ""


# metrics that need no declaration; the first three are computed from the log
METRICS = {
    metric.name: metric
    for metric in (
        MetricDefinition("skip_rate", "ratio", "skipped plays over all plays"),
        MetricDefinition("listened_seconds", "mean", "seconds listened to per unit"),
        MetricDefinition("full_plays", "mean", "plays per unit that were not skipped"),
        MetricDefinition("recommendation_success", "ratio", "recommendations played to the end over all shown"),
        MetricDefinition("misallocated", "mean", "money paid to the wrong artist, per artist"),
    )
}
FROM_THE_LOG = ("skip_rate", "listened_seconds", "full_plays")


class Arm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An arm of an experiment, its weight, and the model that serves it, if any; see `arm_models`."""

    name: str
    weight: str
    model: str | None = None

    @property
    def share(self) -> Fraction:
        """The weight as an exact number."""
        return Fraction(self.weight)


class Experiment(msgspec.Struct, frozen=True):
    """An experiment as it is stored; the first arm is the control. Times are µs since 1970, None if not yet.

    planned_units: how many units of all arms together it was designed for
    """

    name: str
    unit: Unit
    arms: list[Arm]
    salt: str
    metrics: list[MetricDefinition]
    planned_units: int | None = None
    created_at: int = 0
    started_at: int | None = None
    stopped_at: int | None = None

    @property
    def status(self) -> Status:
        """Whether it runs."""
        return "created" if self.started_at is None else "running" if self.stopped_at is None else "stopped"

    @property
    def family(self) -> str | None:
        """The family whose models serve the arms; None where no model is named, or one as before families were."""
        families = {(arm.model or "").partition("/")[0] for arm in self.arms}
        return next((name for name in registry.names() if families == {name}), None)


def check_name(name: str, kind: str) -> str:
    """Return a name of lowercase letters, digits, - and _, or raise a UsageError."""
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot be the name of {kind}", "Use up to 64 of a-z, 0-9, - and _.")
    return name


def parse_arm(text: str) -> Arm:
    """Parse `NAME`, `NAME=WEIGHT` or `NAME=WEIGHT@MODEL`; a UsageError if the weight is not above 0."""
    name, _, rest = text.partition("=")
    weight, _, model = rest.partition("@")
    return Arm(check_name(name, "an arm"), parse_weight(weight or "1", text), model or None)


def parse_weight(weight: str, text: str) -> str:
    """Return a weight that is a number above 0 and at most a million, or raise a UsageError that quotes `text`."""
    if re.fullmatch(r"\d{1,7}(\.\d{1,9})?", weight) and 0 < Fraction(weight) <= 10**6:
        return weight
    raise UsageError(f"{text!r}: the weight {weight!r} is not a number above 0", "Write an arm as treatment=50.")


def parse_metric(text: str) -> MetricDefinition:
    """Parse the name of a known metric, or `NAME=mean` or `NAME=ratio` for one of your own."""
    name, _, kind = text.partition("=")
    if name in METRICS and kind in ("", METRICS[name].kind):
        return METRICS[name]
    if name in METRICS or kind not in ("mean", "ratio"):
        hint = f"Known are {', '.join(METRICS)}; declare your own as NAME=mean or NAME=ratio."
        raise UsageError(f"unknown metric {text!r}", hint)
    return MetricDefinition(check_name(name, "a metric"), "mean" if kind == "mean" else "ratio")


def check_arms(arms: Sequence[Arm]) -> None:
    """Raise a UsageError unless there are at least two arms with different names."""
    names = [arm.name for arm in arms]
    if len(set(names)) < max(2, len(names)):
        problem = f"arms {', '.join(names)}: an experiment needs at least two, with different names"
        raise UsageError(problem, "Write them as --arm control --arm treatment.")
