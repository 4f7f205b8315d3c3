"""Tables of an evaluation for people: a row for each variant, a column for each metric."""

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pozytywka_cli.commands import tables
from pozytywka_cli.families.family import Family
from pozytywka_cli.records import Metric, Row

ARROWS = {"lower": "↓", "higher": "↑", "target": "→"}


@dataclass(frozen=True)
class Comparison:
    """The variants of a family under one protocol: the default first, then from the best to the worst.

    metrics: all that were measured, the family's headline metric first
    rows: by variant and metric
    differences: of the headline metric, to the default, by variant
    """

    family: Family
    protocol: str
    variants: Sequence[str]
    metrics: Sequence[str]
    rows: Mapping[tuple[str, str], Row]
    differences: Mapping[str, Row]

    @property
    def headline(self) -> str:
        """The metric by which the variants are ordered."""
        return self.metrics[0]

    def label(self, name: str) -> str:
        """Return the name of a metric for people."""
        metric = self.family.metrics.get(name)
        return metric.label if metric else name.replace("_", " ")

    def best(self, name: str) -> list[str]:
        """Return the variants with the best value of a metric; none where no direction is better."""
        metric = self.family.metrics.get(name)
        losses = {
            variant: _loss(metric, self.rows[variant, name].value)
            for variant in self.variants
            if metric and (variant, name) in self.rows
        }
        return [variant for variant, loss in losses.items() if loss == min(losses.values())]


def comparisons(family: Family, rows: Sequence[Row]) -> Iterator[Comparison]:
    """Yield the comparison of each protocol, in the order of the rows."""
    for protocol in dict.fromkeys(row.protocol for row in rows):
        yield _comparison(family, protocol, [row for row in rows if row.protocol == protocol])


def _comparison(family: Family, protocol: str, rows: Sequence[Row]) -> Comparison:
    headline = next(iter(family.metrics))
    differences = {row.variant: row for row in rows if row.metric == f"{headline}_difference"}
    measured = {(row.variant, row.metric): row for row in rows if row.metric != f"{headline}_difference"}
    names = dict.fromkeys(name for _, name in measured)
    metrics = [name for name in family.metrics if name in names] + [
        name for name in names if name not in family.metrics
    ]

    def rank(variant: str) -> tuple[bool, bool, float]:
        row = measured.get((variant, metrics[0]))
        loss = _loss(family.metrics.get(metrics[0]), row.value) if row else 0.0
        return variant != family.default, row is None, loss

    variants = sorted(dict.fromkeys(variant for variant, _ in measured), key=rank)
    return Comparison(family, protocol, variants, metrics, measured, differences)


def _loss(metric: Metric | None, value: float) -> float:
    """Return a number that is lower for a better value: 0 where no direction is better, infinity for NaN."""
    if metric is None:
        return 0.0
    if math.isnan(value):
        return math.inf
    if metric.better == "target":
        return abs(value - (metric.target or 0.0))
    return value if metric.better == "lower" else -value


def number(value: float) -> str:
    """Format a metric: four decimals below 1, at least four digits above."""
    size = abs(value)
    return f"{value:.4f}" if size < 1 else f"{value:#.4g}" if size < 1000 else f"{value:,.0f}"


def p_value(value: float) -> str:
    """Format a p-value."""
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def show(comparison: Comparison) -> None:
    """Print a comparison; metrics that do not fit into the width are named below it."""
    columns = list(_columns(comparison))
    gap, hidden = 2, []
    while sum(_width(column) + gap for column in columns) > tables.WIDTH + gap:
        if gap == 2:
            gap = 1
        else:
            hidden.append(columns.pop()[0])
    headers = ["\n".join(textwrap.wrap(column[0], _width(column))) for column in columns]
    rows = zip(*(cells for _, cells in columns), strict=True)
    title = f"{comparison.family.name}, {comparison.protocol}"
    tables.table(title, headers, rows, right=range(1, len(columns)), gap=gap)
    if hidden:
        print_sentence(f"Too wide for this table: {', '.join(reversed(hidden))}; --json has them.")


def print_sentence(text: str) -> None:
    """Print a paragraph of at most 100 columns."""
    print(textwrap.fill(text, tables.WIDTH))


Column = tuple[str, list[str]]  # header and cells


def _width(column: Column) -> int:
    header, cells = column
    return max(len(text) for text in (*header.split(), *cells))


def _columns(comparison: Comparison) -> Iterator[Column]:
    """Yield the columns, the headline metric with its interval and differences first."""
    yield "variant", list(comparison.variants)
    for name in comparison.metrics:
        if name.endswith("_p_value"):  # of another test of the same differences; --json has it
            continue
        rows = [comparison.rows.get((variant, name)) for variant in comparison.variants]
        metric, best = comparison.family.metrics.get(name), comparison.best(name)
        arrow = ARROWS[metric.better] + (f"{metric.target:g}" if metric.target is not None else "") if metric else ""
        values = [number(row.value) if row else "" for row in rows]
        bold = [
            tables.Bold(text) if one in best else text for one, text in zip(comparison.variants, values, strict=True)
        ]
        label = comparison.label(name).replace("@", " @")  # may be wrapped there
        yield f"{label} {arrow}".strip(), bold
        if name == comparison.headline:
            yield from _comparing_columns(comparison, rows)


def _comparing_columns(comparison: Comparison, rows: Sequence[Row | None]) -> Iterator[Column]:
    intervals = [
        f"{number(row.low)}–{number(row.high)}" if row and row.low is not None and row.high is not None else ""
        for row in rows
    ]
    if any(intervals):
        yield "95 % interval", intervals
    if comparison.differences:
        differences = [comparison.differences.get(variant) for variant in comparison.variants]
        signed = [f"{'+' if row.value > 0 else ''}{number(row.value)}" if row else "" for row in differences]
        yield f"vs {comparison.family.default}", signed
        yield "p", [p_value(row.p_value) if row and row.p_value is not None else "" for row in differences]
