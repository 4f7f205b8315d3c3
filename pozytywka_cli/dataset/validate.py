"""Check the tables against every rule, in one pass, collect all violations, and decide whether the data pass."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl

from pozytywka_cli.dataset import rules, units
from pozytywka_cli.dataset.absent import absent_column, absent_columns
from pozytywka_cli.dataset.data_files import locate, unread
from pozytywka_cli.dataset.guard import shown
from pozytywka_cli.dataset.profile import Fact, profile
from pozytywka_cli.dataset.read import Reading, read
from pozytywka_cli.dataset.tables import ERROR_RULES, NO_NAMES, RULES, TABLES, Level
from pozytywka_cli.errors import RefusedError, StorageError, UsageError
from pozytywka_cli.records import Progress, Report, silent

FailOn = Literal["error", "warning", "never"]
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
    hints: sentences about the probable cause of many violations at once
    """

    readings: dict[str, Reading]
    findings: dict[str, pl.DataFrame]
    violations: list[Violation]
    profile: list[Fact] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

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
    def missing(self) -> list[tuple[str, str, str]]:
        """The tables that are needed and missing or empty: name, file, and what is wrong."""
        errors = [v for v in self.violations if (v.rule, v.level) == ("table", "error")]
        return [(v.table, v.examples[0].file, v.examples[0].value.partition(";")[0]) for v in errors]

    @property
    def absent(self) -> list[tuple[str, str]]:
        """The columns that are needed and that no line has: what is wrong, and what to do next."""
        return [
            absent_column(reading, column)
            for reading in self.readings.values()
            for column in absent_columns(reading)
            if column.level_if_absent == "error"
        ]


def check(
    folder: Path,
    tables: Iterable[str] = TABLES,
    *,
    columns: Mapping[str, str] = NO_NAMES,
    now: datetime | None = None,
    warnings: bool = True,
    facts: bool = False,
    report: Report = silent,
) -> Checked:
    """Read tables from a folder and check them against every rule; with `facts`, profile them too.

    Without `warnings`, the rules that follow sessions through time or compare names are left out: they make no line
    bad. `columns` are the names that columns have in the files, such as {"tracks.id_artist": "artist_id"}.

    Raises:
        StorageError: the folder, or a file in it, cannot be read.
        RefusedError: a file is there in two formats.
    """
    if not folder.is_dir():
        hint = "Name the data with --data-dir, or make some: `pozytywka sample`."
        raise StorageError(f"there is no folder {shown(folder)}", hint)
    wanted = {name: TABLES[name].named(columns) for name in tables}
    located = {name: locate(folder, table) for name, table in wanted.items()}
    readings = {
        name: read(wanted[name], paths, counts=facts, report=report) for name, paths in located.items() if paths
    }
    moment = pl.lit(now or datetime.now(UTC)).cast(pl.Datetime("us", "UTC"))
    violations = [_missing(folder, name) for name in wanted if name not in readings]
    for name, paths in unread(folder, wanted.values()).items():
        examples = [Example(shown(path), None, "not read") for path in paths[:EXAMPLES]]
        violations.append(Violation(name, "unread", None, RULES["unread"].level, len(paths), examples))
    findings = {}
    for number, (name, reading) in enumerate(readings.items(), start=1):
        findings[name] = rules.of_table(name, readings, moment, warnings=warnings)
        violations += _violations(reading, findings[name], warnings=warnings)
        report(Progress("check tables", number, len(readings)))
    order = {key: number for number, key in enumerate([*TABLES, *RULES])}
    violations.sort(key=lambda violation: (order[violation.table], order[violation.rule], violation.column or ""))
    hints = [
        hint for name, reading in readings.items() for hint in units.hints(name, reading.table.columns, reading.frame)
    ]
    return Checked(readings, findings, violations, profile(readings) if facts else [], hints)


