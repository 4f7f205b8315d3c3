"""Small records that pass between modules: a metric, a gate, an input, a chart, a step of progress."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    import polars as pl

SIGNIFICANT = 0.05  # differences with a smaller p-value are called more than chance
LEAST_P_VALUE = "_least_p_value"  # ends the name of the smallest p-value that a difference could have


VALIDATION = "validation"  # the protocol of figures that variants are chosen by, on a part of the training data


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A metric of a variant under a protocol.

    `low` and `high` bound its 95 % interval, None where there is none or where it is unknown; `p_value` belongs to a
    difference between two variants.
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

    better: "neither" for a value that others are compared with
    target: of a metric that is best at a certain value (coverage of an 80 % interval), that value
    """

    label: str
    better: Literal["lower", "higher", "target", "neither"]
    meaning: str
    target: float | None = None


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A non-inferiority test of a model against its family's plain baseline.

    value, baseline: the metric of the model and of the baseline
    difference, low, high: how much worse the model is than the baseline (negative: better), with its 95 % interval,
        whose bounds are None where it is unknown: one user tells nothing of others
    margin: how much worse the model may be
    """

    metric: str
    value: float
    baseline: float
    baseline_variant: str
    difference: float
    low: float | None
    high: float | None
    margin: float

    @property
    def passed(self) -> bool:
        """False only if the whole interval lies above the margin: the model is shown to be worse by more than that.

        Where the interval is unknown, nothing is shown; a difference that is not a number does not pass.
        """
        return not math.isnan(self.difference) and (self.low is None or self.low <= self.margin)


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input file of a run: its hash, size, rows, and the time range of its events (ISO 8601, UTC)."""

    name: str
    sha256: str
    bytes: int
    rows: int
    first: str | None = None
    last: str | None = None


class Panel(msgspec.Struct, frozen=True):
    """One chart of a figure: tidy rows, and the columns to draw; `x` and `y` also label the axes.

    The marks:
        line: `y` over `x` in the order of the rows, one line for each value of `series`; `dots` adds a dot for each
            row, and `diagonal` makes both axes run from 0 to 1 and adds the dashed line y = x.
        band: like line, with the area between the columns `low` and `high` shaded where they are not null.
        bar: horizontal bars of length `x`, one for each value of `y`, in the order of the rows.
        histogram: bars of height `y` from `x` to the row's `to`.
        text: the row's `text` centred at `x` and `y`, of font size `size`, all three in pixels; no axes.

    An `x` of dates is drawn as time. A value of `series` has the same colour in every panel of a figure.
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
    """`done` of `total` steps of a named stage; `loss` is the latest loss, where there is one."""

    stage: str
    done: int
    total: int
    loss: float | None = None


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Ignore progress."""
