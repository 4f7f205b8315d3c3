"""Check the tables against every rule, in one pass, and collect all violations."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pozytywka_cli.dataset import rules
from pozytywka_cli.dataset.discovery import locate, unread
from pozytywka_cli.dataset.profile import Fact, profile
from pozytywka_cli.dataset.read import FINDINGS, Reading, read
from pozytywka_cli.dataset.tables import ERROR_RULES, RULES, TABLES, Level
from pozytywka_cli.errors import RefusedError, StorageError
from pozytywka_cli.records import Progress, Report, silent

EXAMPLES = 3
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


@dataclass(frozen=True)
class Checked:
    """The tables as read, and their violations.

    findings: by table, one row for each broken rule of each line: file, line, rule, column, value
    """

    readings: dict[str, Reading]
    findings: dict[str, pl.DataFrame]
    violations: list[Violation]
    profile: list[Fact] = field(default_factory=list)

    def bad(self, table: str) -> pl.DataFrame:
        """Return the bad lines, those with an error: file, line, and the rules they break, in order."""
        errors = self.findings[table].filter(pl.col("rule").is_in(ERROR_RULES))
        return errors.group_by("file", "line").agg(pl.col("rule").unique().sort().alias("rules")).sort("file", "line")

    def good(self, table: str) -> pl.DataFrame:
        """Return the rows of the lines without an error, in their order, with the table's columns only."""
        reading, bad = self.readings[table], self.bad(table)
        frame = reading.frame
        if len(bad):
            frame = frame.join(bad, on=["file", "line"], how="anti", maintain_order="left")
        return frame.select(*reading.table.schema)

    @property
    def lines(self) -> int:
        """The number of lines of all tables."""
        return sum(reading.lines for reading in self.readings.values())

    @property
    def bad_lines(self) -> int:
        """The number of bad lines of all tables."""
        return sum(len(self.bad(name)) for name in self.readings)

    @property
    def errors(self) -> list[Violation]:
        """The violations that make lines bad, and missing tables."""
        return [violation for violation in self.violations if violation.level == "error"]

    @property
    def missing(self) -> list[Violation]:
        """The tables that are needed and missing or empty."""
        return [violation for violation in self.errors if violation.rule == "table"]

    def require_tables(self) -> None:
        """Raise RefusedError if a table that is needed is missing."""
        for violation in self.missing:
            problem = violation.examples[0].value.partition(";")[0]
            raise RefusedError(
                f"{violation.examples[0].file} is {problem}", "Check --data-dir; see `pozytywka validate`."
            )


def check(
    folder: Path,
    tables: Iterable[str] = TABLES,
    *,
    now: datetime | None = None,
    warnings: bool = True,
    facts: bool = False,
    report: Report = silent,
) -> Checked:
    """Read tables from a folder and check them against every rule; with `facts`, profile them too.

    Without `warnings`, the rules that follow sessions through time or compare names are left out: they make no line
    bad.

    Raises:
        StorageError: the folder, or a file in it, cannot be read.
        RefusedError: a file is there in two formats.
    """
    if not folder.is_dir():
        raise StorageError(
            f"there is no folder {folder}", "Name the data with --data-dir, or make some: `pozytywka sample`."
        )
    wanted = {name: TABLES[name] for name in tables}
    located = {name: locate(folder, table) for name, table in wanted.items()}
    readings = {
        name: read(wanted[name], paths, counts=facts, report=report) for name, paths in located.items() if paths
    }
    moment = pl.lit(now or datetime.now(UTC)).cast(pl.Datetime("us", "UTC"))
    findings = {}
    for number, name in enumerate(readings, start=1):
        findings[name] = _findings(name, readings, moment, warnings=warnings)
        report(Progress("check tables", number, len(readings)))
    violations = [_missing(folder, name) for name in wanted if name not in readings]
    violations += [_unread(name, paths) for name, paths in unread(folder, wanted.values()).items()]
    for name, reading in readings.items():
        violations += [*_of_lines(reading, findings[name]), *_of_unknown_columns(reading)]
        if warnings:
            violations += _duplicates(reading)
        if not reading.lines:
            violations.append(_of_table(name, str(reading.paths[0]), "empty"))
    order = {key: number for number, key in enumerate([*TABLES, *RULES])}
    violations.sort(key=lambda violation: (order[violation.table], order[violation.rule], violation.column or ""))
    return Checked(readings, findings, violations, profile(readings) if facts else [])