def _violations(reading: Reading, findings: pl.DataFrame, *, warnings: bool) -> Iterator[Violation]:
    """Count the findings of a table by rule and column, with the first few as examples."""
    name = reading.table.name
    if not reading.lines:
        yield _of_table(name, shown(reading.paths[0]), "empty")
    place = pl.struct("file", "line", "value").sort_by("file", "line").head(EXAMPLES)
    for column in absent_columns(reading):
        problem, hint = absent_column(reading, column)
        example = Example(shown(reading.paths[0]), None, f"{problem}. {hint}")
        yield Violation(name, "column", column.name, column.level_if_absent, 1, [example])
    findings = findings.filter(pl.col("rule") != "column")
    for rule, column, count, places in findings.group_by("rule", "column").agg(pl.len(), place).iter_rows():
        lines = reading.unknown[column] if rule == "extra" else count
        yield _violation(reading, rule, column, lines, [tuple(place.values()) for place in places])
    if warnings and name in ("artists", "tracks"):
        rule, by = ("duplicate_name", ["name"]) if name == "artists" else ("duplicate_title", TITLE)
        names = rules.duplicates(reading, by).unique(by, keep="first", maintain_order=True)
        if len(names):  # the count is of names, not of lines
            places = names.select("file", "line", "name").head(EXAMPLES).rows()
            yield _violation(reading, rule, "name", len(names), places)


def _violation(reading: Reading, rule: str, column: str | None, count: int, places: list[tuple[Any, ...]]) -> Violation:
    """Return a violation of a table that was read; places are (file, line, value)."""
    known = {column.name: column.personal for column in reading.table.columns}
    # an unknown column of a table about people may say anything about them
    personal = rule != "json" and column is not None and known.get(column, any(known.values()))
    examples = [
        Example(shown(reading.paths[file]), line, "(personal)" if personal else value) for file, line, value in places
    ]
    return Violation(reading.table.name, rule, column, RULES[rule].level, count, examples)


def _of_table(name: str, path: str, problem: str) -> Violation:
    return Violation(name, "table", None, TABLES[name].missing, 1, [Example(path, None, problem)])


def _missing(folder: Path, name: str) -> Violation:
    skipped = sorted(rule for table in TABLES.values() for needed, rule in rules.needs(table) if needed == name)
    path = folder / f"{name}.jsonl"
    problem = "a folder" if path.is_dir() else "a link to nothing" if path.is_symlink() else "missing"
    return _of_table(name, shown(path), f"{problem}; skipped: {', '.join(skipped) or 'nothing else'}")


def parse_max_bad(text: str) -> Callable[[int], float]:
    """Parse `12` or `0.1%`: return a function from a table's number of lines to how many of them may be bad.

    Raises:
        UsageError: neither a number of lines nor a percentage from 0 to 100.
    """
    is_share = text.endswith("%")
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = -1.0
    if not 0 <= number <= (100 if is_share else 1e18):
        raise UsageError(f"--max-bad {text!r} is not a number of lines", "Write it as 10 or 0.1%.")
    return lambda lines: number / 100 * lines if is_share else number


def raise_failures(checked: Checked, fail_on: FailOn, allowed: Callable[[int], float], quarantine: Path | None) -> None:
    """Raise if the data do not pass; `quarantine` is the folder that bad lines were written to.

    Raises:
        RefusedError: a table is missing, has too many bad lines or, if warnings fail, has warnings.
    """
    if fail_on == "never":
        return
    failures = [f"{table} is {problem}" for table, _, problem in checked.missing]
    hints = ["Check --data-dir; `pozytywka schema` lists the tables."] if failures else []
    failures += [problem for problem, _ in checked.absent]
    hints += [hint for _, hint in checked.absent]
    for name, reading in checked.readings.items():
        if (bad := len(checked.bad(name))) > allowed(reading.lines):
            failures.append(f"{bad:,} of {reading.lines:,} lines of {name} are bad")
            where = f"The bad lines are in {quarantine / 'bad'}." if quarantine else ""
            hints.insert(len(checked.absent), where or "Write the bad lines to a folder with --quarantine DIR.")
    count = sum(violation.count for violation in checked.violations if violation.level == "warning")
    if fail_on == "warning" and count:
        failures.append(f"{count:,} {'warning' if count == 1 else 'warnings'}")
        hints.append("Correct what the table lists, or let only errors fail: --fail-on error.")
    if failures:
        raise RefusedError("; ".join(failures), " ".join([*checked.hints, *hints[:1]]))
