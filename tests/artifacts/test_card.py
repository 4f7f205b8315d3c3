"""The model card: everything that a person decides by, on one page."""

from dataclasses import replace

import pytest

from pozytywka_cli.artifacts import Draft, Origin
from pozytywka_cli.artifacts.card import card
from pozytywka_cli.records import Gate, Input, Row

ORIGIN = Origin(
    "demo",
    "net",
    {"epochs": 3},
    0,
    "cpu",
    "2026-02-01T12:00:00+00:00",
    [
        Input("users.jsonl", "ab" * 32, 10, 1200),
        Input("sessions.jsonl", "cd" * 32, 10, 48_094, "2025-06-09T00:40:30Z", "2026-01-04T23:41:30Z"),
    ],
)
BETTER = Gate("log loss", 0.5, 0.7, "mean", -0.2, -0.3, -0.1, 0.001)
DRAFT = Draft(
    variant="net",
    write=lambda _: None,
    signature={},
    metrics=[
        Row("demo", "net", "time", "log loss", 0.5, 0.4, 0.6),
        Row("demo", "net", "time", "RMSE", 1234.56),
        Row("demo", "mean", "time", "log loss", 0.7),
    ],
    question="Will it rain?",
    protocol="It was asked about what came later.",
    use="Taking an umbrella.",
    not_for="Building a dam.",
    limits="Knows nothing of snow.",
    glossary={
        "log loss": "how surprised it is; lower is better",
        "net": "a network",
        "mean": "what is usual",
        "x": "not shown",
    },
    gate=BETTER,
    notes=["The log is short."],
)

CARD = """\
# demo: net

Will it rain?

## Made from

- users.jsonl: 1,200 rows
- sessions.jsonl: 48,094 rows, 2025-06-09 to 2026-01-04
- nothing from 2026-02-01 12:00 (UTC) on

## How it was tested

It was asked about what came later.

## Figures

| time     | net                       | mean   |
| -------- | ------------------------- | ------ |
| log loss | 0.5000 (0.4000 to 0.6000) | 0.7000 |
| RMSE     | 1,234.6                   | –      |

In brackets: the range that chance leaves open, at 95 % confidence.

- net: a network
- mean: what is usual
- log loss: how surprised it is; lower is better

## Decision

It may serve. Its log loss is 0.2000 better than that of `mean` (0.5000 beside 0.7000); allowing for chance, \
between 0.3000 better and 0.1000 better with 95 % confidence. \
A model may serve unless it is shown to be worse than `mean` by more than 0.0010.

## Use it for

Taking an umbrella.

## Do not use it for

Building a dam.

## Limits

Knows nothing of snow.

The log is short.
"""


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n\n")[1].split("\n\n## ")[0].removesuffix("\n")


def test_the_whole_card() -> None:
    """What it answers, is made from, how it was tested and decided, and what it is not for; the same every time."""
    assert card(ORIGIN, DRAFT) == CARD


@pytest.mark.parametrize(
    ("gate", "decision"),
    [
        (None, "It may serve: it is the plain baseline, beside which every model of this family is tested."),
        (
            Gate("RMSE", 745.25, 744.75, "mean", 0.5, -0.25, 1.25, 3.75),
            "It may serve. Its RMSE is 0.5000 worse than that of `mean` (745.2 beside 744.8); allowing for chance, "
            "between 0.2500 better and 1.2500 worse with 95 % confidence. "
            "A model may serve unless it is shown to be worse than `mean` by more than 3.7500.",
        ),
        (
            Gate("PM", 0.1, 0.3, "popularity", 0.2, 0.1, 0.3, 0.01),
            "It may not serve; `popularity` serves in its place. Its PM is 0.2000 worse than that of `popularity` "
            "(0.1000 beside 0.3000); allowing for chance, between 0.1000 worse and 0.3000 worse with 95 % confidence. "
            "A model may serve unless it is shown to be worse than `popularity` by more than 0.0100.",
        ),
        (
            Gate("log loss", 0.625, 0.625, "constant", 0.0, 0.0, 0.0, 0.001),
            "It may serve. Its log loss is that of `constant`: 0.6250. "
            "A model may serve unless it is shown to be worse than `constant` by more than 0.0010.",
        ),
    ],
    ids=["baseline", "chance", "worse", "the same"],
)
def test_the_decision_is_said_in_words(gate: Gate | None, decision: str) -> None:
    """A baseline, a model within its margin, one shown to be worse, and one that is the baseline itself."""
    assert section(card(ORIGIN, replace(DRAFT, gate=gate)), "Decision") == decision


def test_a_log_of_many_files_is_one_line() -> None:
    """Rows add up, and the days are the first and the last of all."""
    days = [
        Input(f"2026-01-0{day}.jsonl", "", 1, 1000, f"2026-01-0{day}T01", f"2026-01-0{day}T23") for day in (1, 2, 3)
    ]
    assert section(card(replace(ORIGIN, inputs=days, until=None), DRAFT), "Made from") == (
        "- 2026-01-01.jsonl and 2 more: 3,000 rows, 2026-01-01 to 2026-01-03"
    )


def test_every_protocol_has_a_table() -> None:
    """Figures of two protocols never share a row."""
    metrics = [Row("demo", "net", protocol, "AUC", value) for protocol, value in (("time", 0.75), ("user", 0.5))]
    assert section(card(ORIGIN, replace(DRAFT, metrics=metrics, glossary={})), "Figures") == (
        "| time | net    |\n| ---- | ------ |\n| AUC  | 0.7500 |\n\n"
        "| user | net    |\n| ---- | ------ |\n| AUC  | 0.5000 |"
    )
