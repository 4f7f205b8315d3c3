"""Tables to violations: every violation of every rule, in one pass over the tables. Prints nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from pozytywka_cli.dataset import rules
from pozytywka_cli.dataset.profile import Fact, profile
from pozytywka_cli.dataset.read import FINDINGS, Reading, locate, read
from pozytywka_cli.dataset.tables import RULES, TABLES, Level
from pozytywka_cli.errors import StorageError
from pozytywka_cli.records import Progress, Report, silent

EXAMPLES = 3


@dataclass(frozen=True)
class Example:
    """One place where a rule is broken; a missing table has no line."""

    file: str
    line: int | None
    value: str


@dataclass(frozen=True)
class Violation:
    """A rule that is broken `count` times in a column (None: in whole lines, or by the table's absence)."""

    table: str
    rule: str
    column: str | None
    level: Level
    count: int
    examples: list[Example]


@dataclass(frozen=True)
class Checked:
    """What a check found. `findings` holds, by table: file, line, rule, column, value, one row for each violation."""

    readings: dict[str, Reading]
    findings: dict[str, pl.DataFrame]
    violations: list[Violation]
    profile: list[Fact] = field(default_factory=list)

    def bad(self, table: str) -> pl.DataFrame:
        """The bad lines, those with an error: file, line, and the rules they break, in order."""
        errors = [name for name, rule in RULES.items() if rule.level == "error"]
        found = self.findings[table].filter(pl.col("rule").is_in(errors))
        return found.group_by("file", "line").agg(pl.col("rule").unique().sort().alias("rules")).sort("file", "line")

    def good(self, table: str) -> pl.DataFrame:
        """The rows of the lines without an error, in their order, with the table's columns only."""
        reading, bad = self.readings[table], self.bad(table)
        frame = reading.frame
        if len(bad):
            frame = frame.join(bad, on=["file", "line"], how="anti", maintain_order="left")
        return frame.select(*reading.table.schema)

    @property
    def errors(self) -> list[Violation]:
        """The violations that make lines bad, or a table miss."""
        return [violation for violation in self.violations if violation.level == "error"]


def check(
    folder: Path,
    tables: Iterable[str] = TABLES,
    *,
    now: datetime | None = None,
    warnings: bool = True,
    facts: bool = False,
    report: Report = silent,
) -> Checked:
    """Read `tables` from `folder` and hold them to every rule; with `facts`, describe them too.

    Without `warnings`, rules that follow sessions through time or compare names are passed over: they make no line bad.

    Raises:
        StorageError: the folder, or a file in it, cannot be read.
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
    violations = [
        violation
        for name in wanted
        for violation in (_of_lines(readings[name], findings[name]) if name in readings else [_missing(folder, name)])
    ]
    violations += [_empty(reading) for reading in readings.values() if not reading.lines]
    violations += [double for reading in readings.values() if warnings for double in _doubles(reading)]
    order = {key: number for number, key in enumerate([*TABLES, *RULES])}
    violations.sort(key=lambda found: (order[found.table], order[found.rule], found.column or ""))
    described = profile(readings) if facts else []
    return Checked(readings, findings, violations, described)


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
    """Findings by rule and column, with the first few as examples."""
    counted = findings.group_by("rule", "column").agg(
        pl.len().alias("count"),
        pl.struct("file", "line", "value").sort_by("file", "line").head(EXAMPLES).alias("examples"),
    )
    return [
        Violation(
            reading.table.name,
            rule,
            column,
            RULES[rule].level,
            count,
            _examples(reading, None if rule == "json" else column, examples),
        )
        for rule, column, count, examples in counted.iter_rows()
    ]


def _examples(reading: Reading, column: str | None, found: list[dict[str, object]]) -> list[Example]:
    known = {column.name: column.personal for column in reading.table.columns}
    # an unknown column of a table about people may say anything about them
    personal = column is not None and known.get(column, any(known.values()))
    return [
        Example(
            str(reading.paths[int(str(at["file"]))]),
            int(str(at["line"])),
            "(personal)" if personal else str(at["value"]),
        )
        for at in found
    ]


def _doubles(reading: Reading) -> list[Violation]:
    """Names and titles that occur more than once: warnings counted in names, not in lines."""
    table = reading.table.name
    if table not in ("artists", "tracks"):
        return []
    rule, by = ("duplicate_name", ["name"]) if table == "artists" else ("duplicate_title", ["id_artist", "name"])
    doubles = rules.duplicates(reading, by)
    names = doubles.unique(by, keep="first", maintain_order=True)
    if names.is_empty():
        return []
    examples = names.select("file", "line", value=pl.col("name")).head(EXAMPLES).to_dicts()
    return [Violation(table, rule, "name", "warning", len(names), _examples(reading, "name", examples))]


def _missing(folder: Path, name: str) -> Violation:
    skipped = sorted(rule for table in TABLES.values() for needed, rule in rules.needs(table) if needed == name)
    path = folder / f"{name}.jsonl"
    problem = "a folder" if path.is_dir() else "a link to nothing" if path.is_symlink() else "missing"
    text = f"{problem}; skipped: {', '.join(skipped) or 'nothing else'}"
    return Violation(name, "table", None, TABLES[name].missing, 1, [Example(str(path), None, text)])


def _empty(reading: Reading) -> Violation:
    table = reading.table
    return Violation(table.name, "table", None, table.missing, 1, [Example(str(reading.paths[0]), None, "empty")])
