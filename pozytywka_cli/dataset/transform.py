"""Raw logs to `plays.parquet`, which remembers what it was made from and so knows when it is stale."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import narwhals as nw
import polars as pl

from pozytywka_cli import files
from pozytywka_cli.dataset import quarantine
from pozytywka_cli.dataset.plays import COLUMNS, MOMENTS, ORDER, SESSION, plays
from pozytywka_cli.dataset.read import Reading, locate
from pozytywka_cli.dataset.rules import in_order
from pozytywka_cli.dataset.tables import TABLES
from pozytywka_cli.dataset.validate import Checked, check
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.records import Input, Progress, Report, silent

VERSION = 2  # of what plays mean; a new one makes every plays file stale
NEEDED = ("tracks", "sessions")
METADATA = "pozytywka"
OnInvalid = Literal["fail", "quarantine"]


class Provenance(msgspec.Struct, frozen=True):
    """What a plays file was made from, kept in its Parquet metadata."""

    transform: int
    inputs: list[Input]


@dataclass(frozen=True)
class Transformed:
    """What a transformation wrote, and how many bad lines it left out of each table."""

    plays: Path
    rows: int
    dropped: dict[str, int]
    quarantine: Path | None


def transform(
    folder: Path,
    output: Path,
    *,
    on_invalid: OnInvalid = "fail",
    quarantine_dir: Path | None = None,
    report: Report = silent,
) -> Transformed:
    """Turn the events in `folder` into plays at `output`, and what else they tell into two files beside it.

    Raises:
        RefusedError: there are errors in the data and `on_invalid` is "fail", or a table that is needed is missing.
    """
    with ThreadPoolExecutor(1) as pool:  # hashing needs no interpreter lock, and reading is not always busy
        hashing = pool.submit(_hashes, folder, NEEDED)
        checked = check(folder, NEEDED, warnings=False, report=report)
        hashes = hashing.result()
    refuse_missing(checked)
    dropped = {name: len(checked.bad(name)) for name in NEEDED}
    if on_invalid == "fail" and any(dropped.values()):
        hint = "See `pozytywka validate`, or drop bad lines with `pozytywka transform --on-invalid quarantine`."
        raise RefusedError(_first_error(checked), hint)
    if on_invalid == "quarantine" and quarantine_dir is not None:
        quarantine.write(checked, quarantine_dir)
    events = checked.good("sessions")
    report(Progress("make plays", 0, 1))
    made = to_plays(events, checked.good("tracks"))
    report(Progress("make plays", 1, 1))
    provenance = Provenance(VERSION, _describe_all(checked.readings, hashes))
    for frame, target in (
        (made.select(COLUMNS), output),
        (made.select(MOMENTS), moments_of(output)),
        (_purchases(events), purchases_of(output)),
    ):
        _write(frame, target, provenance)
    return Transformed(output, len(made), dropped, quarantine_dir if any(dropped.values()) else None)


def purchases_of(plays_file: Path) -> Path:
    """Where every user's first premium purchase stands: `plays.purchases.parquet` beside `plays.parquet`."""
    return plays_file.with_name(f"{plays_file.stem}.purchases.parquet")


def moments_of(plays_file: Path) -> Path:
    """Where it stands when each play of a plays file was skipped and liked, row by row: `plays.moments.parquet`."""
    return plays_file.with_name(f"{plays_file.stem}.moments.parquet")


def to_plays(events: pl.DataFrame, tracks: pl.DataFrame) -> pl.DataFrame:
    """Plays of good events and good tracks with the moments of their SKIP and LIKE, by Polars' streaming engine."""
    numeric = events.select(
        *SESSION,
        pl.col("timestamp").to_physical(),
        "event_type",
        "track_id",
        is_play=pl.col("event_type") == "PLAY",
    )
    if in_order(numeric, [*SESSION, *ORDER]):
        numeric = numeric.with_columns(number=pl.col("is_play").cum_sum())
    numeric = numeric.with_columns(pl.col("track_id").cast(pl.Categorical))
    durations = tracks.select(pl.col("id").cast(pl.Categorical).alias("track_id"), "duration_ms")
    made = plays(nw.from_native(numeric.drop("is_play").lazy()), nw.from_native(durations.lazy())).to_native()
    moments, track = pl.col("started_at", *MOMENTS).cast(pl.Datetime("us", "UTC")), pl.col("track_id").cast(pl.String)
    timed: pl.LazyFrame = made.with_columns(moments, track)
    return timed.collect(engine="streaming")


