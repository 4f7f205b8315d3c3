"""A training run before it starts (`Origin`), a trained model before it is saved (`Draft`), and its model card."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from pozytywka_cli.records import Gate, Input, Metric, Row


class Origin(msgspec.Struct, frozen=True):
    """Everything that determines the result of a training run, known before it starts.

    rivals: the variants that may be chosen over this one, see `Draft`
    until: only events before this moment were used; ISO 8601
    code: the digest of the code and the libraries that compute the result, see `fingerprint.code_digest`
    builds_on: the fingerprint of the other family's version that this one asks, if there is one
    """

    family: str
    variant: str
    settings: dict[str, Any]
    seed: int
    device: str
    until: str | None
    inputs: list[Input]
    code: str = ""
    rivals: tuple[str, ...] = ()
    builds_on: str | None = None

    @property
    def fingerprint(self) -> str:
        """A SHA-256 over all fields; two runs with the same fingerprint give the same model."""
        inputs = sorted((table.name, table.sha256) for table in self.inputs)
        parts = [self.family, self.variant, self.settings, self.seed, self.device, self.until, inputs, self.code]
        parts += [self.rivals, self.builds_on]
        return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


class CardText(msgspec.Struct, frozen=True):
    """The sentences of a model card, for readers without knowledge of statistics.

    question: the question that the model answers
    protocol: how the model was tested
    use, not_for, limits: what to use it for, what not to use it for, and what it cannot know
    glossary: descriptions of the variants by name
    metrics: labels, directions and meanings of the metrics by their name in JSON
    """

    question: str
    protocol: str
    use: str
    not_for: str
    limits: str
    glossary: Mapping[str, str]
    metrics: Mapping[str, Metric] = {}


@dataclass(frozen=True)
class Draft:
    """A trained model that is not saved yet.

    write: writes the model's files into an empty folder
    signature: names and types of the `inputs` and `outputs` of a prediction
    metrics: those of the model and of the baselines
    fallback_for: the variant that was to be trained, where there was too little data for it, or it was not shown to be
        better, and this is a substitute
    chosen_over: the family's default variant, where this rival was shown to be better on the validation part
    limited: there was too little data for the settings as given; the notes have the details
    epochs: a record for each epoch of training
    """

    variant: str
    write: Callable[[Path], None]
    signature: dict[str, dict[str, str]]
    metrics: list[Row]
    card: CardText
    gate: Gate | None = None
    notes: list[str] = field(default_factory=list)
    fallback_for: str | None = None
    chosen_over: str | None = None
    limited: bool = False
    epochs: list[dict[str, float]] = field(default_factory=list)


def card(origin: Origin, draft: Draft) -> str:
    """Return the card as Markdown."""
    sections = {
        "Data": _data(origin),
        "How it was tested": draft.card.protocol,
        "Metrics": _metrics(draft.metrics, draft.card),
        "Decision": _decision(draft.gate, draft.card),
        "Use it for": draft.card.use,
        "Do not use it for": draft.card.not_for,
        "Limits": "\n\n".join([draft.card.limits, *draft.notes]),
    }
    titled = [f"## {title}\n\n{text}" for title, text in sections.items()]
    return "\n\n".join([f"# {origin.family}: {draft.variant}", draft.card.question, *titled]) + "\n"


def _data(origin: Origin) -> str:
    """Return a line for each table, and one for all files of events, of which there may be one for each day."""
    lines = [f"- {table.name}: {table.rows:,} rows" for table in origin.inputs if table.last is None]
    if events := [file for file in origin.inputs if file.last is not None]:
        first, last = min(file.first or "" for file in events), max(file.last or "" for file in events)
        more = f" and {len(events) - 1} more" if len(events) > 1 else ""
        rows = sum(file.rows for file in events)
        lines.append(f"- {events[0].name}{more}: {rows:,} rows, {first[:10]} to {last[:10]}")
    if origin.until:
        lines.append(f"- only events before {origin.until[:16].replace('T', ' ')} (UTC)")
    return "\n".join(lines)


def _metrics(rows: list[Row], text: CardText) -> str:
    """Return a table for each protocol, and the meanings of all names in them."""
    tables = [_table([row for row in rows if row.protocol == name], text) for name in _distinct(rows, "protocol")]
    if any(row.low is not None for row in rows):
        tables.append("In brackets: the 95 % confidence interval.")
    meanings = [f"- {name}: {text.glossary[name]}" for name in _distinct(rows, "variant") if name in text.glossary]
    for metric in (text.metrics[name] for name in _distinct(rows, "metric") if name in text.metrics):
        best = f"; {metric.better} is better" if metric.target is None else f"; best at {metric.target:g}"
        meanings.append(f"- {metric.label}: {metric.meaning}{'' if metric.better == 'neither' else best}")
    return "\n\n".join(filter(None, [*tables, "\n".join(meanings)]))


def _label(metric: str, text: CardText) -> str:
    return text.metrics[metric].label if metric in text.metrics else metric


def _table(rows: list[Row], text: CardText) -> str:
    """Return a table of one protocol with a row for each metric and a column for each variant."""
    variants, cells = _distinct(rows, "variant"), {(row.metric, row.variant): _cell(row) for row in rows}
    body = [
        [_label(metric, text), *(cells.get((metric, variant), "–") for variant in variants)]
        for metric in _distinct(rows, "metric")
    ]
    head = [rows[0].protocol, *variants]
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    lines = [head, ["-" * width for width in widths], *body]
    return "\n".join(f"| {' | '.join(map(str.ljust, line, widths))} |" for line in lines)


def _distinct(rows: list[Row], name: str) -> list[str]:
    return list(dict.fromkeys(getattr(row, name) for row in rows))


def _cell(row: Row) -> str:
    if row.low is None or row.high is None:
        return _number(row.value)
    return f"{_number(row.value)} ({_number(row.low)} to {_number(row.high)})"


def _number(value: float) -> str:
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.4f}"


def _decision(gate: Gate | None, text: CardText) -> str:
    if gate is None:
        return "There was no test: this is the baseline that every model of this family is compared with."
    baseline, metric = f"`{gate.baseline_variant}`", _label(gate.metric, text)
    verdict = "It passed the test." if gate.passed else f"It failed the test: {baseline} is promoted in its place."
    rule = f"A model fails if it is shown to be worse than {baseline} by more than {_number(gate.margin)}."
    if gate.low == gate.high == 0:
        return f"{verdict} Its {metric} equals that of {baseline}: {_number(gate.value)}. {rule}"
    interval = "There is too little data to tell more: the difference has no confidence interval."
    if gate.low is not None and gate.high is not None:
        bounds = f"{_compared(gate.low)} to {_compared(gate.high)}"
        interval = f"The 95 % confidence interval of the difference is from {bounds}."
    return (
        f"{verdict} Its {metric} is {_compared(gate.difference)} than that of {baseline}: {_number(gate.value)} "
        f"and {_number(gate.baseline)}. {interval} {rule}"
    )


def _compared(difference: float) -> str:
    return f"{_number(abs(difference))} {'worse' if difference > 0 else 'better'}"
