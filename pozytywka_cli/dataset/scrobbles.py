"""Read a file of scrobbles and one of artists as a dataset that has counts of listens in place of plays."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polars as pl

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.dataset.reading.containers import read_source
from pozytywka_cli.dataset.reading.csv_reader import CORRECT, line_numbers, plain_text, read_csv, whole_numbers
from pozytywka_cli.dataset.reading.guard import reading, shown
from pozytywka_cli.dataset.scrobble_columns import ARTISTS, SCROBBLES, layout
from pozytywka_cli.dataset.tables import TRACKS, USERS
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.records import Input

MOST_SCROBBLES = 10**9  # a higher count is an error of the source: a track every second takes thirty years
EXAMPLES = 3


def load_scrobbles(scrobbles: Path, artists: Path, warn: Callable[[str], None]) -> Dataset:
    """Read a file of `user_id,artist_id,scrobbles` and one of `artist_id,artist_name`, which may be the same.

    They may be written otherwise (see `scrobble_columns`) and compressed. Rows of the same user and artist are summed,
    counts of 0 are left out, and an artist without a name goes by its id, each with a warning; the order of lines does
    not matter.

    Raises:
        StorageError: a file cannot be read.
        RefusedError: a file has other content, whose line and column are named, or names fit less than half the counts.
    """
    counts = _read(scrobbles, SCROBBLES, warn)
    listens = _listens(counts, warn)
    names = counts if artists.exists() and artists.samefile(scrobbles) else _read(artists, ARTISTS, warn)
    named = _names(names)
    _check_names(listens, named, (counts.name, names.name), warn)
    return Dataset(
        plays=pl.DataFrame(),
        purchases=pl.DataFrame(),
        users=pl.DataFrame(schema=USERS.schema),
        artists=named.select(id="artist_id", name="artist_name", genres=pl.lit(None, pl.List(pl.String))),
        tracks=pl.DataFrame(schema=TRACKS.schema),
        inputs=[counts.input, names.input],
        scrobbles=listens,
    )


class _File(NamedTuple):
    """A file as read: its rows of text, for messages the frame with the header that they come from, and its input."""

    name: str
    rows: pl.DataFrame
    records: pl.DataFrame
    input: Input

    def refuse_first(self, column: str, bad: pl.Expr, problem: str) -> None:
        """Raise a RefusedError for the first row for which `bad` holds; the message is "<value> <problem>"."""
        for at in self.rows.select(bad.fill_null(False).arg_true()).to_series().head(1):
            row = self.rows.row(at, named=True)
            value = "is empty" if row[column] is None else f"{row[column]!r} {problem}"
            what = f"column {column}: {value}" if any(row.values()) else "a blank line"
            raise RefusedError(f"{self.name}:{self.line(at)}: {what}", CORRECT)

    def line(self, row: int) -> int:
        """Return the line on which a row starts."""
        at = self.records.height - self.rows.height + row
        return int(line_numbers(self.records.head(at + 1))[-1])


def _read(path: Path, needed: tuple[str, ...], warn: Callable[[str], None]) -> _File:
    """Return the needed columns of a file, and the names and users that it has beside them."""
    name = shown(path)
    content, sha256, size = _content(path)
    text = plain_text(content, name)
    found = layout(text, name, needed)
    if assumed := found.assumed():
        warn(f"{name}: {assumed}.")
    records = read_csv(text, name, found.separator)
    rows = records[1:] if found.header else records
    rows = rows.select(rows[:, at].alias(column) for column, at in found.columns.items())
    if "artist_name" in rows.columns and "user_id" in rows.columns:  # there an artist without an id goes by its name
        rows = rows.with_columns(artist_id=pl.coalesce("artist_id", "artist_name"))
    rows = rows.with_columns(_id(rows[column]) for column in ("user_id", "artist_id") if column in rows.columns)
    return _File(name, rows, records, Input(shown(path.name), sha256, size, rows.height))


def _content(path: Path) -> tuple[bytes, str, int]:
    """Return a file's content, decompressed, and the hash and size of the file; a pipe is read only once, as it is."""
    with reading(path, "Check the path and the file."):
        if path.is_file():
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256")
            return read_source(path), digest.hexdigest(), path.stat().st_size
        content = path.read_bytes()
    return content, hashlib.sha256(content).hexdigest(), len(content)


