"""An evaluation for people: a table for each protocol (variants in rows, metrics in columns), and its conclusions."""

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pozytywka_cli.artifacts import Manifest, Store
from pozytywka_cli.commands import tables
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families.family import Family
from pozytywka_cli.records import LEAST_P_VALUE, SIGNIFICANT, Gate, Row

ARROWS = {"lower": "↓", "higher": "↑", "target": "→", "neither": ""}
Column = tuple[str, list[str]]  # header and cells


@dataclass(frozen=True)
class Comparison:
    """The variants of a family under one protocol: the reference first, then from the best to the worst.

    metrics: all that were measured, the family's headline metric first
    rows: by variant and metric
    differences: of the headline metric, to the reference, by variant
    least_p_values: that these differences could have, by variant, where none can be significant
    """

    family: Family
    protocol: str
    variants: Sequence[str]
    metrics: Sequence[str]
    rows: Mapping[tuple[str, str], Row]
    differences: Mapping[str, Row]
    least_p_values: Mapping[str, float]

    def best(self, name: str) -> list[str]:
        """Return the variants with the best value of a metric; none where no direction is better."""
        losses = {variant: _loss(self.family, self.rows.get((variant, name))) for variant in self.variants}
        least = min(losses.values())
        return [variant for variant, loss in losses.items() if loss == least and math.isfinite(loss)]


def comparisons(family: Family, rows: Sequence[Row]) -> Iterator[Comparison]:
    """Yield the comparison of each protocol, in the order of the rows."""
    order = {name: place for place, name in enumerate(family.metrics)}
    difference = f"{next(iter(order))}_difference"
    for protocol in dict.fromkeys(row.protocol for row in rows):
        found = [row for row in rows if row.protocol == protocol]
        differences = {row.variant: row for row in found if row.metric == difference}
        measured = {(row.variant, row.metric): row for row in found if row.metric != difference}
        metrics = sorted(dict.fromkeys(name for _, name in measured), key=lambda name: order.get(name, len(order)))
        headline = {variant: measured.get((variant, metrics[0])) for variant, _ in measured}
        ranks = {name: (name != family.reference, row is None, _loss(family, row)) for name, row in headline.items()}
        least = {row.variant: row.value for row in found if row.metric == difference + LEAST_P_VALUE}
        yield Comparison(family, protocol, sorted(ranks, key=ranks.__getitem__), metrics, measured, differences, least)


def _loss(family: Family, row: Row | None) -> float:
    """Return a number that is lower for a better value; infinite for NaN, and where no direction is better."""
    metric = family.metrics.get(row.metric) if row else None
    if row is None or metric is None or metric.better == "neither" or math.isnan(row.value):
        return math.inf
    if metric.better == "target":
        return abs(row.value - (metric.target or 0.0))
    return row.value if metric.better == "lower" else -row.value


def number(value: float) -> str:
    """Format a metric: four decimals below 1, at least four digits above."""
    size = abs(value)
    return f"{value:.4f}" if size < 1 else f"{value:#.4g}" if size < 1000 else f"{value:,.0f}"


def report(family: Family, rows: Sequence[Row], store: Store) -> None:
    """Print the comparisons of a family, each with its conclusion, and which version is promoted."""
    for comparison in comparisons(family, rows):
        show(comparison)
        print(textwrap.fill(conclusion(comparison), tables.WIDTH), end="\n\n")
    print(textwrap.fill(promotion(family, store), tables.WIDTH), end="\n\n")


def show(comparison: Comparison) -> None:
    """Print a comparison; metrics that do not fit into the width are named below it."""
    columns, gap, hidden = list(_columns(comparison)), 2, []
    while sum(_width(column) + gap for column in columns) > tables.WIDTH + gap:
        if gap == 1:
            hidden.append(columns.pop()[0])
        gap = 1
    headers = ["\n".join(textwrap.wrap(column[0], _width(column))) for column in columns]
    rows = zip(*(cells for _, cells in columns), strict=True)
    title = f"{comparison.family.name}, {comparison.protocol}"
    tables.table(title, headers, rows, right=range(1, len(columns)), gap=gap)
    if hidden:
        text = f"Too wide for this table: {', '.join(reversed(hidden))}; --json has them."
        print(textwrap.fill(text, tables.WIDTH))


def _width(column: Column) -> int:
    header, cells = column
    return max(len(text) for text in (*header.split(), *cells))


