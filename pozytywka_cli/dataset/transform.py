"""Turn raw events into the file of plays."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import narwhals as nw
import polars as pl

from pozytywka_cli.dataset import plays_file, quarantine
from pozytywka_cli.dataset.data_files import unread_messages
from pozytywka_cli.dataset.plays import MOMENTS, ORDER, SESSION, plays
from pozytywka_cli.dataset.rules import in_order
from pozytywka_cli.dataset.tables import NO_NAMES, TABLES
from pozytywka_cli.dataset.validate import check
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.records import Progress, Report, silent

OnInvalid = Literal["fail", "quarantine"]


@dataclass(frozen=True)
class Transformed:
    """The plays that were written.

    dropped: how many bad lines of each table were left out
    quarantine: the folder that they were written to
    unread: a sentence for each table with files that look like its data and were not read
    """

    plays: Path
    rows: int
    dropped: dict[str, int]
    quarantine: Path | None
    unread: list[str]


def transform(
    folder: Path,
    output: Path,
    *,
    columns: Mapping[str, str] = NO_NAMES,
    on_invalid: OnInvalid = "fail",
    quarantine_dir: Path | None = None,
    report: Report = silent,
) -> Transformed:
    """Turn the events in `folder` into plays, and write them to `output`; `columns` as in `check`.

    Raises:
        RefusedError: there are errors in the data and `on_invalid` is "fail", or a needed table or column is missing.
        StorageError: a file cannot be read or written.
    """
    with ThreadPoolExecutor(1) as pool:  # hashing needs no interpreter lock, and reading is not always busy
        hashing = pool.submit(plays_file.hash_inputs, folder, plays_file.NEEDED)
        checked = check(folder, plays_file.NEEDED, columns=columns, warnings=False, report=report)
        hashes = hashing.result()
    for _, file, problem in checked.missing:
        raise RefusedError(f"{file} is {problem}", "Check --data-dir; see `pozytywka validate`.")
    for problem, hint in checked.absent:
        raise RefusedError(problem, hint)
    dropped = {name: len(checked.bad(name)) for name in plays_file.NEEDED}
    if on_invalid == "fail" and any(dropped.values()):
        error = next(violation for violation in checked.violations if violation.level == "error")
        lines = f"{sum(dropped.values()):,} bad {'line' if sum(dropped.values()) == 1 else 'lines'}"
        first = f"{error.examples[0].file}:{error.examples[0].line}: {error.column or 'line'} breaks `{error.rule}`"
        hint = "See `pozytywka validate`, or drop bad lines with `pozytywka transform --on-invalid quarantine`."
        hint = " ".join([*checked.hints, hint])
        raise RefusedError(f"{lines}, first {first}: {error.examples[0].value}", hint)
    if on_invalid == "quarantine" and quarantine_dir is not None:
        quarantine.write(checked, quarantine_dir, good=False)
    events = checked.good("sessions")
    report(Progress("make plays", 0, 1))
    made = to_plays(events, checked.good("tracks"))
    report(Progress("make plays", 1, 1))
    bought = events.filter(pl.col("event_type") == "BUY_PREMIUM")
    purchases = bought.group_by("user_id").agg(purchased_at=pl.col("timestamp").min()).sort("user_id")
    inputs = plays_file.describe_inputs(folder, checked.readings.values(), hashes)
    plays_file.write(output, made, purchases, inputs, columns)
    unread = unread_messages(folder, [TABLES[name] for name in plays_file.NEEDED])
    return Transformed(output, len(made), dropped, quarantine_dir if any(dropped.values()) else None, unread)


def to_plays(events: pl.DataFrame, tracks: pl.DataFrame) -> pl.DataFrame:
    """Return the plays of good events and good tracks, with the times of their SKIP and LIKE, see `plays`."""
    is_play = pl.col("event_type") == "PLAY"
    numeric = events.select(*SESSION, pl.col("timestamp").to_physical(), "event_type", "track_id", is_play=is_play)
    if in_order(numeric, [*SESSION, *ORDER]):
        numeric = numeric.with_columns(number=pl.col("is_play").cum_sum())
    numeric = numeric.with_columns(pl.col("track_id").cast(pl.Categorical))
    durations = tracks.select(pl.col("id").cast(pl.Categorical).alias("track_id"), "duration_ms")
    made = plays(nw.from_native(numeric.drop("is_play").lazy()), nw.from_native(durations.lazy())).to_native()
    moments, track = pl.col("started_at", *MOMENTS).cast(pl.Datetime("us", "UTC")), pl.col("track_id").cast(pl.String)
    timed: pl.LazyFrame = made.with_columns(moments, track)
    return timed.collect(engine="streaming")