def _id(ids: pl.Series) -> pl.Series:
    """Return ids without spaces around them; numbers that were written as floats (1.0) become integers (1)."""
    ids = ids.str.strip_chars().replace("", None)
    whole = ids.str.contains(r"^[0-9]+(\.0*)?$")
    return ids.str.replace(r"\.0*$", "") if whole.all() else ids


def _listens(file: _File, warn: Callable[[str], None]) -> pl.DataFrame:
    """Return the rows user_id, artist_id and listens of a file."""
    for column in ("user_id", "artist_id"):
        file.refuse_first(column, pl.col(column).is_null(), "")
    rows = file.rows.with_columns(listens=whole_numbers(file.rows["scrobbles"]))
    countable = pl.lit(rows["listens"].is_between(0, MOST_SCROBBLES).fill_null(False))
    file.refuse_first("scrobbles", ~countable, f"is not a whole number from 0 to {MOST_SCROBBLES}")
    never = rows["listens"] == 0
    if never.any():
        at = never.arg_max() or 0
        warn(f"{file.name}:{file.line(at)}: the first of {_rows(int(never.sum()))} with 0 scrobbles: left out.")
    repeats = ~rows.select(pl.struct("user_id", "artist_id").is_first_distinct()).to_series()
    if repeats.any():
        problem = f"the first of {_rows(int(repeats.sum()))} whose user and artist stand on an earlier line too"
        warn(f"{file.name}:{file.line(repeats.arg_max() or 0)}: {problem}: counts are summed.")
    return rows.filter(~never).select("user_id", "artist_id", "listens")


def _names(file: _File) -> pl.DataFrame:
    """Return the rows artist_id and artist_name of a file, an artist each.

    In a file of scrobbles an artist may have several spellings; the most frequent is its name.
    """
    if "user_id" in file.rows.columns:
        spellings = file.rows.filter(pl.col("artist_id").is_not_null()).group_by("artist_id", "artist_name").len()
        best = spellings.sort("artist_id", "len", "artist_name", descending=[False, True, False], nulls_last=True)
        return best.unique("artist_id", keep="first", maintain_order=True).drop("len")
    file.refuse_first("artist_id", pl.col("artist_id").is_null(), "")
    repeated = ~pl.col("artist_id").is_first_distinct() & pl.struct("artist_id", "artist_name").is_first_distinct()
    file.refuse_first("artist_id", repeated, "stands on an earlier line too, with another name")
    return file.rows.unique("artist_id", keep="first", maintain_order=True).select("artist_id", "artist_name")


def _check_names(
    listens: pl.DataFrame, named: pl.DataFrame, files: tuple[str, str], warn: Callable[[str], None]
) -> None:
    """Warn of artists without a name, and raise a RefusedError if they have more than half of the rows."""
    unknown = listens.join(named, on="artist_id", how="anti")
    if unknown.is_empty():
        return
    ids = unknown["artist_id"].unique().sort()
    examples = ", ".join(map(repr, ids.head(EXAMPLES)))
    artists = f"{len(ids):,} artist{'' if len(ids) == 1 else 's'}"
    problem = f"{files[0]}: {_rows(len(unknown))} of {len(listens):,} have {artists} not in {files[1]}: {examples}"
    if len(unknown) > len(listens) / 2:
        known = ", ".join(map(repr, named["artist_id"].head(EXAMPLES))) or "none"
        raise RefusedError(f"{problem}; ids there: {known}", "Check that the two files belong together.")
    warn(f"{problem}. Their ids are shown as names.")


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
