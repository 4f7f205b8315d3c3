"""The Parquet file of plays: rows are plays; the metadata hold the purchases and the files that it was made from."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec
import polars as pl

from pozytywka_cli import files
from pozytywka_cli.dataset.data_files import locate
from pozytywka_cli.dataset.guard import shown
from pozytywka_cli.dataset.read import Reading
from pozytywka_cli.dataset.tables import NO_NAMES, TABLES
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.records import Input

VERSION = 4  # of the transform and of this file; files of another version are made again
NEEDED = ("tracks", "sessions")  # the tables that plays are made from
METADATA = "pozytywka"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
PURCHASES = {"user_id": pl.Int64(), "purchased_at": pl.Datetime("us", "UTC")}


class Metadata(msgspec.Struct, frozen=True):
    """The Parquet metadata: the transform's version, what it read, and purchases as (user_id, purchased_at).

    columns: the names that columns had in the files where the settings gave them, by `table.column`
    """

    transform: int
    inputs: list[Input]
    purchases: list[tuple[int, datetime]]
    columns: dict[str, str] = {}


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
    metadata = msgspec.json.encode(Metadata(VERSION, inputs, purchases.rows(), of_needed(columns))).decode()
    with files.replacing(target) as temporary:
        plays.write_parquet(temporary, metadata={METADATA: metadata})


def read(path: Path) -> tuple[pl.DataFrame, pl.DataFrame, list[Input]]:
    """Return plays, purchases (user_id, purchased_at) and the inputs that they were made from.

    Raises:
        ArtifactError: the file is damaged.
    """
    problem, metadata = "its metadata cannot be read", read_metadata(path)
    try:
        plays = pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        problem, metadata = str(error).splitlines()[0], None
    if metadata is None:
        raise ArtifactError(f"{path} is damaged: {problem}", "Make it again with `pozytywka transform`.")
    return plays, pl.DataFrame(metadata.purchases, schema=PURCHASES, orient="row"), metadata.inputs


def read_metadata(path: Path) -> Metadata | None:
    """Return the metadata of a plays file; None if it is missing, damaged or made by another version."""
    try:
        metadata = msgspec.json.decode(pl.read_parquet_metadata(path).get(METADATA, ""), type=Metadata)
    except (OSError, msgspec.MsgspecError, pl.exceptions.PolarsError):
        return None
    return metadata if metadata.transform == VERSION else None


def of_needed(columns: Mapping[str, str]) -> dict[str, str]:
    """Return the names in files of those columns that plays are made from."""
    return {column: name for column, name in columns.items() if column.partition(".")[0] in NEEDED}


def stale(folder: Path, path: Path, columns: Mapping[str, str] = NO_NAMES) -> str | None:
    """Return why plays must be made again from the data in `folder`; None if they are up to date."""
    if not path.exists():
        return "there are no plays yet"
    made_from = read_metadata(path)
    if made_from is None:
        return "they are damaged, or were made by another version"
    if made_from.columns != of_needed(columns):
        return "the names of columns in the settings have changed"
    now = {shown(file.relative_to(folder)): digest for file, digest in hash_inputs(folder, NEEDED).items()}
    return None if now == {file.name: file.sha256 for file in made_from.inputs} else "the data have changed"


def hash_inputs(folder: Path, tables: Iterable[str]) -> dict[Path, str]:
    """Return the SHA-256 of every file of these tables."""
    return {path: files.sha256(path) for name in tables for path in locate(folder, TABLES[name])}


def describe_inputs(folder: Path, readings: Iterable[Reading], hashes: dict[Path, str]) -> list[Input]:
    """Describe each file that was read: its path in the data folder, hash, size, rows and time range."""
    described = []
    for reading in readings:
        time = pl.col("timestamp") if "timestamp" in reading.frame.columns else pl.lit(None, pl.Datetime)
        first, last = time.min().dt.strftime(TIME_FORMAT), time.max().dt.strftime(TIME_FORMAT)
        by_file = reading.frame.group_by("file").agg(pl.len(), first=first, last=last)
        facts = {file: facts for file, *facts in by_file.iter_rows()}
        for number, path in enumerate(reading.paths):
            name, size = shown(path.relative_to(folder)), path.stat().st_size
            described.append(Input(name, hashes[path], size, *facts.get(number, [0])))
    return described
