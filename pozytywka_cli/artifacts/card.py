"""A model card: what a version was made from, how good it is beside its baseline, and what it is not for."""

from pozytywka_cli.artifacts.manifest import Draft, Origin


def card(origin: Origin, draft: Draft) -> str:
    """The card as Markdown."""
    inputs = [f"- {i.name}: {i.rows:,} rows" + (f", {i.first} to {i.last}" if i.first else "") for i in origin.inputs]
    figures = [f"| {r.variant} | {r.protocol} | {r.metric} | {r.value:.4f} |" for r in draft.metrics]
    sections = (
        (f"# {origin.family}: {draft.variant}", [draft.use]),
        ("## Data", [*inputs, *([f"- up to {origin.until}"] if origin.until else [])]),
        (
            "## Figures on data later than what it was trained on",
            ["| model | protocol | metric | value |", "|---|---|---|---|", *figures],
        ),
        ("## Decision", [_decision(draft)]),
        ("## Limits", [draft.limits, *[f"- {note}" for note in draft.notes]]),
    )
    return "\n\n".join(f"{title}\n\n" + "\n".join(lines) for title, lines in sections) + "\n"


def _decision(draft: Draft) -> str:
    gate = draft.gate
    if gate is None:
        return "This is the baseline itself; nothing was tested against it."
    verdict = "not shown to be worse by more than" if gate.passed else "shown to be worse by more than"
    return (
        f"{gate.metric}: {gate.value:.4f} beside {gate.baseline:.4f} of `{gate.baseline_variant}`; "
        f"worse by {gate.difference:.4f} ({gate.low:.4f} to {gate.high:.4f}): "
        f"{verdict} the margin of {gate.margin:.4g}."
    )
