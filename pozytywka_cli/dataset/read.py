"""Read the files of a table into one typed frame that knows the file and line of each row; no line is lost."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from pozytywka_cli.dataset import parquet_reader, values
from pozytywka_cli.dataset.compression import ERRORS
from pozytywka_cli.dataset.line_reader import Raw, UnknownColumn, read_lines, total
from pozytywka_cli.dataset.tables import Table
from pozytywka_cli.errors import StorageError
from pozytywka_cli.records import Progress, Report, silent

FINDINGS = {"file": pl.UInt32, **values.FINDING}


@dataclass(frozen=True)
class Reading:
    """A table as read.

    frame: one row for each line that is an object: the table's columns, `file` (a position in `paths`) and `line` (from
        1), in the order of the files. A cell without a usable value is null.
    findings: what is wrong so far: file, line, rule, column (null: the line as a whole), value.
    unknown: the columns that the schema does not have.
    spelled: how often each spelling of a column of fixed words occurs, if that was counted.
    blanks: how often each column is null, empty or -1, as written, if that was counted.
    """

    table: Table
    paths: tuple[Path, ...]
    lines: int
    frame: pl.DataFrame
    findings: pl.DataFrame
    unknown: dict[str, UnknownColumn] = field(default_factory=dict)
    spelled: dict[str, Counter[str]] = field(default_factory=dict)
    blanks: dict[str, Counter[str]] = field(default_factory=dict)


def read(table: Table, paths: tuple[Path, ...], *, counts: bool = False, report: Report = silent) -> Reading:
    """Read the files of a table; with `counts`, count how words are spelled and which values are left blank.

    Raises:
        StorageError: a file cannot be read or decompressed.
    """
    parts = []
    for number, path in enumerate(paths):
        report(Progress(f"read {table.name}", number, len(paths)))
        parts.append(typed(table, path, _read_raw(table, path), number, counts=counts))
    report(Progress(f"read {table.name}", len(paths), len(paths)))
    return Reading(
        table,
        paths,
        sum(part.lines for part in parts),
        pl.concat([part.frame for part in parts]) if parts else pl.DataFrame(schema=_schema(table)),
        pl.concat([pl.DataFrame(schema=FINDINGS), *(part.findings for part in parts)]),
        total(part.unknown for part in parts),
        _sum(part.spelled for part in parts),
        _sum(part.blanks for part in parts),
    )


def typed(table: Table, path: Path, raw: Raw, number: int = 0, *, counts: bool = False) -> Reading:
    """Convert what was read of one file, the table's file of this number, to the table's types."""
    frame, more = values.typed(table, raw.columns)
    file = pl.lit(number, pl.UInt32).alias("file")
    return Reading(
        table,
        (path,),
        raw.lines,
        frame.select(*table.schema, file, "line"),
        pl.concat([raw.findings, more]).with_columns(file).select(*FINDINGS),
        {
            name: UnknownColumn(column.count, [(number, line, value) for _, line, value in column.examples])
            for name, column in raw.unknown.items()
        },
        values.spelled(table, raw.columns) if counts else {},
        values.blanks(table, raw.columns) if counts else {},
    )


def _read_raw(table: Table, path: Path) -> Raw:
    try:
        return (parquet_reader.read_parquet if path.suffix == ".parquet" else read_lines)(table, path)
    except (*ERRORS, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = (str(getattr(error, "strerror", None) or error).splitlines() or ["damaged"])[0]
        raise StorageError(f"cannot read {path}: {reason}", "Check the file, or copy it again.") from None


def _sum(parts: Iterable[dict[str, Counter[str]]]) -> dict[str, Counter[str]]:
    added: dict[str, Counter[str]] = defaultdict(Counter)
    for part in parts:
        for name, counts in part.items():
            added[name].update(counts)
    return dict(added)


def _schema(table: Table) -> dict[str, Any]:
    words = {column.name: pl.Enum(column.words) for column in table.columns if column.words}
    return {**table.schema, **words, "file": pl.UInt32, "line": pl.UInt32}
