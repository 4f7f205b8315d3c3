"""Metrics of several models on the same rows, and their differences from the first one's."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec
import numpy as np

from pozytywka_cli.evaluation import ANYTHING, Floats, Interval, Ints, Limits, interval

Statistic = Callable[[Floats], Floats]  # of sums of columns, and last the number of rows: (..., columns + 1) to (...)


class Measure(NamedTuple):
    """A metric: by model its columns, (rows,) each, and the statistic of their sums; values lie between the limits."""

    metric: str
    columns: Mapping[str, Sequence[Floats]]
    statistic: Statistic
    limits: Limits = ANYTHING


@dataclass(frozen=True)
class Measured:
    """What models answered about the same rows.

    since: the first moment that is predicted; the models know what came before
    groups: which user or artist each row is of, (rows,)
    notes: what could not be done as usual
    """

    since: datetime
    groups: Ints
    measures: Sequence[Measure]
    notes: Sequence[str] = ()

    @property
    def count(self) -> int:
        """The number of users or artists."""
        return len(np.unique(self.groups))


class Compared(msgspec.Struct, frozen=True):
    """A metric of a model, and its difference from the first model's, None for that one.

    All bounds are of 95 % intervals over users or artists, None where unknown.
    """

    metric: str
    model: str
    value: float
    low: float | None
    high: float | None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None


def mean(sums: Floats) -> Floats:
    """Return the mean of the first column."""
    return np.asarray(sums[..., 0] / sums[..., -1])


def root(sums: Floats) -> Floats:
    """Return the root of the mean of the first column; sums without a group may be a rounding error below 0."""
    return np.sqrt(np.maximum(mean(sums), 0))


def compare(measured: Measured) -> list[Compared]:
    """Return a row for each metric and model, the first model as the reference.

    Intervals are by the jackknife over groups, as those of `evaluate`; those of differences leave out a group of both
    models at once.
    """
    return [row for measure in measured.measures for row in _rows(measure, measured.groups)]


def _rows(measure: Measure, groups: Ints) -> Iterator[Compared]:
    reference, *others = measure.columns
    base = list(measure.columns[reference])
    for model in (reference, *others):
        own = list(measure.columns[model])
        value = interval(measure.statistic, own, groups, measure.limits)
        apart: tuple[float | None, ...] = ()
        if model != reference:
            apart = _difference(measure.statistic, own, base, groups)
        yield Compared(measure.metric, model, *value, *apart)


def _difference(statistic: Statistic, own: list[Floats], base: list[Floats], groups: Ints) -> Interval:
    """Return the statistic of some columns minus that of as many others."""
    width = len(own)

    def difference(sums: Floats) -> Floats:
        rows = sums[..., -1:]
        first, second = (np.concatenate([part, rows], axis=-1) for part in (sums[..., :width], sums[..., width:-1]))
        return statistic(first) - statistic(second)

    return interval(difference, own + base, groups)
