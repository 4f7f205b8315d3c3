"""Read requests for predictions from JSONL, CSV or Parquet, with the readers of the tables."""

import re
from codecs import BOM_UTF8
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
import msgspec.inspect as types
import polars as pl

from pozytywka_cli.dataset.checking import rules
from pozytywka_cli.dataset.reading.containers import read_source
from pozytywka_cli.dataset.reading.csv_requests import read_rows
from pozytywka_cli.dataset.reading.guard import reading
from pozytywka_cli.dataset.reading.line_reader import Raw, read_lines
from pozytywka_cli.dataset.reading.read import FINDINGS, combine, read_parquet
from pozytywka_cli.dataset.tables import ERROR_RULES, TABLES, Column, Kind, Table
from pozytywka_cli.errors import RefusedError

KINDS: dict[type[types.Type], Kind] = {
    types.BoolType: Kind.FLAG,
    types.DateTimeType: Kind.TIME,
    types.FloatType: Kind.NUMBER,
    types.IntType: Kind.INTEGER,
    types.ListType: Kind.TEXTS,
    types.StrType: Kind.TEXT,
}
KEYS = {column.name for table in TABLES.values() for column in table.columns if column.kind is Kind.KEY}
LATEST = pl.lit(datetime(9999, 12, 31, tzinfo=UTC))  # requests may be about the future


class Problem(NamedTuple):
    """What is wrong with a line; `column` is None where it is the line as a whole."""

    line: int
    column: str | None
    problem: str


def read_requests(source: Path | BinaryIO, name: str, request: type[msgspec.Struct]) -> pl.DataFrame:
    """Read the requests in a file or a stream, one row each, in their order.

    The format is that of the file's suffix, or else Parquet or JSONL by how the content starts, else CSV. A byte order
    mark may start it, and a file may be compressed. Errors call the source `name`. The fields of `request` are the
    columns: those without a default are required, others are null or their default.

    Raises:
        RefusedError: a line is not a request; the file, the line and the column are named.
        StorageError: it cannot be read.
    """
    table = table_of(request)
    with reading(name, "Name a JSONL, CSV or Parquet file, or - for standard input."):
        requests, problems = _checked(request, table, _read(table, source, name))
    for line, column, problem in problems[:1]:
        raise RefusedError(f"{name}:{line}: {column or 'line'} {problem}", hint(table))
    return requests


def read_request_lines(
    lines: Sequence[bytes], request: type[msgspec.Struct], first_line: int = 1
) -> tuple[pl.DataFrame, list[Problem]]:
    """Read requests from JSONL lines, and return those that can be used and the problems of the others.

    The lines come without the line feeds at their ends, and without a byte order mark; `first_line` is the number of
    the first of them.
    """
    content = b"".join(line + b"\n" for line in lines)
    table = table_of(request)
    with reading("standard input"):
        raw = read_lines(table, content)
        requests, problems = _checked(request, table, raw)
    return requests, [problem._replace(line=problem.line + first_line - 1) for problem in problems]


@cache
def table_of(request: type[msgspec.Struct]) -> Table:
    """Return the table whose columns are the fields of a struct.

    Raises:
        TypeError: a field has a type that no column can have.
    """
    info = types.type_info(request)
    assert isinstance(info, types.StructType)
    return Table("requests", tuple(map(_column, info.fields)))


def _column(field: types.Field) -> Column:
    described = field.type.type if isinstance(field.type, types.Metadata) else field.type
    options = described.types if isinstance(described, types.UnionType) else (described,)
    value, *more = [option for option in options if not isinstance(option, types.NoneType)]
    if more or type(value) not in KINDS:
        raise TypeError(f"the field {field.name} has a type that a request cannot have")
    low, high = getattr(value, "ge", None), getattr(value, "le", None)
    kind = Kind.KEY if field.name in KEYS else KINDS[type(value)]
    return Column(field.name, kind, required=field.required, low=low, high=high)


def hint(table: Table) -> str:
    """Return a sentence that names the fields of a request."""
    required, optional = (
        ", ".join(f"{column.name} ({column.kind.value})" for column in table.columns if column.required is needed)
        for needed in (True, False)
    )
    return f"A request has {required or 'no required field'}" + (f"; optional: {optional}." if optional else ".")


def _read(table: Table, source: Path | BinaryIO, name: str) -> Raw:
    file = source.name.lower() if isinstance(source, Path) else ""
    suffix = Path(re.sub(r"\.(gz|zst|bz2)$", "", file)).suffix
    content = (read_source(source) if isinstance(source, Path) else source.read()).removeprefix(BOM_UTF8)
    if content.startswith(b"PAR1") or suffix == ".parquet":
        return read_parquet(table, content)
    if suffix == ".csv" or (suffix not in (".jsonl", ".ndjson") and content.lstrip()[:1] not in (b"{", b"[", b"")):
        return read_rows(table, content, name)
    return read_lines(table, source if isinstance(source, Path) else content)  # a file may be one JSON array


def _checked(request: type[msgspec.Struct], table: Table, raw: Raw) -> tuple[pl.DataFrame, list[Problem]]:
    """Return the requests that follow the rules of their columns, and what is wrong with the others."""
    reading = combine(table, (Path(),), [raw])
    findings = pl.concat([reading.findings, *(part.select(*FINDINGS) for part in rules.of_columns(reading, LATEST))])
    errors = findings.filter(pl.col("rule").is_in(ERROR_RULES)).sort("line", maintain_order=True)
    good = reading.frame.join(errors, on="line", how="anti", maintain_order="left").select(*table.schema)
    fields = [field for field in msgspec.structs.fields(request) if field.default not in (msgspec.NODEFAULT, None)]
    problems = errors.select("line", "column", "rule", "value").iter_rows()
    filled = good.with_columns(pl.col(field.name).fill_null(field.default) for field in fields)
    return filled, [Problem(line, column, f"breaks `{rule}`: {value}") for line, column, rule, value in problems]
