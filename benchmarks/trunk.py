"""Measure the command line and the dataset against what others would write for the same task."""

import gzip
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from benchmarks import peers
from benchmarks.figure import DATA, HERE, POZYTYWKA, Figure, ratio
from benchmarks.timing import call, command, in_turn
from pozytywka_cli.dataset.reading.data_files import locate
from pozytywka_cli.dataset.reading.read import read
from pozytywka_cli.dataset.tables import SESSIONS, TRACKS
from pozytywka_cli.dataset.transform import to_plays

EVENTS = {
    "session_id": pl.Int64,
    "timestamp": pl.Int64,
    "user_id": pl.Int64,
    "track_id": pl.String,
    "event_type": pl.String,
}


def measured(scratch: Path) -> Iterator[Figure]:
    """Yield the figures."""
    help_, least = command(POZYTYWKA, "--help"), command(sys.executable, HERE / "two_commands.py", "--help")
    yield ratio("pozytywka --help ÷ a two-command typer program's", in_turn(help_, least, runs=15), 1.3)
    folder = _unpacked(scratch / "data")

    def plays() -> None:
        events, tracks = (read(table, locate(folder, table)).frame for table in (SESSIONS, TRACKS))
        to_plays(events, tracks).plays.write_parquet(scratch / "ours.parquet")

    query = call(lambda: peers.duckdb_plays(folder, scratch / "theirs.parquet"))
    yield ratio("read, plays and write ÷ one DuckDB query", in_turn(call(plays), query), 1.2)
    transform = command(POZYTYWKA, "-q", "transform", folder, "--artifacts-dir", scratch / "artifacts")
    whole = in_turn(transform, query)
    yield ratio("pozytywka transform ÷ one DuckDB query", whole, 2.5)
    yield Figure("pozytywka transform: peak memory, MB", whole.megabytes, 1500)
    script = command(sys.executable, HERE / "peers.py", folder, scratch / "plays.csv")
    yield ratio("pozytywka transform ÷ plain Python", in_turn(transform, script, runs=2), 1 / 6)
    bare = call(lambda: pl.read_ndjson(folder / "sessions.jsonl", schema=EVENTS))
    validate = in_turn(command(POZYTYWKA, "-q", "validate", folder), bare)
    yield ratio("(pozytywka validate - 2 s) ÷ a bare polars read", validate, 3, less=2)


def _unpacked(folder: Path) -> Path:
    """Return a copy of the 2024 data whose events are not compressed."""
    folder.mkdir()
    edition = DATA / "pozytywka-2024"
    for path in edition.glob("*.jsonl"):
        shutil.copyfile(path, folder / path.name)
    with gzip.open(edition / "sessions.jsonl.gz") as packed, (folder / "sessions.jsonl").open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    return folder
