"""Turn raw events into the file of plays."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import narwhals as nw
import polars as pl

from pozytywka_cli.dataset import plays_file
from pozytywka_cli.dataset.checking import quarantine
from pozytywka_cli.dataset.checking.validate import Checked, check
from pozytywka_cli.dataset.order import in_order
from pozytywka_cli.dataset.plays import MOMENTS, ORDER, SESSION, plays
from pozytywka_cli.dataset.reading.data_files import unread_messages
from pozytywka_cli.dataset.tables import NO_NAMES, TABLES
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.records import Progress, Report, silent

OnInvalid = Literal["fail", "quarantine"]


@dataclass(frozen=True)
class Transformed:
    """The plays that were written.

    dropped: how many bad lines of each table were left out
    duplicates: how many events were left out because they are equal to earlier ones
    other_reactions: how many SKIPs and LIKEs were left out because they name another track than the one playing
    quarantine: the folder that the bad lines were written to
    unread: a sentence for each table with files that look like its data and were not read
    """

    plays: Path
    rows: int
    dropped: dict[str, int]
    duplicates: int
    other_reactions: int
    quarantine: Path | None
    unread: list[str]

    @property
    def left_out(self) -> list[str]:
        """A sentence about the duplicates, and one about the reactions, if there are any."""
        repeated = f"{self.duplicates:,} {'event' if self.duplicates == 1 else 'events'} equal to earlier ones"
        others = f"{self.other_reactions:,} {'reaction' if self.other_reactions == 1 else 'reactions'} (SKIP, LIKE)"
        sentences = (
            (self.duplicates, f"Dropped {repeated}; see `duplicate` in `pozytywka validate`."),
            (self.other_reactions, f"Dropped {others} to another track than the one playing; see `event_track`."),
        )
        return [sentence for count, sentence in sentences if count]


class Made(NamedTuple):
    """The plays of a log, and how many of its events were left out: see `Transformed`."""

    plays: pl.DataFrame
    duplicates: int
    other_reactions: int


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
        RefusedError: there are errors in the data and `on_invalid` is "fail", a needed table or column is
            missing, or no good event is a PLAY. Nothing is written then.
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
        raise _refusal(checked, sum(dropped.values()))
    events = checked.good("sessions")
    _require_play(events, folder, dropped["sessions"])
    if on_invalid == "quarantine" and quarantine_dir is not None:
        quarantine.write(checked, quarantine_dir, good=False)
    report(Progress("make plays", 0, 1))
    made = to_plays(events, checked.good("tracks"))
    report(Progress("make plays", 1, 1))
    bought = events.filter(pl.col("event_type") == "BUY_PREMIUM")
    purchases = bought.group_by("user_id").agg(purchased_at=pl.col("timestamp").min()).sort("user_id")
    inputs = plays_file.describe_inputs(folder, checked.readings.values(), hashes)
    plays_file.write(output, made.plays, purchases, inputs, columns)
    return Transformed(
        output,
        len(made.plays),
        dropped,
        made.duplicates,
        made.other_reactions,
        quarantine_dir if any(dropped.values()) else None,
        unread_messages(folder, [TABLES[name] for name in plays_file.NEEDED]),
    )


def _refusal(checked: Checked, count: int) -> RefusedError:
    """Return the error that says how many lines are bad, and shows the first."""
    error = next(violation for violation in checked.violations if violation.level == "error")
    lines = f"{count:,} bad {'line' if count == 1 else 'lines'}"
    first = f"{error.examples[0].file}:{error.examples[0].line}: {error.column or 'line'} breaks `{error.rule}`"
    hint = "See `pozytywka validate`, or drop bad lines with `pozytywka transform --on-invalid quarantine`."
    return RefusedError(f"{lines}, first {first}: {error.examples[0].value}", " ".join([*checked.hints, hint]))


def _require_play(events: pl.DataFrame, folder: Path, bad: int) -> None:
    """Check that plays can be made of the good events, else raise a RefusedError."""
    if not (events["event_type"] == "PLAY").any():
        found = f"{len(events):,} good {'event' if len(events) == 1 else 'events'}"
        problem = f"there is no good PLAY in {folder}, only {found} and {bad:,} bad {'line' if bad == 1 else 'lines'}"
        raise RefusedError(problem, "See `pozytywka validate`.")


def to_plays(events: pl.DataFrame, tracks: pl.DataFrame) -> Made:
    """Return the plays of good events and good tracks, with the times of their SKIP and LIKE, see `plays`.

    Of events that are equal in every column only one counts.
    """
    ordered = _ordered(events)
    unique = _without_copies(ordered)
    current = pl.when(unique["is_play"]).then("track_id").forward_fill()
    numbered = unique.lazy().select(pl.exclude("is_play"), number=pl.col("is_play").cum_sum(), current_track=current)
    made = plays(nw.from_native(numbered), nw.from_native(_durations(tracks))).to_native()
    moments, track = pl.col("started_at", *MOMENTS).cast(pl.Datetime("us", "UTC")), pl.col("track_id").cast(pl.String)
    timed: pl.LazyFrame = made.with_columns(moments, track)
    collected = timed.collect(engine="streaming")
    duplicates, others = len(ordered) - len(unique), int(collected["other_reactions"].sum())
    return Made(collected.drop("other_reactions"), duplicates, others)


def _ordered(events: pl.DataFrame) -> pl.DataFrame:
    """Return the events in order, with `is_play`, times in µs and categorical tracks.

    Sorting costs less than a cumulative sum over an order.
    """
    is_play = pl.col("event_type") == "PLAY"
    track = pl.col("track_id").cast(pl.Categorical)
    numeric = events.select(*SESSION, pl.col("timestamp").to_physical(), "event_type", track, is_play=is_play)
    return numeric if in_order(numeric, [*SESSION, *ORDER]) else numeric.sort(*SESSION, *ORDER)


def _without_copies(ordered: pl.DataFrame) -> pl.DataFrame:
    """Return one of each event; equal ones are among neighbours of one session and time that are PLAYs or are not."""
    place = pl.col(*SESSION, "timestamp", "is_play")
    like_previous = pl.all_horizontal(place == place.shift()).fill_null(False)
    alike = ordered.select(like_previous | like_previous.shift(-1, fill_value=False)).to_series()
    kept = ordered.filter(alike).select(pl.struct(pl.all()).is_first_distinct()).to_series()
    return ordered if kept.all() else ordered.filter((~alike).scatter(alike.arg_true(), kept))


def _durations(tracks: pl.DataFrame) -> pl.LazyFrame:
    return tracks.lazy().select(pl.col("id").cast(pl.Categorical).alias("track_id"), "duration_ms")
