"""The pairs of user and track that a person wants predicted, from JSONL, CSV or Parquet."""

from pathlib import Path

import polars as pl

from pozytywka_cli.dataset import parquet_reader, values
from pozytywka_cli.dataset.line_decoder import epoch_text
from pozytywka_cli.dataset.read import read
from pozytywka_cli.dataset.rules import EARLIEST
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
HINT = 'A pair is {"user_id": 101, "track_id": "…"}, if known with session_id and "at": "2026-01-05T10:00:00".'


def read_pairs(path: Path, called: str) -> pl.DataFrame:
    """user_id, track_id, at (UTC; null: now) and session_id, in the order given; errors call the file `called`.

    Raises:
        RefusedError: a line is not a pair; the file, the line and the column are named.
        UsageError: the file is of another kind.
        StorageError: it cannot be read.
    """
    if not path.is_file():
        raise StorageError(f"there is no file {called}", "Name a JSONL, CSV or Parquet file, or - for standard input.")
    if not path.name.endswith((".jsonl", ".jsonl.gz", ".parquet", ".csv")):
        raise UsageError(f"{called} is none of .jsonl, .jsonl.gz, .csv and .parquet", HINT)
    frame, findings = _read_csv(path, called) if path.suffix == ".csv" else _read(path)
    missing = [
        frame.filter(pl.col(column.name).is_null()).select(
            "line", column=pl.lit(column.name), problem=pl.lit("is missing")
        )
        for column in PAIRS.columns
        if column.required
    ]
    wrong = findings.filter(pl.col("rule") != "extra").select(
        "line", "column", problem=pl.format("breaks `{}`: {}", "rule", "value")
    )
    early = frame.filter(pl.col("at") < EARLIEST).select(
        "line", column=pl.lit("at"), problem=pl.format("breaks `time`: {}", pl.col("at").dt.strftime("%Y-%m-%dT%TZ"))
    )
    found = pl.concat([wrong, early, *missing]).sort("line", maintain_order=True)
    for line, column, problem in found.head(1).iter_rows():
        raise RefusedError(f"{called}:{line}: {column or 'line'} {problem}", HINT)
    return frame.select(*PAIRS.schema)


def _read(path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    reading = read(PAIRS, (path,))
    return reading.frame, reading.findings


def _read_csv(path: Path, called: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The file's rows and findings, as of the other formats; a cell that should be a number and is none is refused."""
    try:
        written = pl.read_csv(path, infer_schema=False, glob=False)
    except pl.exceptions.PolarsError as error:
        raise RefusedError(f"{called}: {str(error).splitlines()[0]}", HINT) from None
    for column in PAIRS.columns:
        if column.required and column.name not in written.columns:
            raise RefusedError(f"{called}:1: there is no column {column.name}", HINT)
    numbers = [
        column.name for column in PAIRS.columns if column.kind is Kind.INTEGER and column.name in written.columns
    ]
    lost = written.select(
        pl.col(name).cast(pl.Int64, strict=False).is_null() & pl.col(name).is_not_null() for name in numbers
    )
    for name in numbers:
        for row in lost[name].arg_true().head(1):
            raise RefusedError(f"{called}:{row + 2}: {name} breaks `type`: {written[name][row]!r}", HINT)
    stored = written.with_columns(pl.col(numbers).cast(pl.Int64), *_times(written))
    raw, findings = parquet_reader.raw(PAIRS, stored)
    frame, more = values.typed(PAIRS, raw)
    head = pl.col("line") + 1
    return frame.with_columns(head), pl.concat([findings, more]).with_columns(head)


def _times(written: pl.DataFrame) -> list[pl.Series]:
    """Times as ISO 8601 text, which epoch milliseconds in a text file become first."""
    names = [column.name for column in PAIRS.columns if column.kind is Kind.TIME and column.name in written.columns]
    return [
        written[name].map_elements(lambda text: epoch_text(int(text)) if text.isdecimal() else text, pl.String)
        for name in names
    ]
