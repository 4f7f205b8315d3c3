"""Check events that are sent one by one against the rules of the table sessions."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import polars as pl

from pozytywka_cli.dataset.checking import rules
from pozytywka_cli.dataset.events import AHEAD, Event
from pozytywka_cli.dataset.reading.line_reader import read_lines
from pozytywka_cli.dataset.reading.read import combine
from pozytywka_cli.dataset.requests import Problem
from pozytywka_cli.dataset.tables import RULES, SESSIONS


def check(lines: Sequence[bytes], knows_track: Callable[[str], bool]) -> tuple[list[Event], list[Problem]]:
    """Return the good events of JSON lines, in their order, and what is wrong with lines.

    A line breaks the same rules as in a file, at the same levels; of those that need other lines or tables only `track`
    is checked. Lines that break a rule of level error are no events, others that break one are.

    Args:
        lines: one JSON object each, without line feeds.
        knows_track: whether an id is in the tracks table.
    """
    raw = read_lines(SESSIONS, b"".join(line + b"\n" for line in lines))
    reading = combine(SESSIONS, (), [raw])
    now = pl.lit(datetime.now(UTC) + AHEAD).cast(pl.Datetime("us", "UTC"))
    findings = rules.of_table(SESSIONS.name, {SESSIONS.name: reading}, now, warnings=False)
    problems = [
        Problem(line, column, f"breaks `{rule}` ({RULES[rule].level}): {value}")
        for line, rule, column, value in findings.select("line", "rule", "column", "value").iter_rows()
    ]
    errors = {line for line, rule in findings.select("line", "rule").iter_rows() if RULES[rule].level == "error"}
    columns = ("line", pl.col("timestamp").to_physical(), "user_id", "session_id", "track_id", "event_type")
    events = []
    for line, *fields in reading.frame.select(*columns).iter_rows():
        event = Event(*fields)
        if event.track_id is not None and not knows_track(event.track_id):
            problems.append(Problem(line, "track_id", f"breaks `track` (error): {event.track_id[:80]}"))
        elif line not in errors:
            events.append(event)
    return events, sorted(problems, key=lambda problem: problem.line)
