"""A model card: what a version answers, how it was tested and what it is for, in words that need no statistics."""

from pozytywka_cli.artifacts.manifest import Draft, Origin
from pozytywka_cli.records import Gate, Input, Row

INTERVALS = "In brackets: the range that chance leaves open, at 95 % confidence."


def card(origin: Origin, draft: Draft) -> str:
    """The card as Markdown."""
    sections = {
        "Made from": _data(origin),
        "How it was tested": draft.card.protocol,
        "Figures": _figures(draft),
        "Decision": _decision(draft.gate),
        "Use it for": draft.card.use,
        "Do not use it for": draft.card.not_for,
        "Limits": "\n\n".join([draft.card.limits, *draft.notes]),
    }
    titled = [f"## {title}\n\n{text}" for title, text in sections.items()]
    return "\n\n".join([f"# {origin.family}: {draft.variant}", draft.card.question, *titled]) + "\n"


def _data(origin: Origin) -> str:
    """A line for each table, and one for all files of events: a log may come as one a day."""
    tables = [f"- {given.name}: {given.rows:,} rows" for given in origin.inputs if given.last is None]
    events = _events([given for given in origin.inputs if given.last is not None])
    until = [f"- nothing from {origin.until[:16].replace('T', ' ')} (UTC) on"] if origin.until else []
    return "\n".join([*tables, *events, *until])


def _events(files: list[Input]) -> list[str]:
    if not files:
        return []
    first, last = min(given.first or "" for given in files), max(given.last or "" for given in files)
    names = f"{files[0].name} and {len(files) - 1} more" if len(files) > 1 else files[0].name
    return [f"- {names}: {sum(given.rows for given in files):,} rows, {first[:10]} to {last[:10]}"]


def _figures(draft: Draft) -> str:
    """A table for each protocol, and what every name in them means."""
    rows = draft.metrics
    tables = [_table(name, [row for row in rows if row.protocol == name]) for name in _distinct(rows, "protocol")]
    names = [*_distinct(rows, "variant"), *_distinct(rows, "metric")]
    meanings = "\n".join(f"- {name}: {draft.card.glossary[name]}" for name in names if name in draft.card.glossary)
    ranged = any(row.low is not None for row in rows)
    return "\n\n".join(filter(None, [*tables, INTERVALS if ranged else "", meanings]))


def _table(protocol: str, rows: list[Row]) -> str:
    """A row for each metric and a column for each variant."""
    variants, cells = _distinct(rows, "variant"), {(row.metric, row.variant): _cell(row) for row in rows}
    body = [[metric, *(cells.get((metric, name), "–") for name in variants)] for metric in _distinct(rows, "metric")]
    head = [protocol, *variants]
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


def _decision(gate: Gate | None) -> str:
    if gate is None:
        return "It may serve: it is the plain baseline, beside which every model of this family is tested."
    baseline = f"`{gate.baseline_variant}`"
    verdict = "It may serve." if gate.passed else f"It may not serve; {baseline} serves in its place."
    rule = f"A model may serve unless it is shown to be worse than {baseline} by more than {_number(gate.margin)}."
    if gate.low == gate.high == 0:
        return f"{verdict} Its {gate.metric} is that of {baseline}: {_number(gate.value)}. {rule}"
    return (
        f"{verdict} Its {gate.metric} is {_worse(gate.difference)} than that of {baseline} ({_number(gate.value)} "
        f"beside {_number(gate.baseline)}); allowing for chance, between {_worse(gate.low)} and {_worse(gate.high)} "
        f"with 95 % confidence. {rule}"
    )


def _worse(difference: float) -> str:
    return f"{_number(abs(difference))} {'worse' if difference > 0 else 'better'}"