def _findings(name: str, readings: dict[str, Reading], now: pl.Expr, *, warnings: bool) -> pl.DataFrame:
    reading = readings[name]
    keys = {other: read.frame[key] for other, read in readings.items() if (key := read.table.key)}
    parts = [reading.findings, *rules.of_columns(reading, now), *rules.of_references(reading, keys)]
    if name == "sessions":
        parts += rules.of_track_needed(reading)
    if name == "sessions" and warnings:
        parts += rules.of_order(reading, keys.get("tracks"))
    if name == "tracks" and warnings and "track_storage" in readings:
        parts.append(rules.of_storage(reading, keys["track_storage"]))
    return pl.concat([part.select(*FINDINGS) for part in parts])


def _of_lines(reading: Reading, findings: pl.DataFrame) -> list[Violation]:
    """Count findings by rule and column, with the first few as examples."""
    counted = findings.group_by("rule", "column").agg(
        pl.len().alias("count"),
        pl.struct("file", "line", "value").sort_by("file", "line").head(EXAMPLES).alias("examples"),
    )
    return [
        _violation(reading, rule, column, count, [tuple(place.values()) for place in places])
        for rule, column, count, places in counted.iter_rows()
    ]


def _of_unknown_columns(reading: Reading) -> list[Violation]:
    """One violation for each unknown column; its count is of lines."""
    return [
        _violation(reading, "extra", name, column.count, column.examples) for name, column in reading.unknown.items()
    ]


def _duplicates(reading: Reading) -> list[Violation]:
    """Names and titles that occur more than once; the count is of names, not of lines."""
    if reading.table.name not in ("artists", "tracks"):
        return []
    rule, by = ("duplicate_name", ["name"]) if reading.table.name == "artists" else ("duplicate_title", TITLE)
    names = rules.duplicates(reading, by).unique(by, keep="first", maintain_order=True)
    places = names.select("file", "line", "name").head(EXAMPLES).rows()
    return [_violation(reading, rule, "name", len(names), places)] if places else []


def _violation(reading: Reading, rule: str, column: str | None, count: int, places: list[tuple[Any, ...]]) -> Violation:
    """A violation of a table that was read; places are (file, line, value)."""
    known = {column.name: column.personal for column in reading.table.columns}
    # an unknown column of a table about people may say anything about them
    personal = rule != "json" and column is not None and known.get(column, any(known.values()))
    examples = [
        Example(str(reading.paths[file]), line, "(personal)" if personal else value) for file, line, value in places
    ]
    return Violation(reading.table.name, rule, column, RULES[rule].level, count, examples)


def _of_table(name: str, path: str, problem: str) -> Violation:
    return Violation(name, "table", None, TABLES[name].missing, 1, [Example(path, None, problem)])


def _missing(folder: Path, name: str) -> Violation:
    skipped = sorted(rule for table in TABLES.values() for needed, rule in rules.needs(table) if needed == name)
    path = folder / f"{name}.jsonl"
    problem = "a folder" if path.is_dir() else "a link to nothing" if path.is_symlink() else "missing"
    return _of_table(name, str(path), f"{problem}; skipped: {', '.join(skipped) or 'nothing else'}")


def _unread(name: str, paths: list[Path]) -> Violation:
    examples = [Example(str(path), None, "not read") for path in paths[:EXAMPLES]]
    return Violation(name, "unread", None, RULES["unread"].level, len(paths), examples)
