"""Load the plays and the tables that describe them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from pozytywka_cli.dataset import plays_file
from pozytywka_cli.dataset.data_files import unread_messages
from pozytywka_cli.dataset.tables import NO_NAMES, TABLES
from pozytywka_cli.dataset.transform import transform
from pozytywka_cli.dataset.validate import check
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
    columns: Mapping[str, str] = NO_NAMES,
) -> Dataset:
    """Load the dataset in a folder; where its file of plays is missing or stale, it is made again first.

    `inform` gets messages for the user, and `lock` is held while plays are made. `columns` are names in the
    files, see `check`.

    Raises:
        RefusedError: plays must be made and the data have errors.
        ArtifactError: the plays are damaged.
        StorageError: a file cannot be read or written.
    """
    if reason := plays_file.stale(folder, plays, columns):
        inform(f"Making {plays}: {reason}.")
        with lock():
            transform(folder, plays, columns=columns)
    for message in unread_messages(folder, TABLES.values()):
        inform(message)
    described = check(folder, (*DESCRIBING, "tracks"), columns=columns, warnings=False)
    good = {name: pl.DataFrame(schema=TABLES[name].schema) for name in (*DESCRIBING, "tracks")}
    for name in described.readings:
        good[name] = described.good(name)
        if count := len(described.bad(name)):
            inform(f"Ignoring {count:,} bad lines of {name}; see `pozytywka validate`.")
    for name in DESCRIBING:
        if name not in described.readings:
            inform(f"There is no table {name} in {folder}; models do without it.")
    rows, purchases, inputs = plays_file.read(plays)
    readings = [described.readings[name] for name in DESCRIBING if name in described.readings]
    return Dataset(
        plays=rows,
        purchases=purchases,
        users=good["users"].select("user_id", "favourite_genres"),
        artists=good["artists"],
        tracks=good["tracks"],
        inputs=[*plays_file.describe_inputs(folder, readings, plays_file.hash_inputs(folder, DESCRIBING)), *inputs],
    )
