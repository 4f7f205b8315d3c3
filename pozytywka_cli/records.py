"""The small records that pass between rooms: a figure, a gate, an input, a step of progress."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    import polars as pl


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A metric of a variant under a protocol.

    `low` and `high` bound its 95 % interval; `p_value` belongs to a difference between two variants.
    """

    family: str
    variant: str
    protocol: str
    metric: str
    value: float
    low: float | None = None
    high: float | None = None
    p_value: float | None = None


class Metric(msgspec.Struct, frozen=True):
    """What a metric is called in tables for people, which way is better, and what it means in one sentence.

    target: of a metric that is best at a certain value (coverage of an 80 % interval), that value
    """

    label: str
    better: Literal["lower", "higher", "target"]
    meaning: str
    target: float | None = None


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


@dataclass(frozen=True)
class Panel:
    """One drawing of a picture: tidy rows, and which of their columns it shows; `x` and `y` also name the axes.

    line: `y` over `x` in the order of the rows, a line for each value of `series`, with a dot at each row where `dots`;
        where `diagonal`, both axes run from 0 to 1, with the dashed line on which they are equal.
    band: like line, with the area between the columns `low` and `high` in the line's colour, where they are not null.
    bar: horizontal bars of length `x`, one for each value of `y`, in the order of the rows.
    histogram: bars of height `y` from `x` to the row's `to`.
    text: the row's `text` with its middle at `x` and `y`, as large as its `size`, all three in pixels; no axes.

    An `x` of dates is drawn as time. A value of `series` has the same colour in every panel of a picture.
    """

    title: str
    mark: Literal["line", "band", "bar", "histogram", "text"]
    rows: "pl.DataFrame"
    x: str
    y: str
    series: str | None = None
    dots: bool = False
    diagonal: bool = False


class Progress(msgspec.Struct, frozen=True):
    """`done` of `total` steps of a named stage; `loss` is the last one seen, where there is one."""

    stage: str
    done: int
    total: int
    loss: float | None = None


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Report to nobody."""
