"""The rule duplicate: events that are delivered twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_cli.dataset.duplicates import repeats

COLUMNS = {"number": pl.Int64, "text": pl.String}


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["a", "b", None])), max_size=30))
def test_each_repeated_row_names_the_first_one(rows: list[tuple[int, str | None]]) -> None:
    """What a loop finds; nulls are equal to each other."""
    frame = pl.DataFrame(rows, schema=COLUMNS, orient="row")
    expected = [(number, rows.index(row)) for number, row in enumerate(rows) if rows.index(row) < number]
    assert repeats(frame, list(COLUMNS)).rows() == expected


def test_repeated_events_are_named_with_the_first_line(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """An event that differs in any column, or whose line has an error, is no duplicate; the spelling does not count."""
    place = folder(
        sessions=[
            line("sessions"),
            line("sessions", timestamp='"2023-05-01T10:00:01"'),
            line("sessions", event_type='"play"'),
            line("sessions", event_type='"SKIP"', track_id="null", timestamp='"2023-05-01T10:00:02"'),
            line("sessions", event_type='"SKIP"', track_id='""', timestamp='"2023-05-01T10:00:02"'),
            line("sessions", event_type='"STOP"'),
            line("sessions", event_type='"HALT"'),
        ]
    )
    assert [violation for violation in found(place) if violation[1] == "duplicate"] == [
        (
            "sessions",
            "duplicate",
            None,
            "warning",
            2,
            [("sessions.jsonl:3", "same as sessions.jsonl:1"), ("sessions.jsonl:5", "same as sessions.jsonl:4")],
        )
    ]


def test_a_copied_file_is_named_with_the_number_of_its_lines(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """It comes before single lines; bad lines in it do not hide that all the good ones are repeated."""
    place = folder(sessions=None)
    days = [[line("sessions", timestamp=f'"2023-05-0{day}T10:00:0{s}"') for s in range(5)] for day in (1, 2)]
    (place / "sessions").mkdir()
    for name, lines in (("1", days[0]), ("2", days[1]), ("2b", [*days[1], "{"]), ("3", [days[0][0]] * 2)):
        (place / "sessions" / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    ((*_, count, examples),) = [violation for violation in found(place) if violation[1] == "duplicate"]
    assert count == 7
    assert [file for file, _ in examples[:2]] == ["2b.jsonl:None", "3.jsonl:None"]
    assert "all 5 good lines" in examples[0][1]
    assert examples[2:] == [(f"2b.jsonl:{number}", f"same as 2.jsonl:{number}") for number in (1, 2, 3)]


def test_other_violations_stay_as_read(
    line: Callable[..., str], folder: Callable[..., Path], found: Callable[..., list[Any]]
) -> None:
    """A faulty line counts as often as it is there."""
    lines = [line("sessions"), line("sessions", user_id="9")]
    violations = {violation[1]: violation[4] for violation in found(folder(sessions=lines * 3))}
    assert violations == {"reference": 3, "duplicate": 4}
