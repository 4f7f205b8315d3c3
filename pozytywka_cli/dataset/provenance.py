"""Describe the input files of a run: hash, size, rows and time range."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from pozytywka_cli import files
from pozytywka_cli.dataset.discovery import locate
from pozytywka_cli.dataset.read import Reading
from pozytywka_cli.dataset.tables import TABLES
from pozytywka_cli.records import Input

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def hash_inputs(folder: Path, tables: Iterable[str]) -> dict[Path, str]:
    """Return the SHA-256 of every file of these tables."""
    return {path: files.sha256(path) for name in tables for path in locate(folder, TABLES[name])}


def names_and_hashes(folder: Path, hashes: dict[Path, str]) -> list[tuple[str, str]]:
    """Return (path in the data folder, hash) of every file, sorted."""
    return sorted((path.relative_to(folder).as_posix(), digest) for path, digest in hashes.items())


def describe_inputs(folder: Path, readings: Iterable[Reading], hashes: dict[Path, str]) -> list[Input]:
    """Describe each file that was read; names are paths in the data folder."""
    return [record for reading in readings for record in _describe(folder, reading, hashes)]


def _describe(folder: Path, reading: Reading, hashes: dict[Path, str]) -> list[Input]:
    time = pl.col("timestamp") if "timestamp" in reading.frame.columns else pl.lit(None, pl.Datetime)
    first, last = time.min().dt.strftime(TIME_FORMAT), time.max().dt.strftime(TIME_FORMAT)
    by_file = reading.frame.group_by("file").agg(pl.len(), first=first, last=last)
    facts = {file: facts for file, *facts in by_file.iter_rows()}
    return [
        Input(path.relative_to(folder).as_posix(), hashes[path], path.stat().st_size, *facts.get(number, [0]))
        for number, path in enumerate(reading.paths)
    ]
