"""What an evaluation shows, in sentences that are made from its rows."""

from collections.abc import Iterator

from pozytywka_cli.artifacts import Store
from pozytywka_cli.artifacts.manifest import Manifest
from pozytywka_cli.commands.evaluation_table import Comparison, number, p_value
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families.family import Family
from pozytywka_cli.records import Gate, Row

SIGNIFICANT = 0.05
TRUTH = "truth"  # the row of the best possible value on generated data


def conclusion(comparison: Comparison) -> str:
    """Return which variant is best by the headline metric, and whether its lead is more than chance."""
    return " ".join(_sentences(comparison))


def _sentences(comparison: Comparison) -> Iterator[str]:
    headline, default = comparison.headline, comparison.family.default
    best = comparison.best(headline)
    if best in ([], [TRUTH]):
        return
    value = number(comparison.rows[best[0], headline].value)
    yield f"Best by {comparison.label(headline)}: {' and '.join(best)} ({value})."
    if best[0] != default and (difference := comparison.differences.get(best[0])):
        yield f"Its difference from the default {default} {_significance(difference)}."
    others = [variant for variant in comparison.variants if variant not in best and variant in comparison.differences]
    if best == [default] and others:
        yield f"Its lead over {others[0]}, the next best, {_significance(comparison.differences[others[0]])}."


def _significance(difference: Row) -> str:
    if difference.p_value is None:
        return f"is {number(abs(difference.value))}"
    verdict = "is more than chance" if difference.p_value < SIGNIFICANT else "may be chance"
    sign = "" if difference.p_value < 0.001 else "= "
    return f"{verdict} ({number(abs(difference.value))}, p {sign}{p_value(difference.p_value)})"


def promotion(family: Family, store: Store) -> str:
    """Return which version of a family is promoted, and why."""
    name = store.promoted(family.name)
    if name is None:
        return f"No version of {family.name} is promoted; train one with `pozytywka train {family.name}`."
    try:
        promoted = store.manifest(family.name, name)
    except ArtifactError as error:
        return f"{error.message}. {error.hint}"
    return f"Promoted: {promoted.variant} {promoted.version}{_reason(family, store, promoted)}."


def _reason(family: Family, store: Store, promoted: Manifest) -> str:
    if promoted.fallback_for:
        return f", as there is too little data for {promoted.fallback_for}"
    if promoted.gate:
        baseline = promoted.gate.baseline_variant
        verdict = f"not worse than {baseline}" if promoted.gate.passed else f"by hand, although worse than {baseline}"
        return f", {verdict} ({_metrics(family, promoted.gate)})"
    if promoted.variant == family.baseline and (failed := _failed(family, store, promoted)):
        return f", the baseline, as {failed[0]} was worse ({_metrics(family, failed[1])})"
    return ""


def _metrics(family: Family, gate: Gate) -> str:
    metric = family.metrics.get(gate.metric)
    return f"{metric.label if metric else gate.metric} {number(gate.value)} against {number(gate.baseline)}"


def _failed(family: Family, store: Store, promoted: Manifest) -> tuple[str, Gate] | None:
    """Return the newest model that did not pass the gate, with its gate, if the baseline was promoted for it."""
    for name in reversed(store.names(family.name)):
        try:
            manifest = store.manifest(family.name, name)
        except ArtifactError:
            continue
        if manifest.gate and not manifest.gate.passed and manifest.inputs == promoted.inputs:
            return f"{manifest.variant} {manifest.version}", manifest.gate
    return None
