"""Two CSV files of scrobbles and artists, as a dataset that has counts of listens in place of plays."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from pozytywka_cli.dataset.csv_reader import first_line, read_csv, refuse_first
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.dataset.tables import TABLES

MOST_SCROBBLES = 10**9  # a count above it is a fault of the source: a track every second takes thirty years


def load_scrobbles(scrobbles: Path, artists: Path, say: Callable[[str], None]) -> Dataset:
    """Read two CSV files: `user_id,artist_id,scrobbles` and `artist_id,artist_name`.

    Rows of the same user and artist are summed, saying so; the order of lines does not matter.

    Raises:
        StorageError: a file cannot be opened.
        RefusedError: a file is not such a CSV; the line and column of its first fault are named.
    """
    listened, heard = read_csv(scrobbles, ("user_id", "artist_id", "scrobbles"))
    number = pl.col("scrobbles").cast(pl.Int64, strict=False)
    for column in ("user_id", "artist_id"):
        refuse_first(scrobbles, listened, column, pl.col(column).is_null(), "")
    countable = number.is_between(1, MOST_SCROBBLES).fill_null(value=False)
    refuse_first(scrobbles, listened, "scrobbles", ~countable, f"is not a whole number from 1 to {MOST_SCROBBLES}")
    repeats = listened.select(~pl.struct("user_id", "artist_id").is_first_distinct()).to_series()
    if count := repeats.sum():
        where, rows = f"{scrobbles}:{first_line(listened, repeats)}", f"{count:,} row{'s' if count > 1 else ''}"
        say(f"{where}: the first of {rows} whose user and artist stand on an earlier line too: counts are summed.")

    named, listed = read_csv(artists, ("artist_id", "artist_name"))
    refuse_first(artists, named, "artist_id", pl.col("artist_id").is_null(), "")
    refuse_first(artists, named, "artist_id", ~pl.col("artist_id").is_first_distinct(), "stands on an earlier line too")
    empty = {name: pl.DataFrame(schema=table.schema) for name, table in TABLES.items()}
    return Dataset(
        plays=pl.DataFrame(),
        purchases=pl.DataFrame(),
        users=empty["users"],
        artists=named.select(id="artist_id", name="artist_name", genres=pl.lit(None, pl.List(pl.String))),
        tracks=empty["tracks"],
        inputs=[heard, listed],
        scrobbles=listened.select("user_id", "artist_id", listens=number),
    )
