"""The Parquet file of plays: rows are plays; the metadata hold the purchases and the files that it was made from.

The metadata also hold the SHA-256 of the whole file, taken with zeros in its place, so that any changed bit is noticed.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import msgspec
import polars as pl

from pozytywka_cli import files
from pozytywka_cli.dataset.plays import MOMENTS
from pozytywka_cli.dataset.reading import growing
from pozytywka_cli.dataset.reading.data_files import locate
from pozytywka_cli.dataset.reading.guard import shown
from pozytywka_cli.dataset.reading.read import Reading
from pozytywka_cli.dataset.tables import NO_NAMES, TABLES
from pozytywka_cli.errors import ArtifactError, StorageError
from pozytywka_cli.records import Input

VERSION = 4  # of the transform and of this file; files of another version are made again
NEEDED = ("tracks", "sessions")  # the tables that plays are made from
METADATA = "pozytywka"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
MOMENT = pl.Datetime("us", "UTC")
PURCHASES = {"user_id": pl.Int64(), "purchased_at": MOMENT}
PLAYS: dict[str, pl.DataType] = {
    "user_id": pl.Int64(),
    "session_id": pl.Int64(),
    "track_id": pl.String(),
    "started_at": MOMENT,
    "advertisement_before": pl.Boolean(),
    "skipped": pl.Boolean(),
    "liked": pl.Boolean(),
    "listened_ms": pl.Int64(),
    **dict.fromkeys(MOMENTS, MOMENT),
}
NULLABLE = {"listened_ms", *MOMENTS}
BLANK = "0" * 64
BEFORE_DIGEST = b'"digest":"'
AGAIN = "Make it again with `pozytywka transform`."


class Metadata(msgspec.Struct, frozen=True):
    """The Parquet metadata: the transform's version, what it read, purchases as (user_id, purchased_at), and a digest.

    columns: the names that columns had in the files where the settings gave them, by `table.column`
    digest: the SHA-256 of the file in which the digest is 64 zeros
    """

    transform: int
    inputs: list[Input]
    purchases: list[tuple[int, datetime]]
    columns: dict[str, str] = {}
    digest: str = BLANK


class Stored(NamedTuple):
    """The content of a plays file: plays, purchases (user_id, purchased_at), inputs and columns (see `Metadata`)."""

    plays: pl.DataFrame
    purchases: pl.DataFrame
    inputs: list[Input]
    columns: dict[str, str]


def write(
    target: Path,
    plays: pl.DataFrame,
    purchases: pl.DataFrame,
    inputs: list[Input],
    columns: Mapping[str, str],
) -> None:
    """Write plays, and purchases (user_id, purchased_at), into one file, atomically.

    Raises:
        StorageError: it cannot be written.
    """
    metadata = msgspec.json.encode(Metadata(VERSION, inputs, purchases.rows(), _relevant_names(columns))).decode()
    buffer = BytesIO()
    plays.write_parquet(buffer, metadata={METADATA: metadata})
    content = bytearray(buffer.getbuffer())
    start, end = _digest_place(content)
    content[start:end] = hashlib.sha256(content).hexdigest().encode()  # the digest of the file with zeros in its place
    with files.replacing(target) as temporary:
        temporary.write_bytes(content)


def read(path: Path) -> Stored:
    """Read a plays file after checking its digest.

    Raises:
        ArtifactError: the file is missing, damaged, made by another version, or its columns are not those of plays.
        StorageError: it cannot be read.
    """
    try:
        with files.open_regular(path) as stream:
            content = stream.read()
    except FileNotFoundError:
        raise ArtifactError(f"{path} does not exist", AGAIN) from None
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}", "Check the path and its permissions.") from None
    start, end = _digest_place(content)
    if start >= 0 and _digest(content, start, end) != content[start:end]:
        raise ArtifactError(f"{path} is damaged: its content does not have the SHA-256 that it states", AGAIN)
    metadata = _metadata(content) if start >= 0 else None
    if metadata is None:
        raise ArtifactError(f"{path} is damaged, or was made by another version", AGAIN)
    plays = pl.read_parquet(content)
    if problem := _schema_problem(plays):
        raise ArtifactError(f"{path} is damaged: {problem}", AGAIN)
    purchases = pl.DataFrame(metadata.purchases, schema=PURCHASES, orient="row")
    return Stored(plays, purchases, metadata.inputs, metadata.columns)


def _digest_place(content: bytes | bytearray) -> tuple[int, int]:
    """Return where the digest begins and ends in a file, whose metadata are at its end; (-1, -1) if it has none."""
    start = content.rfind(BEFORE_DIGEST) + len(BEFORE_DIGEST)
    end = start + len(BLANK)
    return (start, end) if start >= len(BEFORE_DIGEST) and content[end : end + 1] == b'"' else (-1, -1)


def _digest(content: bytes, start: int, end: int) -> bytes:
    """Return the SHA-256 of a file, in hexadecimal, with zeros from `start` to `end`."""
    view = memoryview(content)
    digest = hashlib.sha256(view[:start])
    digest.update(BLANK.encode())
    digest.update(view[end:])
    return digest.hexdigest().encode()


def _metadata(content: bytes) -> Metadata | None:
    """Return the metadata of an undamaged file; None if another version made it."""
    try:
        text = pl.read_parquet_metadata(BytesIO(content)).get(METADATA, "")
        metadata = msgspec.json.decode(text, type=Metadata)
    except (msgspec.MsgspecError, pl.exceptions.PolarsError):
        return None
    return metadata if metadata.transform == VERSION else None


def _schema_problem(plays: pl.DataFrame) -> str:
    """Return what is wrong with the columns of a frame of plays, or an empty string."""
    for name, dtype in PLAYS.items():
        if name not in plays.columns:
            return f"the column {name} is missing"
        if plays.schema[name] != dtype:
            return f"the column {name} has the type {plays.schema[name]} in place of {dtype}"
        if name not in NULLABLE and plays[name].null_count():
            return f"the column {name} has no value in {plays[name].null_count():,} rows"
    return ""


def _relevant_names(columns: Mapping[str, str]) -> dict[str, str]:
    """Return the names in files of those columns that plays are made from."""
    return {column: name for column, name in columns.items() if column.partition(".")[0] in NEEDED}


def changed(folder: Path, stored: Stored, columns: Mapping[str, str] = NO_NAMES) -> bool:
    """Return whether the files in `folder` that plays are made from, or the names of columns in them, are others."""
    now = {shown(file.relative_to(folder)): digest for file, digest in hash_inputs(folder, NEEDED).items()}
    return (now, _relevant_names(columns)) != ({file.name: file.sha256 for file in stored.inputs}, stored.columns)


def hash_inputs(folder: Path, tables: Iterable[str]) -> dict[Path, str]:
    """Return the SHA-256 of every file of these tables, of a growing one that of its whole lines."""
    return {path: growing.sha256(path) for name in tables for path in locate(folder, TABLES[name])}


def describe_inputs(folder: Path, readings: Iterable[Reading], hashes: dict[Path, str]) -> list[Input]:
    """Describe each file that was read: its path in the data folder, hash, size, rows and time range.

    The hash and the size of a file that was growing are those of the lines that were read: what came since then is
    neither in the plays nor in their inputs, and whoever follows the file from this size on misses nothing.
    """
    described = []
    for reading in readings:
        time = pl.col("timestamp") if "timestamp" in reading.frame.columns else pl.lit(None, pl.Datetime)
        first, last = time.min().dt.strftime(TIME_FORMAT), time.max().dt.strftime(TIME_FORMAT)
        by_file = reading.frame.group_by("file").agg(pl.len(), first=first, last=last)
        facts = {file: facts for file, *facts in by_file.iter_rows()}
        for number, path in enumerate(reading.paths):
            digest, size = reading.seen.get(path) or (hashes[path], path.stat().st_size)
            described.append(Input(shown(path.relative_to(folder)), digest, size, *facts.get(number, [0])))
    return described
