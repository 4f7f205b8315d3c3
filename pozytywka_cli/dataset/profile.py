"""Profile tables: rows, nulls, distinct values, ranges, means, and the counts of values where there are few."""

from collections import Counter
from typing import NamedTuple

from pozytywka_cli.dataset.read import Reading
from pozytywka_cli.dataset.tables import Column, Kind

FEW = 20  # columns with at most this many distinct values have each value counted
BLANKS = ("nulls", "empty", "minus one")
Value = int | float | str | None


class Fact(NamedTuple):
    """One statistic of a table, or of one of its columns."""

    table: str
    column: str | None
    statistic: str
    value: Value


def profile(readings: dict[str, Reading]) -> list[Fact]:
    """Return the statistics of every table and column, in order."""
    facts = []
    for name, reading in readings.items():
        facts += [Fact(name, None, "files", len(reading.paths)), Fact(name, None, "rows", reading.lines)]
        if name == "sessions":
            pairs = reading.frame.select("user_id", "session_id").drop_nulls()
            facts.append(Fact(name, None, "sessions", pairs.n_unique()))
        for column in reading.table.columns:
            facts += [Fact(name, column.name, *pair) for pair in _of_column(reading, column)]
    return facts


def _of_column(reading: Reading, column: Column) -> list[tuple[str, Value]]:
    values, is_id = reading.frame[column.name], column.references or column.name in (reading.table.key, "session_id")
    counted = Counter({statistic: count for (name, statistic), count in reading.counts.items() if name == column.name})
    blanks = [(blank, counted.pop(blank, 0)) for blank in BLANKS]
    facts: list[tuple[str, Value]] = [(blank, count) for blank, count in blanks if count or blank == "nulls"]
    if column.words:
        return [*facts, *_sorted(counted)]
    if column.kind is Kind.TEXTS:
        return facts
    distinct = values.drop_nulls().n_unique()
    facts.append(("distinct", distinct))
    if column.kind in (Kind.INTEGER, Kind.KEY, Kind.NUMBER, Kind.TIME) and distinct:
        facts += [("min", _plain(values.min())), ("max", _plain(values.max()))]
    if column.kind in (Kind.INTEGER, Kind.NUMBER) and not is_id:
        facts.append(("mean", values.mean()))  # type: ignore[arg-type]
    if column.name in reading.units:
        facts.append(("unit", reading.units[column.name]))
    if distinct <= FEW and not column.personal and not is_id:
        by_value = values.drop_nulls().value_counts().iter_rows()
        facts += _sorted({f"count of {_plain(value)}": count for value, count in by_value})
    return facts


def _sorted(counts: dict[str, int]) -> list[tuple[str, int]]:
    """Return the count of each value, the most frequent first; blanks are counted elsewhere."""
    known = [item for item in counts.items() if item[0] not in ("count of ", "count of -1")]
    return sorted(known, key=lambda item: (-item[1], item[0]))


def _plain(value: object) -> int | float | str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, int | float) else value.isoformat() if hasattr(value, "isoformat") else str(value)
