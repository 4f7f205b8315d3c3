"""`make bench`: every speed figure of the README, printed as a table of ratios with the bound each must keep."""

import gzip
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import peers, timing

DATA = Path(__file__).parents[2] / "shared" / "data" / "pozytywka-2024"
HERE = Path(__file__).parent
POZYTYWKA = str(Path(sys.executable).with_name("pozytywka"))


class Figure(NamedTuple):
    """A measured figure and the most that it may be."""

    name: str
    value: float
    bound: float
    unit: str
    seconds: str


def main() -> int:
    """Measure and print; 1 where a bound is not kept."""
    with tempfile.TemporaryDirectory() as scratch:
        figures = list(measured(prepared(Path(scratch))))
    for figure in figures:
        mark = " " if figure.value <= figure.bound else "!"
        print(f"{mark} {figure.name:<66} {figure.value:8.2f} {figure.unit:<3} (at most {figure.bound:g})  {figure.seconds}")
    return int(any(figure.value > figure.bound for figure in figures))


def prepared(scratch: Path) -> Path:
    """The 2024 edition, gunzipped; where it is missing, a sample of about its size."""
    folder = scratch / "data"
    if DATA.is_dir():
        folder.mkdir()
        for path in DATA.glob("*.jsonl"):
            shutil.copyfile(path, folder / path.name)
        with gzip.open(DATA / "sessions.jsonl.gz") as packed, (folder / "sessions.jsonl").open("wb") as plain:
            shutil.copyfileobj(packed, plain)
        return folder
    sys.exit(f"{DATA} is missing: the benchmarks are measured on that edition")


def measured(folder: Path) -> Iterator[Figure]:
    """The figures, as they come."""
    yield from startup()
    yield from transforming(folder)
    yield from validating(folder)


def startup() -> Iterator[Figure]:
    """`pozytywka --help` beside a two-command program."""
    yield from _figure(
        "pozytywka --help ÷ --help of a two-command typer program",
        timing.commands([POZYTYWKA, "--help"], [sys.executable, str(HERE / "two_commands.py"), "--help"], runs=15),
        1.3,
    )


def transforming(folder: Path) -> Iterator[Figure]:
    """Plays beside DuckDB, in this process without imports, and as a command beside DuckDB and plain Python."""
    from pozytywka_cli.dataset.read import locate, read
    from pozytywka_cli.dataset.tables import SESSIONS, TRACKS
    from pozytywka_cli.dataset.transform import to_plays

    ours, theirs = folder.parent / "ours.parquet", folder.parent / "theirs.parquet"

    def plays() -> None:
        events, tracks = (read(table, locate(folder, table)).frame for table in (SESSIONS, TRACKS))
        to_plays(events, tracks).write_parquet(ours)

    yield from _figure("read, plays, write ÷ DuckDB", timing.calls(plays, lambda: peers.duckdb_plays(folder, theirs)), 1.2)
    command = [POZYTYWKA, "-q", "transform", str(folder), "--artifacts-dir", str(folder.parent / "artifacts")]
    call = f"from benchmarks.peers import *; duckdb_plays(Path({str(folder)!r}), Path({str(theirs)!r}))"
    found = timing.commands(command, [sys.executable, "-c", call])
    yield from _figure("pozytywka transform ÷ DuckDB", found, 2.5)
    yield Figure("pozytywka transform, peak memory", found.megabytes, 1500, "MB", "")
    script = [sys.executable, str(HERE / "peers.py"), str(folder), str(folder.parent / "plays.csv")]
    yield from _figure("pozytywka transform ÷ plain Python", timing.commands(command, script, runs=2), 1 / 6)


def validating(folder: Path) -> Iterator[Figure]:
    """The command's seconds less two, beside a bare read of the events."""
    read = f"import polars as pl; pl.read_ndjson({str(folder / 'sessions.jsonl')!r}, schema={{'session_id': pl.Int64, "
    read += "'timestamp': pl.Int64, 'user_id': pl.Int64, 'track_id': pl.String, 'event_type': pl.String})"
    found = timing.commands([POZYTYWKA, "-q", "validate", str(folder)], [sys.executable, "-c", read])
    less = timing.Compared([seconds - 2 for seconds in found.ours], found.theirs, found.megabytes)
    yield from _figure("(pozytywka validate - 2 s) ÷ bare polars read", less, 3)


def _figure(name: str, found: timing.Compared, bound: float) -> Iterator[Figure]:
    seconds = f"{sorted(found.ours)[len(found.ours) // 2]:.2f} s, {sorted(found.theirs)[len(found.theirs) // 2]:.2f} s"
    yield Figure(name, found.ratio, bound, "×", seconds)


if __name__ == "__main__":
    sys.exit(main())
