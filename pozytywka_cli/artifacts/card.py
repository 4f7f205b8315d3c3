"""The model card of a version: its question, data, test, metrics, decision, use and limits."""

from pozytywka_cli.artifacts.draft import CardText, Draft, Origin
from pozytywka_cli.records import Gate, Input, Row


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
        lines.append(_events(events))
    if origin.until:
        lines.append(f"- only events before {origin.until[:16].replace('T', ' ')} (UTC)")
    return "\n".join(lines)


def _events(files: list[Input]) -> str:
    first, last = min(file.first or "" for file in files), max(file.last or "" for file in files)
    names = f"{files[0].name} and {len(files) - 1} more" if len(files) > 1 else files[0].name
    return f"- {names}: {sum(file.rows for file in files):,} rows, {first[:10]} to {last[:10]}"


def _metrics(rows: list[Row], text: CardText) -> str:
    """Return a table for each protocol, and the meanings of all names in them."""
    tables = [_table([row for row in rows if row.protocol == name], text) for name in _distinct(rows, "protocol")]
    if any(row.low is not None for row in rows):
        tables.append("In brackets: the 95 % confidence interval.")
    meanings = [f"- {name}: {text.glossary[name]}" for name in _distinct(rows, "variant") if name in text.glossary]
    for metric in (text.metrics[name] for name in _distinct(rows, "metric") if name in text.metrics):
        best = f"{metric.better} is better" if metric.target is None else f"best at {metric.target:g}"
        meanings.append(f"- {metric.label}: {metric.meaning}; {best}")
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
    return (
        f"{verdict} Its {metric} is {_compared(gate.difference)} than that of {baseline}: {_number(gate.value)} "
        f"and {_number(gate.baseline)}. The 95 % confidence interval of the difference is from {_compared(gate.low)} "
        f"to {_compared(gate.high)}. {rule}"
    )


def _compared(difference: float) -> str:
    return f"{_number(abs(difference))} {'worse' if difference > 0 else 'better'}"