def _purchases(events: pl.DataFrame) -> pl.DataFrame:
    bought = events.filter(pl.col("event_type") == "BUY_PREMIUM")
    return bought.group_by("user_id").agg(purchased_at=pl.col("timestamp").min()).sort("user_id")


def _write(frame: pl.DataFrame, target: Path, provenance: Provenance) -> None:
    with files.replacing(target) as temporary:
        frame.write_parquet(temporary, metadata={METADATA: msgspec.json.encode(provenance).decode()})


def provenance(plays_file: Path) -> Provenance | None:
    """What a plays file was made from; None where there is no such file, or one that this version cannot vouch for."""
    try:
        found = msgspec.json.decode(pl.read_parquet_metadata(plays_file).get(METADATA, ""), type=Provenance)
    except (OSError, msgspec.MsgspecError, pl.exceptions.PolarsError):
        return None
    return found if found.transform == VERSION else None


def stale(folder: Path, plays_file: Path) -> str | None:
    """Why plays must be made again from `folder`, in a few words; None where they are up to date."""
    if not plays_file.exists():
        return "there are no plays yet"
    made_from = provenance(plays_file)
    if made_from is None:
        return "they are damaged, or were made by another version"
    for beside in (moments_of(plays_file), purchases_of(plays_file)):
        if provenance(beside) != made_from:
            return f"{beside.name} is missing or was made from other data"
    now = sorted((path.name, digest) for path, digest in _hashes(folder, NEEDED).items())
    return None if now == sorted((i.name, i.sha256) for i in made_from.inputs) else "the data have changed"


def describe_inputs(folder: Path, tables: Sequence[str], checked: Checked) -> list[Input]:
    """Each file of these tables: hash, size, rows and, for events, the time range."""
    readings = {name: reading for name, reading in checked.readings.items() if name in tables}
    return _describe_all(readings, _hashes(folder, tables))


def _hashes(folder: Path, tables: Sequence[str]) -> dict[Path, str]:
    return {path: files.sha256(path) for name in tables for path in locate(folder, TABLES[name])}


def _describe_all(readings: dict[str, Reading], hashes: dict[Path, str]) -> list[Input]:
    return [
        _describe(reading, number, path, hashes[path])
        for reading in readings.values()
        for number, path in enumerate(reading.paths)
    ]


def _describe(reading: Reading, number: int, path: Path, digest: str) -> Input:
    rows = reading.frame.filter(pl.col("file") == number)
    ends: tuple[str | None, str | None] = (None, None)
    if "timestamp" in rows.columns and rows["timestamp"].count():
        moments = pl.col("timestamp").min().alias("first"), pl.col("timestamp").max().alias("last")
        ends = rows.select(moments).select(pl.all().dt.strftime("%Y-%m-%dT%H:%M:%SZ")).row(0)
    return Input(path.name, digest, path.stat().st_size, len(rows), *ends)


def refuse_missing(checked: Checked) -> None:
    """Raise RefusedError where a table that is needed is missing."""
    for violation in checked.violations:
        if violation.rule == "table" and violation.level == "error":
            raise RefusedError(
                f"{violation.examples[0].file} is {violation.examples[0].value.partition(';')[0]}",
                "Check --data-dir; see `pozytywka validate`.",
            )


def _first_error(checked: Checked) -> str:
    count = sum(len(checked.bad(name)) for name in NEEDED)
    worst = checked.errors[0]
    at = worst.examples[0]
    lines = "line" if count == 1 else "lines"
    where = f"{at.file}:{at.line}: {worst.column or 'line'} breaks `{worst.rule}`: {at.value}"
    return f"{count:,} bad {lines}, first {where}"
