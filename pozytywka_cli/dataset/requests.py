"""Read requests for predictions from JSONL, CSV or Parquet, with the readers of the tables."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
import msgspec.inspect as types
import polars as pl

from pozytywka_cli.dataset import rules
from pozytywka_cli.dataset.containers import read_source
from pozytywka_cli.dataset.csv_reader import read_rows
from pozytywka_cli.dataset.guard import UNREADABLE as ERRORS
from pozytywka_cli.dataset.line_reader import Raw, read_lines
from pozytywka_cli.dataset.read import FINDINGS, combine, read_parquet
from pozytywka_cli.dataset.tables import ERROR_RULES, TABLES, Column, Kind, Table
from pozytywka_cli.errors import RefusedError, StorageError

KINDS: dict[type[types.Type], Kind] = {
    types.BoolType: Kind.FLAG,
    types.DateTimeType: Kind.TIME,
    types.FloatType: Kind.NUMBER,
    types.IntType: Kind.INTEGER,
    types.ListType: Kind.TEXTS,
    types.StrType: Kind.TEXT,
}
KEYS = {column.name for table in TABLES.values() for column in table.columns if column.kind is Kind.KEY}
BOM = b"\xef\xbb\xbf"
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
    requests, problems = _checked(request, table, _read(table, source, name))
    for line, column, problem in problems[:1]:
        raise RefusedError(f"{name}:{line}: {column or 'line'} {problem}", hint(table))
    return requests


def read_request_lines(
    lines: Sequence[bytes], request: type[msgspec.Struct], first_line: int = 1
) -> tuple[pl.DataFrame, list[Problem]]:
    """Read requests from JSONL lines, and return those that can be used and the problems of the others.

    The lines come without the line feeds at their ends; `first_line` is the number of the first of them.
    """
    content = b"".join(line + b"\n" for line in lines)
    table = table_of(request)
    raw = read_lines(table, content.removeprefix(BOM) if first_line == 1 else content)
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
    try:
        content = (read_source(source) if isinstance(source, Path) else source.read()).removeprefix(BOM)
        if content.startswith(b"PAR1") or suffix == ".parquet":
            return read_parquet(table, content)
    except ERRORS as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = "Name a JSONL, CSV or Parquet file, or - for standard input."
        raise StorageError(f"cannot read {name}: {reason}", hint) from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise StorageError(f"cannot read {name}: {str(error).splitlines()[0]}", "Check the file.") from None
    if suffix == ".csv" or (suffix not in (".jsonl", ".ndjson") and content.lstrip()[:1] not in (b"{", b"[", b"")):
        return read_rows(table, content, name)
    return read_lines(table, content)


def _checked(request: type[msgspec.Struct], table: Table, raw: Raw) -> tuple[pl.DataFrame, list[Problem]]:
    """Return the requests that follow the rules of their columns, and what is wrong with the others."""
    reading = combine(table, (Path(),), [raw])
    findings = pl.concat([reading.findings, *(part.select(*FINDINGS) for part in rules.of_columns(reading, LATEST))])
    errors = findings.filter(pl.col("rule").is_in(ERROR_RULES)).sort("line", maintain_order=True)
    good = reading.frame.join(errors, on="line", how="anti", maintain_order="left").select(*table.schema)
    fields = [field for field in msgspec.structs.fields(request) if field.default not in (msgspec.NODEFAULT, None)]
    problems = errors.select("line", "column", pl.format("breaks `{}`: {}", "rule", "value"))
    filled = good.with_columns(pl.col(field.name).fill_null(field.default) for field in fields)
    return filled, [Problem(*row) for row in problems.iter_rows()]
