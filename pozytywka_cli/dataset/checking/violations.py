"""Violations: the findings of a table, counted by rule and column, with examples."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pozytywka_cli.dataset.checking import rules
from pozytywka_cli.dataset.checking.absent import absent_column, absent_columns
from pozytywka_cli.dataset.checking.findings import without_errors
from pozytywka_cli.dataset.reading.guard import shown
from pozytywka_cli.dataset.reading.read import Reading
from pozytywka_cli.dataset.tables import RULES, TABLES, Level

EXAMPLES = 3
FILES = 10  # that are named where all their lines are duplicates, at most
TITLE = ["id_artist", "name"]  # of a track


@dataclass(frozen=True)
class Example:
    """One place where a rule is broken; a missing table or an unread file has no line."""

    file: str
    line: int | None
    value: str

    def __str__(self) -> str:
        """Return file:line: value."""
        return ": ".join([f"{self.file}:{self.line}" if self.line else self.file, self.value])


@dataclass(frozen=True)
class Violation:
    """A rule that is broken `count` times in a column; column None: in whole lines or files."""

    table: str
    rule: str
    column: str | None
    level: Level
    count: int
    examples: list[Example]


def of_findings(reading: Reading, findings: pl.DataFrame, *, warnings: bool) -> Iterator[Violation]:
    """Count the findings of a table by rule and column, with the first few as examples."""
    name = reading.table.name
    if not reading.lines:
        yield _table_violation(name, shown(reading.paths[0]), "empty")
    place = pl.struct("file", "line", "value").sort_by("file", "line").head(EXAMPLES)
    for column in absent_columns(reading):
        problem, hint = absent_column(reading, column)
        example = Example(shown(reading.paths[0]), None, f"{problem}. {hint}")
        yield Violation(name, "column", column.name, column.level_if_absent, 1, [example])
    findings = findings.filter(pl.col("rule") != "column")  # of every line
    for rule, column, count, places in findings.group_by("rule", "column").agg(pl.len(), place).iter_rows():
        lines = reading.unknown[column] if rule == "extra" else count
        files = _whole_copies(reading, findings) if rule == "duplicate" else []
        yield _violation(reading, rule, column, lines, [*files, *(tuple(place.values()) for place in places)])
    if warnings and name in ("artists", "tracks"):
        rule, by = ("duplicate_name", ["name"]) if name == "artists" else ("duplicate_title", TITLE)
        names = rules.duplicates(reading, by).unique(by, keep="first", maintain_order=True)
        if len(names):  # the count is of names, not of lines
            places = names.select("file", "line", "name").head(EXAMPLES).rows()
            yield _violation(reading, rule, "name", len(names), places)


def _whole_copies(reading: Reading, findings: pl.DataFrame) -> list[tuple[int, None, str]]:
    """Return an example for each of the first files whose good lines all repeat earlier lines."""
    repeated = findings.filter(pl.col("rule") == "duplicate").group_by("file").len()
    good = without_errors(reading.frame, findings).group_by("file").len()
    copies = good.join(repeated, on=["file", "len"]).sort("file").head(FILES)
    return [(file, None, f"all {lines:,} good lines repeat earlier lines") for file, lines in copies.iter_rows()]


def _violation(reading: Reading, rule: str, column: str | None, count: int, places: list[tuple[Any, ...]]) -> Violation:
    """Return a violation of a table that was read; places are (file, line, value)."""
    known = {column.name: column.personal for column in reading.table.columns}
    # an unknown column of a table about people may say anything about them
    personal = rule != "json" and column is not None and known.get(column, any(known.values()))
    examples = [
        Example(shown(reading.paths[file]), line, "(personal)" if personal else value) for file, line, value in places
    ]
    return Violation(reading.table.name, rule, column, RULES[rule].level, count, examples)


def _table_violation(name: str, path: str, problem: str) -> Violation:
    """Return the violation of a table that is missing or empty."""
    return Violation(name, "table", None, TABLES[name].missing, 1, [Example(path, None, problem)])


def missing_table(folder: Path, name: str) -> Violation:
    """Return the violation of a table without a file, with the rules that are skipped without it."""
    skipped = sorted(rule for table in TABLES.values() for needed, rule in rules.needs(table) if needed == name)
    path = folder / f"{name}.jsonl"
    problem = "a folder" if path.is_dir() else "a link to nothing" if path.is_symlink() else "missing"
    return _table_violation(name, shown(path), f"{problem}; skipped: {', '.join(skipped) or 'nothing else'}")
