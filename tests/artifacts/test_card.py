"""The model card: data, protocol, metrics, decision, use and limits on one page."""

from dataclasses import replace

import pytest
from msgspec import structs

from pozytywka_cli.artifacts import CardText, Draft, Origin
from pozytywka_cli.artifacts.draft import card
from pozytywka_cli.records import Gate, Input, Metric, Row

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
TEXT = CardText(
    question="Will it rain?",
    protocol="It was tested on later days.",
    use="Taking an umbrella.",
    not_for="Building a dam.",
    limits="Snow is unknown to it.",
    glossary={"net": "a network", "mean": "the usual weather", "x": "not shown"},
    metrics={
        "wind": Metric("wind", "higher", "the speed of the wind"),
        "log_loss": Metric("log loss", "lower", "the negative log likelihood"),
        "coverage": Metric("coverage", "target", "the share within the interval", target=0.8),
    },
)
DRAFT = Draft(
    variant="net",
    write=lambda _: None,
    signature={},
    metrics=[
        Row("demo", "net", "time split", "log_loss", 0.5, 0.4, 0.6),
        Row("demo", "net", "time split", "coverage", 0.75),
        Row("demo", "net", "time split", "wind", 1234.56),
        Row("demo", "mean", "time split", "log_loss", 0.7),
    ],
    card=TEXT,
    gate=Gate("log_loss", 0.5, 0.7, "mean", -0.2, -0.3, -0.1, 0.001),
    notes=["The log is short."],
)


def sections(text: str) -> dict[str, str]:
    """The sections of a card by their titles; the part before the first one has the title ""."""
    head, *others = text.split("\n\n## ")
    return {"": head, **dict(other.rstrip("\n").split("\n\n", 1) for other in others)}


def test_a_card_has_everything_to_decide_by() -> None:
    """Question, data, protocol, decision, use and limits, with the notes of the run; the same every time."""
    found = sections(card(ORIGIN, DRAFT))
    assert card(ORIGIN, DRAFT) == card(ORIGIN, DRAFT)
    assert found[""].splitlines() == ["# demo: net", "", "Will it rain?"]
    lines = found["Data"].splitlines()
    assert lines[:2] == ["- users.jsonl: 1,200 rows", "- sessions.jsonl: 48,094 rows, 2025-06-09 to 2026-01-04"]
    assert "2026-02-01 12:00" in lines[2]
    assert found["How it was tested"] == TEXT.protocol
    assert (found["Use it for"], found["Do not use it for"]) == (TEXT.use, TEXT.not_for)
    assert found["Limits"].splitlines() == [TEXT.limits, "", "The log is short."]


def test_metrics_are_shown_by_their_labels_and_explained() -> None:
    """A row for each metric, a column for each variant; below it what each name means and which way is better."""
    found = sections(card(ORIGIN, DRAFT))["Metrics"]
    table, intervals, meanings = found.split("\n\n")
    assert [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if "---" not in line] == [
        ["time split", "net", "mean"],
        ["log loss", "0.5000 (0.4000 to 0.6000)", "0.7000"],
        ["coverage", "0.7500", "–"],
        ["wind", "1,234.6", "–"],
    ]
    assert len({len(line) for line in table.splitlines()}) == 1
    assert "95 %" in intervals
    assert [line.partition(":")[0] for line in meanings.splitlines()] == [
        "- net",
        "- mean",
        "- log loss",
        "- coverage",
        "- wind",
    ]
    assert "lower is better" in meanings
    assert "best at 0.8" in meanings
    assert "not shown" not in found


@pytest.mark.parametrize(
    ("gate", "parts"),
    [
        (None, ["no test", "baseline"]),
        (
            Gate("coverage", 745.25, 744.75, "mean", 0.5, -0.25, 1.25, 3.75),
            ["passed", "coverage", "0.5000 worse", "745.2", "744.8", "0.2500 better", "1.2500 worse", "3.7500"],
        ),
        (
            Gate("PM", 0.1, 0.3, "popularity", 0.2, 0.1, 0.3, 0.01),
            ["failed", "`popularity` is promoted", "PM", "0.2000 worse", "0.1000 worse", "0.3000 worse", "0.0100"],
        ),
        (Gate("PM", 0.1, 0.3, "popularity", 0.2, None, None, 0.01), ["passed", "0.2000 worse", "too little data"]),
        (Gate("log_loss", 0.625, 0.625, "constant", 0.0, 0.0, 0.0, 0.001), ["passed", "log loss", "equals", "0.6250"]),
    ],
    ids=["baseline", "chance", "worse", "unknown", "equal"],
)
def test_the_decision_is_explained(gate: Gate | None, parts: list[str]) -> None:
    """For a baseline, and a model within the margin, shown to be worse, of unknown interval, equal to the baseline."""
    found = sections(card(ORIGIN, replace(DRAFT, gate=gate)))["Decision"]
    assert [part for part in parts if part not in found] == []


def test_a_log_of_many_files_is_one_line() -> None:
    """Rows are added up, from the first day to the last."""
    days = [
        Input(f"2026-01-0{day}.jsonl", "", 1, 1000, f"2026-01-0{day}T01", f"2026-01-0{day}T23") for day in (1, 2, 3)
    ]
    assert sections(card(structs.replace(ORIGIN, inputs=days, until=None), DRAFT))["Data"] == (
        "- 2026-01-01.jsonl and 2 more: 3,000 rows, 2026-01-01 to 2026-01-03"
    )


def test_every_protocol_has_a_table() -> None:
    """Metrics of two protocols never share a table."""
    rows = [Row("demo", "net", protocol, "AUC", value) for protocol, value in (("time", 0.75), ("user", 0.5))]
    found = sections(card(ORIGIN, replace(DRAFT, metrics=rows, card=structs.replace(TEXT, glossary={}))))["Metrics"]
    time, user = found.split("\n\n")
    assert (time.splitlines()[0], time.splitlines()[2]) == ("| time | net    |", "| AUC  | 0.7500 |")
    assert (user.splitlines()[0], user.splitlines()[2]) == ("| user | net    |", "| AUC  | 0.5000 |")
