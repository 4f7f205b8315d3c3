"""The small records that pass between rooms: a figure, a gate, an input, a step of progress."""

from collections.abc import Callable

import msgspec


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One measured figure; `low` and `high` bound its 95 % interval where one was computed."""

    family: str
    variant: str
    protocol: str
    metric: str
    value: float
    low: float | None = None
    high: float | None = None


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A non-inferiority test of a model against its family's plain baseline.

    `difference` is how much worse the model is than the baseline (negative: better), with its 95 % interval;
    `value` and `baseline` are the two figures of `metric`.
    """

    metric: str
    value: float
    baseline: float
    baseline_variant: str
    difference: float
    low: float
    high: float
    margin: float

    @property
    def passed(self) -> bool:
        """False only where the whole interval lies above the margin: shown to be worse by more than it."""
        return self.low <= self.margin


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input of a run: its bytes, its rows, and the time range of what it holds (ISO 8601, UTC)."""

    name: str
    sha256: str
    bytes: int
    rows: int
    first: str | None = None
    last: str | None = None


class Progress(msgspec.Struct, frozen=True):
    """`done` of `total` steps of a named stage; `loss` is the last one seen, where there is one."""

    stage: str
    done: int
    total: int
    loss: float | None = None


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Report to nobody."""
