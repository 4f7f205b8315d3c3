"""The plays of a dataset with the time at which each outcome became known, indexed by user."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import Flags, Ints

SESSION = ("user_id", "session_id")
INSTANT = pl.duration(microseconds=1)  # an event at the very moment at which a track starts is not known to it yet


def canonical(plays: pl.DataFrame) -> pl.DataFrame:
    """Return the plays in an order that depends on nothing else: by user, start, session, track, then all the rest."""
    keys = ["user_id", "started_at", "session_id", "track_id"]
    return plays.sort(*keys, *sorted(set(plays.columns) - set(keys)))


def outcomes(plays: pl.DataFrame, tracks: pl.DataFrame) -> pl.DataFrame:
    """Return canonical plays as later ones know them: `skipped` only if before the track's end, and `known_at`.

    An outcome is known at the SKIP, or else at the track's end or the session's next PLAY. `known_at` is null where
    none of them happens: for the last play of a session, not skipped, of a track of unknown duration.
    """
    durations = tracks.select("duration_ms", track_id="id").unique("track_id", keep="first")
    log = plays.join(durations, on="track_id", how="left", maintain_order="left")
    ended = pl.col("started_at") + pl.duration(milliseconds="duration_ms")
    next_play = pl.col("started_at").shift(-1).over(SESSION)
    cut_short = pl.col("skipped") & (pl.col("skipped_at") < ended).fill_null(True)
    moment = pl.when(cut_short).then("skipped_at").otherwise(pl.min_horizontal(ended, next_play))
    earliest = pl.col("started_at") + INSTANT
    known_at = pl.when(moment < earliest).then(earliest).otherwise(moment)
    return log.with_columns(skipped=cut_short, known_at=known_at).drop("duration_ms")


@dataclass(frozen=True)
class Index:
    """The sorted, distinct keys of a table and a null, and the first row of each; for the null, the number of rows."""

    keys: pl.Series
    rows: Ints

    @classmethod
    def of(cls, keys: pl.Series) -> "Index":
        """Index the rows of a table by this column."""
        table = pl.DataFrame({"key": keys}).with_row_index("row").drop_nulls().unique("key", keep="first").sort("key")
        return cls(table["key"].extend_constant(None, 1), np.append(table["row"], len(keys)).astype(np.int64))

    def find(self, wanted: pl.Series) -> Ints:
        """Return the row of each wanted key, and for an unknown one the number of rows of the table: (wanted,)."""
        place = self.keys[:-1].search_sorted(wanted).cast(pl.Int64).to_numpy()
        known = (self.keys.gather(place) == wanted).fill_null(False).to_numpy()
        return self.rows[np.where(known, place, -1)]

    def has(self, wanted: pl.Series) -> Flags:
        """Return which wanted keys are in the table: (wanted,)."""
        return np.asarray(self.find(wanted) < self.rows[-1])


@dataclass(frozen=True)
class PlayLog:
    """A dataset and its canonical plays, indexed so that features of rows take only the plays of their users."""

    dataset: Dataset

    @classmethod
    def of(cls, dataset: Dataset) -> "PlayLog":
        """Index a dataset, whose plays may be in any order; nothing is computed before it is needed."""
        return cls(dataset)

    @cached_property
    def plays(self) -> pl.DataFrame:
        """The canonical plays, with `skipped` as it was in the end."""
        return canonical(self.dataset.plays)

    @cached_property
    def tracks(self) -> Index:
        """The rows of the tracks table."""
        return Index.of(self.dataset.tracks["id"])

    @cached_property
    def members(self) -> Index:
        """The rows of the users table."""
        return Index.of(self.dataset.users["user_id"])

    @cached_property
    def purchases(self) -> Index:
        """The rows of the purchases table."""
        return Index.of(self.dataset.purchases["user_id"])

    @cached_property
    def users(self) -> Index:
        """The numbers of the users with plays, in the order of `history`."""
        return Index.of(self.history["user_id"].rle().struct.field("value"))

    @cached_property
    def offsets(self) -> Ints:
        """Where the plays of each user start in `history`, and at last the number of plays: (users + 1,)."""
        return np.append(0, self.history["user_id"].rle().struct.field("len").cum_sum()).astype(np.int64)

    @cached_property
    def history(self) -> pl.DataFrame:
        """The plays with their `outcomes`, and with `track` and `premium` (see `locate`)."""
        known = outcomes(self.plays, self.dataset.tracks)
        return self.locate(known).drop("track_id", "listened_ms", "skipped_at", strict=False)

    def history_of(self, user_ids: pl.Series) -> pl.DataFrame:
        """Return the part of `history` that belongs to these users, in the same order."""
        numbers = np.unique(self.users.find(user_ids))
        numbers = numbers[numbers < len(self.offsets) - 1]
        starts, sizes = self.offsets[numbers], np.diff(self.offsets)[numbers]
        if sizes.sum() == len(self.history):
            return self.history
        skipped = np.repeat(starts - np.append(0, np.cumsum(sizes)[:-1]), sizes)  # rows of other users before
        return self.history.select(pl.all().gather(np.arange(sizes.sum()) + skipped))

    def locate(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Add `track`, the row of the tracks table, and `premium`: whether an earlier purchase proves it."""
        purchased_at = self.dataset.purchases["purchased_at"].extend_constant(None, 1)
        moment = purchased_at.gather(self.purchases.find(rows["user_id"]))
        return rows.with_columns(
            track=pl.Series(self.tracks.find(rows["track_id"])), premium=(moment <= rows["started_at"]).fill_null(False)
        )

    def knows(self, rows: pl.DataFrame) -> Flags:
        """Return which rows' users have plays or are in the users table: (rows,)."""
        return self.users.has(rows["user_id"]) | self.members.has(rows["user_id"])
