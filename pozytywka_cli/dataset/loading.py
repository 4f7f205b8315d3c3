"""The service as the model families see it: plays and the tables that describe them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from pozytywka_cli.dataset.tables import TABLES
from pozytywka_cli.dataset.transform import describe_inputs, moments_of, provenance, purchases_of, stale, transform
from pozytywka_cli.dataset.validate import Checked, check
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.records import Input

DESCRIBING = ("users", "artists")


@dataclass(frozen=True)
class Dataset:
    """Frames of good rows, and what they were read from.

    plays: user_id, session_id, track_id, started_at (UTC, µs), advertisement_before, skipped, liked, listened_ms,
        skipped_at and liked_at (UTC, µs; of the first SKIP and LIKE, null where there is none)
    purchases: user_id, purchased_at: the first BUY_PREMIUM of a user
    users: user_id, favourite_genres (never premium_user, name, city or street)
    artists: id, name, genres
    tracks: id, name, id_artist, duration_ms, popularity … tempo
    cut: the moment (UTC) from which on nothing is known, if it was cut off there
    scrobbles: user_id, artist_id (text), listens: counts that stand in for plays, where they were given as such
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
        """The service as it was known just before `moment` (UTC): later purchases are unknown, and plays still running.

        A play has run its course once it has been listened to for `listened_ms`; how it ended is not known before.
        A SKIP after a track's end, or a LIKE, may come later still.
        """
        if moment is None:
            return self
        ended = pl.col("started_at") + pl.duration(milliseconds=pl.col("listened_ms").fill_null(0))
        plays = self.plays.filter((pl.col("started_at") < moment) & (ended <= moment))
        come = {event: (pl.col(f"{event}_at") < moment).fill_null(False) for event in ("skipped", "liked")}
        return replace(
            self,
            plays=plays.with_columns(
                **come, **{f"{event}_at": pl.when(known).then(f"{event}_at") for event, known in come.items()}
            ),
            purchases=self.purchases.filter(pl.col("purchased_at") < moment),
            cut=min(moment, self.cut or moment),
        )


def load(
    folder: Path,
    plays_file: Path,
    say: Callable[[str], None],
    lock: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Dataset:
    """The service in `folder`, with plays made again under `lock`, saying so, where `plays_file` is missing or stale.

    Raises:
        RefusedError: plays must be made and the data have errors.
        ArtifactError: the plays are damaged.
    """
    if reason := stale(folder, plays_file):
        say(f"Making {plays_file}: {reason}.")
        with lock():
            transform(folder, plays_file)
    described = check(folder, (*DESCRIBING, "tracks"), warnings=False)
    for name, frame in described.readings.items():
        if bad := len(described.bad(name)):
            say(f"Leaving out {bad:,} bad lines of {frame.table.name}; see `pozytywka validate`.")
    for name in DESCRIBING:
        if name not in described.readings:
            say(f"There are no {name} in {folder}: what they would tell is unknown.")
    made_from = provenance(plays_file)
    return Dataset(
        plays=_read(plays_file, moments_of(plays_file)),
        purchases=_read(purchases_of(plays_file)),
        users=_good(described, "users").select("user_id", "favourite_genres"),
        artists=_good(described, "artists"),
        tracks=_good(described, "tracks"),
        inputs=[*describe_inputs(folder, DESCRIBING, described), *(made_from.inputs if made_from else [])],
    )


def _read(path: Path, beside: Path | None = None) -> pl.DataFrame:
    """The rows of a file, with the columns of another one of as many rows."""
    try:
        rows = pl.read_parquet(path, glob=False)
        return rows.hstack(pl.read_parquet(beside, glob=False)) if beside else rows
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        problem = f"{path} is damaged: {str(error).splitlines()[0]}"
        raise ArtifactError(problem, "Make it again with `pozytywka transform`.") from None


def _good(described: Checked, name: str) -> pl.DataFrame:
    return described.good(name) if name in described.readings else pl.DataFrame(schema=TABLES[name].schema)
