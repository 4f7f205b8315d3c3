"""Check the tables against every rule, in one pass, collect all violations, and decide whether the data pass."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import polars as pl

from pozytywka_cli.dataset.checking import rules, units
from pozytywka_cli.dataset.checking.absent import absent_column, absent_columns
from pozytywka_cli.dataset.checking.findings import without_errors
from pozytywka_cli.dataset.checking.profile import Fact, profile
from pozytywka_cli.dataset.checking.violations import EXAMPLES, Example, Violation, missing_table, of_findings
from pozytywka_cli.dataset.reading.data_files import locate, unread
from pozytywka_cli.dataset.reading.guard import shown
from pozytywka_cli.dataset.reading.read import Reading, read
from pozytywka_cli.dataset.tables import ERROR_RULES, NO_NAMES, RULES, TABLES
from pozytywka_cli.errors import RefusedError, StorageError, UsageError
from pozytywka_cli.records import Progress, Report, silent

FailOn = Literal["error", "warning", "never"]


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
        reading = self.readings[table]
        return without_errors(reading.frame, self.findings[table]).select(*reading.table.schema)

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
    violations = [missing_table(folder, name) for name in wanted if name not in readings]
    for name, paths in unread(folder, wanted.values()).items():
        examples = [Example(shown(path), None, "not read") for path in paths[:EXAMPLES]]
        violations.append(Violation(name, "unread", None, RULES["unread"].level, len(paths), examples))
    findings = {}
    for number, (name, reading) in enumerate(readings.items(), start=1):
        findings[name] = rules.of_table(name, readings, moment, warnings=warnings)
        violations += of_findings(reading, findings[name], warnings=warnings)
        report(Progress("check tables", number, len(readings)))
    order = {key: number for number, key in enumerate([*TABLES, *RULES])}
    violations.sort(key=lambda violation: (order[violation.table], order[violation.rule], violation.column or ""))
    hints = [
        hint for name, reading in readings.items() for hint in units.hints(name, reading.table.columns, reading.frame)
    ]
    return Checked(readings, findings, violations, profile(readings) if facts else [], hints)


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
