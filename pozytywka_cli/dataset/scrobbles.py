"""Read two CSV files of scrobbles and artists as a dataset that has counts of listens in place of plays."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import polars as pl

from pozytywka_cli.dataset.csv_reader import header, line_numbers, read_csv, refuse_first
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.dataset.tables import TRACKS, USERS
from pozytywka_cli.errors import RefusedError, StorageError
from pozytywka_cli.records import Input

MOST_SCROBBLES = 10**9  # a higher count is an error of the source: a track every second takes thirty years


def load_scrobbles(scrobbles: Path, artists: Path, inform: Callable[[str], None]) -> Dataset:
    """Read two CSV files: `user_id,artist_id,scrobbles` and `artist_id,artist_name`.

    Rows of the same user and artist are summed, with a message; the order of lines does not matter.

    Raises:
        StorageError: a file cannot be opened.
        RefusedError: a file is not such a CSV; the line and column of its first error are named.
    """
    counts, counts_input = _read(scrobbles, ("user_id", "artist_id", "scrobbles"))
    number = pl.col("scrobbles").cast(pl.Int64, strict=False)
    for column in ("user_id", "artist_id"):
        refuse_first(str(scrobbles), counts, column, pl.col(column).is_null(), "")
    countable = number.is_between(1, MOST_SCROBBLES).fill_null(value=False)
    refuse_first(str(scrobbles), counts, "scrobbles", ~countable, f"is not a whole number from 1 to {MOST_SCROBBLES}")
    repeats = counts.select(line=line_numbers(counts), repeats=~pl.struct("user_id", "artist_id").is_first_distinct())
    lines = repeats.filter("repeats")["line"]
    if len(lines):
        rows = f"{len(lines):,} row{'s' if len(lines) > 1 else ''}"
        problem = f"the first of {rows} whose user and artist stand on an earlier line too"
        inform(f"{scrobbles}:{lines[0]}: {problem}: counts are summed.")

    names, names_input = _read(artists, ("artist_id", "artist_name"))
    refuse_first(str(artists), names, "artist_id", pl.col("artist_id").is_null(), "")
    repeated = ~pl.col("artist_id").is_first_distinct()
    refuse_first(str(artists), names, "artist_id", repeated, "stands on an earlier line too")
    return Dataset(
        plays=pl.DataFrame(),
        purchases=pl.DataFrame(),
        users=pl.DataFrame(schema=USERS.schema),
        artists=names.select(id="artist_id", name="artist_name", genres=pl.lit(None, pl.List(pl.String))),
        tracks=pl.DataFrame(schema=TRACKS.schema),
        inputs=[counts_input, names_input],
        scrobbles=counts.select("user_id", "artist_id", listens=number),
    )


def _read(path: Path, columns: tuple[str, ...]) -> tuple[pl.DataFrame, Input]:
    """Return the rows of a CSV file with exactly this header, and its description; a pipe is read only once."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}", "Check the path.") from None
    if header(content) != list(columns):
        raise RefusedError(f"{path}:1: the header is another", f"It must be {','.join(columns)!r}.")
    rows = read_csv(content, str(path))
    return rows, Input(path.name, hashlib.sha256(content).hexdigest(), len(content), rows.height)
