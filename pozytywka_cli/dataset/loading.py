"""Load the plays and the tables that describe them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from pozytywka_cli.dataset import plays_file
from pozytywka_cli.dataset.attribution import artists_of_tracks, left_out
from pozytywka_cli.dataset.checking.validate import check
from pozytywka_cli.dataset.gaps import ALL, dense_part
from pozytywka_cli.dataset.reading.data_files import unread_messages
from pozytywka_cli.dataset.tables import NO_NAMES, TABLES
from pozytywka_cli.dataset.transform import transform
from pozytywka_cli.errors import ArtifactError, BusyError, RefusedError
from pozytywka_cli.records import Input

DESCRIBING = ("users", "artists")


@dataclass(frozen=True)
class Dataset:
    """The loaded tables, good rows only, and the files that they were read from.

    plays: user_id, session_id, track_id, started_at (UTC, µs), advertisement_before, skipped, liked, listened_ms,
        skipped_at and liked_at (UTC, µs; of the first SKIP and LIKE, null where there is none)
    purchases: user_id, purchased_at: the first BUY_PREMIUM of a user
    users: user_id, favourite_genres (never premium_user, name, city or street)
    artists: id, name, genres
    tracks: id, name, id_artist, duration_ms, popularity … tempo
    cut: the moment (UTC) at which the log was cut off with `until`
    scrobbles: user_id, artist_id (text), listens: counts in place of plays, if it was loaded from scrobbles
    """

    plays: pl.DataFrame
    purchases: pl.DataFrame
    users: pl.DataFrame
    artists: pl.DataFrame
    tracks: pl.DataFrame
    inputs: list[Input] = field(default_factory=list)
    cut: datetime | None = None
    scrobbles: pl.DataFrame | None = None

    def until(self, moment: datetime | None) -> "Dataset":
        """Return the dataset as it was known just before `moment` (UTC); None leaves it as it is.

        A play is known once it has ended, after `listened_ms`. A LIKE, or a SKIP after the track's end, may come later
        and is unknown until then.
        """
        if moment is None:
            return self
        ended = pl.col("started_at") + pl.duration(milliseconds=pl.col("listened_ms").fill_null(0))
        plays = self.plays.filter((pl.col("started_at") < moment) & (ended <= moment))
        known = {event: (pl.col(f"{event}_at") < moment).fill_null(False) for event in ("skipped", "liked")}
        return replace(
            self,
            plays=plays.with_columns(
                **known, **{f"{event}_at": pl.when(seen).then(f"{event}_at") for event, seen in known.items()}
            ),
            purchases=self.purchases.filter(pl.col("purchased_at") < moment),
            cut=min(moment, self.cut or moment),
        )


def load(
    folder: Path,
    plays: Path,
    inform: Callable[[str], None],
    lock: Callable[[], AbstractContextManager[None]] = nullcontext,
    until: datetime | None = None,
    columns: Mapping[str, str] = NO_NAMES,
) -> Dataset:
    """Load the dataset in a folder as it was known before `until` (UTC), without stray plays (see `dense_part`).

    Where the file of plays is missing, damaged or stale, it is made again first. `inform` gets messages for the user,
    and `lock` is held while plays are made. `columns` are names in the files, see `check`.

    Raises:
        RefusedError: plays must be made and the data have errors.
        ArtifactError: the plays are damaged and cannot be made again.
        BusyError: another run holds the lock, and there are no plays that can be read.
        StorageError: a file cannot be read or written.
    """
    stored = _stored_plays(folder, plays, inform, lock, columns)
    for message in unread_messages(folder, TABLES.values()):
        inform(message)
    hashes = plays_file.hash_inputs(folder, DESCRIBING)  # before they are read: a change meanwhile is noticed later
    described = check(folder, (*DESCRIBING, "tracks"), columns=columns, warnings=False)
    good = {name: pl.DataFrame(schema=TABLES[name].schema) for name in (*DESCRIBING, "tracks")}
    for name in described.readings:
        good[name] = described.good(name)
        if count := len(described.bad(name)):
            inform(f"Ignoring {count:,} bad lines of {name}; see `pozytywka validate`.")
    for name in DESCRIBING:
        if name not in described.readings:
            inform(f"There is no table {name} in {folder}; models do without it.")
    readings = [described.readings[name] for name in DESCRIBING if name in described.readings]
    dataset = Dataset(
        plays=stored.plays,
        purchases=stored.purchases,
        users=good["users"].select("user_id", "favourite_genres"),
        artists=good["artists"],
        tracks=good["tracks"],
        inputs=[*plays_file.describe_inputs(folder, readings, hashes), *stored.inputs],
    )
    dataset = without_strays(dataset.until(until), inform)
    every_track_has_an_artist = len(artists_of_tracks(good["tracks"])) == described.readings["tracks"].lines
    if not every_track_has_an_artist:  # else counting, a join of all plays, would find none
        for message in left_out(dataset.plays, good["tracks"]):
            inform(message)
    return dataset


def without_strays(dataset: Dataset, inform: Callable[[str], None]) -> Dataset:
    """Leave out the plays, and the purchases, outside of the dense part of the log, with a message if there are any."""
    part = dense_part(dataset.plays["started_at"], dataset.plays["user_id"])
    if part == ALL:
        return dataset
    plays = dataset.plays.filter(part.covers("started_at"))
    count = len(dataset.plays) - len(plays)
    first, last = plays.select(pl.col("started_at").min().dt.date(), last=pl.col("started_at").max().dt.date()).row(0)
    strays = f"{count:,} {'play' if count == 1 else 'plays'}"
    inform(f"Leaving out {strays} far from the others, which are from {first} to {last} (rule `time_gap`).")
    return replace(dataset, plays=plays, purchases=dataset.purchases.filter(part.covers("purchased_at")))


def _stored_plays(
    folder: Path,
    path: Path,
    inform: Callable[[str], None],
    lock: Callable[[], AbstractContextManager[None]],
    columns: Mapping[str, str],
) -> plays_file.Stored:
    """Read the file of plays, after making it again where needed."""
    stored, damage = None, None
    try:
        stored = plays_file.read(path)
        if not plays_file.changed(folder, stored, columns):
            return stored
        reason = f"the data, or the names of their columns, have changed since {path} was made"
    except ArtifactError as error:
        damage, reason = error, error.message
    inform(f"Making plays: {reason}.")
    try:
        with lock():
            made = transform(folder, path, columns=columns)
    except BusyError as busy:
        if stored is None:
            raise
        inform(f"Using the plays as they are: {busy.message}.")
        return stored
    except RefusedError as refused:
        if damage is None or not path.exists():
            raise
        raise ArtifactError(f"{damage.message}, and cannot be made again: {refused.message}", refused.hint) from None
    for message in made.left_out:
        inform(message)
    return plays_file.read(path)
