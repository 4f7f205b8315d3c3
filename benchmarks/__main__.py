"""`make bench`: every speed figure of the README, as a ratio beside the most that it may be."""

import gzip
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

os.environ |= {"POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "2"}  # before polars is imported

import polars as pl

from benchmarks import peers
from benchmarks.timing import Compared, call, command, in_turn
from pozytywka_cli.dataset.read import locate, read
from pozytywka_cli.dataset.tables import SESSIONS, TRACKS
from pozytywka_cli.dataset.transform import to_plays

DATA = Path(__file__).parents[2] / "shared" / "data" / "pozytywka-2024"
HERE = Path(__file__).parent
POZYTYWKA = Path(sys.executable).with_name("pozytywka")
EVENTS = {
    "session_id": pl.Int64,
    "timestamp": pl.Int64,
    "user_id": pl.Int64,
    "track_id": pl.String,
    "event_type": pl.String,
}


class Figure(NamedTuple):
    """A measured figure, the most that it may be, and the times behind it."""

    name: str
    value: float
    bound: float
    detail: str


def main() -> int:
    """Measure and print; 1 where a bound is not kept."""
    if not DATA.is_dir():
        sys.exit(f"{DATA} is missing: these figures are measured on that edition")
    broken = 0
    with tempfile.TemporaryDirectory() as scratch:
        for figure in measured(unpacked(Path(scratch) / "data")):
            kept = figure.value <= figure.bound
            broken += not kept
            line = f"{figure.name:<60} {figure.value:8.2f}  at most {figure.bound:<6.4g} {figure.detail}"
            print(line if kept else f"{line}  NOT KEPT", flush=True)
    return int(broken > 0)


def unpacked(folder: Path) -> Path:
    """The 2024 edition with its events gunzipped."""
    folder.mkdir()
    for path in DATA.glob("*.jsonl"):
        shutil.copyfile(path, folder / path.name)
    with gzip.open(DATA / "sessions.jsonl.gz") as packed, (folder / "sessions.jsonl").open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    return folder


def measured(folder: Path) -> Iterator[Figure]:
    """The figures, one after the other."""
    scratch = folder.parent
    help_, least = command(POZYTYWKA, "--help"), command(sys.executable, HERE / "two_commands.py", "--help")
    yield _ratio("pozytywka --help ÷ a two-command typer program's", in_turn(help_, least, runs=15), 1.3)

    def plays() -> None:
        events, tracks = (read(table, locate(folder, table)).frame for table in (SESSIONS, TRACKS))
        to_plays(events, tracks).write_parquet(scratch / "ours.parquet")

    query = call(lambda: peers.duckdb_plays(folder, scratch / "theirs.parquet"))
    yield _ratio("read, plays and write ÷ one DuckDB query", in_turn(call(plays), query), 1.2)
    transform = command(POZYTYWKA, "-q", "transform", folder, "--artifacts-dir", scratch / "artifacts")
    whole = in_turn(transform, query)
    yield _ratio("pozytywka transform ÷ one DuckDB query", whole, 2.5)
    yield Figure("pozytywka transform: peak memory, MB", whole.megabytes, 1500, "")
    script = command(sys.executable, HERE / "peers.py", folder, scratch / "plays.csv")
    yield _ratio("pozytywka transform ÷ plain Python", in_turn(transform, script, runs=2), 1 / 6)
    bare = call(lambda: pl.read_ndjson(folder / "sessions.jsonl", schema=EVENTS))
    validate = in_turn(command(POZYTYWKA, "-q", "validate", folder), bare)
    yield _ratio("(pozytywka validate - 2 s) ÷ a bare polars read", validate, 3, less=2)


def _ratio(name: str, found: Compared, bound: float, less: float = 0.0) -> Figure:
    return Figure(name, found.ratio(less), bound, found.medians)


if __name__ == "__main__":
    sys.exit(main())