def _columns(comparison: Comparison) -> Iterator[Column]:
    """Yield the columns, the headline metric with its interval and differences first."""
    yield "variant", list(comparison.variants)
    for name in comparison.metrics:
        if name.endswith("_p_value"):  # of another test of the same differences, or the least one; --json has them
            continue
        rows = [comparison.rows.get((variant, name)) for variant in comparison.variants]
        metric, best = comparison.family.metrics.get(name), comparison.best(name)
        arrow = ARROWS[metric.better] + (f"{metric.target:g}" if metric.target is not None else "") if metric else ""
        label = _label(comparison.family, name).replace("@", " @")  # may be wrapped there
        values = [(number(row.value), row.variant in best) if row else ("", False) for row in rows]
        yield f"{label} {arrow}".strip(), [tables.Bold(text) if is_best else text for text, is_best in values]
        if name != comparison.metrics[0]:
            continue
        bounds = [(row.low, row.high) if row else (None, None) for row in rows]
        intervals = ["" if low is None or high is None else f"{number(low)}–{number(high)}" for low, high in bounds]
        if any(intervals):
            yield "95 % interval", intervals
        if comparison.differences:
            differences = [comparison.differences.get(variant) for variant in comparison.variants]
            signed = [f"{'+' if row.value > 0 else ''}{number(row.value)}" if row else "" for row in differences]
            yield f"vs {comparison.family.reference}", signed
            yield "p", [_p_value(row.p_value) if row and row.p_value is not None else "" for row in differences]


def _p_value(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _label(family: Family, name: str) -> str:
    """Return the name of a metric for people."""
    return family.metrics[name].label if name in family.metrics else name.replace("_", " ")


def conclusion(comparison: Comparison) -> str:
    """Return which variant is best by the headline metric, and whether its lead is more than chance."""
    headline, reference = comparison.metrics[0], comparison.family.reference
    best, differences = comparison.best(headline), comparison.differences
    if best in ([], ["truth"]):  # the best possible value on generated data is no variant
        return ""
    value = number(comparison.rows[best[0], headline].value)
    sentence = f"Best by {_label(comparison.family, headline)}: {' and '.join(best)} ({value})."
    if best[0] != reference and best[0] in differences:
        sentence += f" Its difference from {reference} {_significance(comparison, best[0])}."
    others = [variant for variant in comparison.variants if variant not in best and variant in differences]
    if best == [reference] and others:
        sentence += f" Its lead over {others[0]}, the next best, {_significance(comparison, others[0])}."
    return sentence


def _significance(comparison: Comparison, variant: str) -> str:
    """Return whether the difference between a variant and the reference is more than chance, if that can be told."""
    difference, least = comparison.differences[variant], comparison.least_p_values.get(variant)
    if difference.p_value is None:
        return f"is {number(abs(difference.value))}"
    if least is not None:
        few = f"with so few users or artists no p is below {_p_value(least)}"
        return f"cannot be told from chance ({number(abs(difference.value))}): {few}"
    verdict = "is more than chance" if difference.p_value < SIGNIFICANT else "may be chance"
    sign = "" if difference.p_value < 0.001 else "= "
    return f"{verdict} ({number(abs(difference.value))}, p {sign}{_p_value(difference.p_value)})"


def promotion(family: Family, store: Store) -> str:
    """Return which version of a family is promoted, and why."""
    name = store.promoted(family.name)
    if name is None:
        return f"No version of {family.name} is promoted; train one with `pozytywka train {family.name}`."
    try:
        made = store.manifest(family.name, name)
    except ArtifactError as error:
        return f"{error.message}. {error.hint}"
    return f"Promoted: {made.variant} {made.version}{_reason(family, store, made)}."


def _reason(family: Family, store: Store, made: Manifest) -> str:
    if made.fallback_for:
        return f", a fallback for {made.fallback_for}"
    chosen = f", better than {made.chosen_over} on the validation part" if made.chosen_over else ""
    if gate := made.gate:
        verdict = "not worse than" if gate.passed else "by hand, although worse than"
        return f"{chosen}, {verdict} {gate.baseline_variant} ({_against(family, gate)})"
    for name in reversed(store.names(family.name)) if made.variant == family.baseline else ():
        with suppress(ArtifactError):  # the newest model that did not pass the gate is why the baseline is promoted
            model = store.manifest(family.name, name)
            if model.gate and not model.gate.passed and model.inputs == made.inputs:
                worse = f"{model.variant} {model.version} was worse ({_against(family, model.gate)})"
                return f", the baseline, as {worse}"
    return ""


def _against(family: Family, gate: Gate) -> str:
    return f"{_label(family, gate.metric)} {number(gate.value)} against {number(gate.baseline)}"
