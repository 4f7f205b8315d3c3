"""The pairs of user and track that a person wants predicted, from JSONL, CSV or Parquet."""

from pathlib import Path

import polars as pl

from pozytywka_cli.dataset.read import read
from pozytywka_cli.dataset.tables import Column, Kind, Table
from pozytywka_cli.errors import RefusedError, StorageError, UsageError

PAIRS = Table(
    "pairs",
    (
        Column("user_id", Kind.INTEGER, required=True),
        Column("track_id", Kind.TEXT, required=True),
        Column("at", Kind.TIME),
        Column("session_id", Kind.INTEGER),
    ),
)
HINT = 'A pair is {"user_id": 101, "track_id": "…"}, with at and session_id if known.'


def read_pairs(path: Path) -> pl.DataFrame:
    """user_id, track_id, at (UTC; null: now) and session_id, in the order given.

    Raises:
        RefusedError: a line is not a pair; the file, the line and the column are named.
        UsageError: the file is of another kind.
        StorageError: it cannot be read.
    """
    if not path.is_file():
        raise StorageError(f"there is no file {path}", "Name a JSONL, CSV or Parquet file, or - for standard input.")
    if path.suffix == ".csv":
        return _read_csv(path)
    if not path.name.endswith((".jsonl", ".jsonl.gz", ".parquet")):
        raise UsageError(f"{path} is none of .jsonl, .jsonl.gz, .csv and .parquet", HINT)
    reading = read(PAIRS, (path,))
    wrong = reading.findings.filter(pl.col("rule") != "extra").sort("line")
    for line, column, rule, value in wrong.select("line", "column", "rule", "value").head(1).iter_rows():
        raise RefusedError(f"{path}:{line}: {column or 'line'} breaks `{rule}`: {value}", HINT)
    for column in (column.name for column in PAIRS.columns if column.required):
        for line in reading.frame.filter(pl.col(column).is_null())["line"].head(1):
            raise RefusedError(f"{path}:{line}: {column} is missing", HINT)
    return reading.frame.select(*PAIRS.schema)


def _read_csv(path: Path) -> pl.DataFrame:
    try:
        written = pl.read_csv(path, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise RefusedError(f"{path}: {str(error).splitlines()[0]}", HINT) from None
    columns = []
    for column in PAIRS.columns:
        if column.name not in written.columns:
            if column.required:
                raise RefusedError(f"{path}:1: there is no column {column.name}", HINT)
            columns.append(
                pl.repeat(None, len(written), dtype=PAIRS.schema[column.name], eager=True).alias(column.name)
            )
            continue
        given = written[column.name]
        cast = (
            given.str.to_datetime(time_zone="UTC", strict=False)
            if column.kind is Kind.TIME
            else given.cast(PAIRS.schema[column.name], strict=False)
        )
        lost = cast.is_null() & (pl.Series([column.required]) | given.is_not_null())
        if lost.any():
            row = lost.arg_max() or 0
            raise RefusedError(f"{path}:{row + 2}: {column.name} cannot be {given[row]!r}", HINT)
        columns.append(cast.alias(column.name))
    return pl.DataFrame(columns)
