"""Profile tables: rows, nulls, distinct values, ranges, means, and the counts of values where there are few."""

from typing import NamedTuple

import polars as pl

from pozytywka_cli.dataset.read import Reading
from pozytywka_cli.dataset.tables import Column, Kind

FEW = 20  # columns with at most this many distinct values have each value counted


Value = int | float | str | None


class Fact(NamedTuple):
    """One statistic of a table, or of one of its columns."""

    table: str
    column: str | None
    statistic: str
    value: Value


def profile(readings: dict[str, Reading]) -> list[Fact]:
    """Return the statistics of every table and column, in order."""
    return [fact for reading in readings.values() for fact in _of_table(reading)]


def _of_table(reading: Reading) -> list[Fact]:
    name = reading.table.name
    facts = [Fact(name, None, "files", len(reading.paths)), Fact(name, None, "rows", reading.lines)]
    if name == "sessions":
        pairs = reading.frame.select("user_id", "session_id").drop_nulls()
        facts.append(Fact(name, None, "sessions", pairs.n_unique()))
    for column in reading.table.columns:
        facts += [Fact(name, column.name, *pair) for pair in _of_column(reading, column)]
    return facts


def _of_column(reading: Reading, column: Column) -> list[tuple[str, Value]]:
    values = reading.frame[column.name]
    facts: list[tuple[str, Value]] = list(_blanks(reading, column).items())
    if column.words:
        return [*facts, *_counts(reading.spelled[column.name])]
    if column.kind is Kind.TEXTS:
        return facts
    distinct = values.drop_nulls().n_unique()
    facts.append(("distinct", distinct))
    if column.kind in (Kind.INTEGER, Kind.NUMBER, Kind.TIME) and distinct:
        facts += [("min", _plain(values.min())), ("max", _plain(values.max()))]
    if column.kind in (Kind.INTEGER, Kind.NUMBER) and not _is_id(reading, column):
        facts.append(("mean", values.mean()))  # type: ignore[arg-type]
    if distinct <= FEW and not column.personal and not _is_id(reading, column):
        counts = values.drop_nulls().value_counts().iter_rows()
        facts += _counts({str(_plain(value)): count for value, count in counts})
    return facts


def _blanks(reading: Reading, column: Column) -> dict[str, int]:
    """Return how often a column is null, empty or -1, as written; values of a wrong type, null by now, are left out."""
    counts = dict(reading.blanks[column.name])
    wrong = (pl.col("column") == column.name) & (pl.col("rule") == "type")
    counts["nulls"] -= len(reading.findings.filter(wrong))
    return {name: count for name, count in counts.items() if count or name == "nulls"}


def _is_id(reading: Reading, column: Column) -> bool:
    return column.name == reading.table.key or column.references is not None or column.name == "session_id"


def _counts(counts: dict[str, int]) -> list[tuple[str, int]]:
    """Return the count of each value, the most frequent first; blanks are counted elsewhere."""
    known = {value: count for value, count in counts.items() if value not in ("", "-1")}
    return [
        (f"count of {value}", count) for value, count in sorted(known.items(), key=lambda item: (-item[1], item[0]))
    ]


def _plain(value: object) -> int | float | str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, int | float) else value.isoformat() if hasattr(value, "isoformat") else str(value)
