"""What is known at the moment a track starts: which earlier plays have run their course by then, and how they went."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.dataset.loading import Dataset

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

USER = ("user_id",)
SESSION = ("user_id", "session_id")
INSTANT = pl.duration(microseconds=1)  # what happens at the very moment a track starts is not yet known to it


def canonical(plays: pl.DataFrame) -> pl.DataFrame:
    """The same plays in an order that they alone decide: by user, start, session and track, then by all the rest."""
    keys = ["user_id", "started_at", "session_id", "track_id"]
    return plays.sort(*keys, *sorted(set(plays.columns) - set(keys)))


def history(plays: pl.DataFrame, tracks: pl.DataFrame) -> pl.DataFrame:
    """The canonical plays as later ones may know them: `skipped` only if before the track's end, and `known_at`.

    An outcome is known at the SKIP, or else at the track's end or the session's next PLAY, and a SKIP after the end
    comes when the play is known to have been played to its end. `known_at` is null where that never comes: the last
    play of a session, not skipped, of a track of unknown duration.
    """
    durations = tracks.select("duration_ms", track_id="id").unique("track_id", keep="first")
    log = canonical(plays).join(durations, on="track_id", how="left", maintain_order="left")
    ended = pl.col("started_at") + pl.duration(milliseconds="duration_ms")
    next_play = pl.col("started_at").shift(-1).over(SESSION)
    cut_short = pl.col("skipped") & (pl.col("skipped_at") < ended).fill_null(True)
    moment = pl.when(cut_short).then("skipped_at").otherwise(pl.min_horizontal(ended, next_play))
    earliest = pl.col("started_at") + INSTANT
    known_at = pl.when(moment < earliest).then(earliest).otherwise(moment)
    return log.with_columns(skipped=cut_short, known_at=known_at).drop("duration_ms")


def known_users(asked: pl.DataFrame, dataset: Dataset) -> Flags:
    """Which rows' users are in the log or in the users table: (asked,)."""
    users = pl.concat([dataset.plays["user_id"].unique(), dataset.users["user_id"]])
    return asked["user_id"].is_in(users.implode()).fill_null(False).to_numpy()


def rate(events: Ints | Floats, of: Ints | Floats, weight: float, prior: float | Floats) -> Floats:
    """(events + weight · prior) ÷ (of + weight): a rate that starts at its prior (a Beta prior's posterior mean).

    Written so that without events it is the prior to the last bit.
    """
    return np.asarray(prior + (events - of * prior) / (of + weight))


@dataclass(frozen=True)
class Past:
    """For each asked row, the plays of one user (or session) whose outcome it may know, in the order they became known.

    skipped: (log,) as the log has it in the end.
    order: rows of the log, by user and the time at which they were known.
    first, end: (asked,) the range of `order` that an asked row knows.
    pending: (asked,) the row of the log that the asked row's own start ends, so that it is known last of all and was
        not skipped; or −1.
    """

    skipped: Flags
    order: Ints
    first: Ints
    end: Ints
    pending: Ints

    @property
    def size(self) -> Ints:
        """How many plays each asked row knows: (asked,)."""
        return self.end - self.first + (self.pending >= 0)

    @property
    def latest(self) -> Ints:
        """The row of the log that each asked row has known for the shortest time, or −1: (asked,)."""
        ordered = np.append(self.order, -1)[np.where(self.end > self.first, self.end - 1, -1)]
        return np.where(self.pending >= 0, self.pending, ordered)

    def count(self, values: Flags | Ints) -> Ints:
        """How many known plays have their flag set, or the sum of their integers: (asked,); `values` are (log,)."""
        return np.asarray(self._sum(values, None) + np.append(values, 0)[self.pending])

    def skips(self, values: Flags | Ints | None = None, *, last: int | None = None) -> Ints:
        """What `count` counts (all plays, without `values`), but only of plays that were skipped: (asked,)."""
        return self._sum(self.skipped if values is None else self.skipped * values, last)

    def _sum(self, values: Flags | Ints, last: int | None) -> Ints:
        # integers: what a row gets cannot depend, not even in its last bit, on other users' plays
        total = np.append(0, np.cumsum(values[self.order]))
        first = self.first if last is None else np.maximum(self.first, self.end - last + (self.pending >= 0))
        return np.asarray(total[self.end] - total[first])

    def moving_average(self, owners: Ints, *, start: float, half_life: float) -> Floats:
        """Exponentially weighted share of known plays that were skipped, from `start` on: (asked,).

        `owners` (log,) are the users; a play's weight halves with every `half_life` later plays.
        """
        kept = 0.5 ** (1 / half_life)
        ordered = pl.DataFrame({"skip": self.skipped[self.order].astype(np.float64), "owner": owners[self.order]})
        mean = ordered.select(pl.col("skip").ewm_mean(half_life=half_life).over("owner")).to_series().to_numpy()
        count = self.end - self.first
        share = kept**count
        average = share * start + (1 - share) * np.append(mean, 0.0)[np.where(count > 0, self.end - 1, -1)]
        return np.asarray(np.where(self.pending >= 0, kept * average, average))


def begun(log: pl.DataFrame, asked: pl.DataFrame) -> Past:
    """The plays that began earlier in each asked row's session, whether or not they have ended."""
    started = log.with_columns(known_at=pl.col("started_at") + INSTANT)
    return Past(log["skipped"].to_numpy(), *_known(started, asked, SESSION), np.full(len(asked), -1))


def known(log: pl.DataFrame, asked: pl.DataFrame, session: Past, by: tuple[str, ...]) -> Past:
    """The plays that share the columns `by` and whose outcome is known; `log` is canonical and has its `known_at`.

    A play that still runs in the asked row's own `session` (see `begun`) is ended by that row's start.
    """
    before = np.append(session.order, -1)[np.where(session.size > 0, session.end - 1, -1)]
    never = np.iinfo(np.int64).max
    ends = np.append(log["known_at"].to_physical().fill_null(never).to_numpy(), 0)[before]
    running = ends > asked["started_at"].to_physical().to_numpy()
    return Past(session.skipped, *_known(log, asked, by), np.where(running, before, -1))


def likes(log: pl.DataFrame, asked: pl.DataFrame, past: Past) -> tuple[Ints, Flags]:
    """How many plays of the `past` of each asked row's user had been liked by then, and had the latest: (asked,) each.

    A LIKE may come before its play's outcome is known, or after.
    """
    never = np.iinfo(np.int64).max
    liked_at = np.append(log["liked_at"].to_physical().fill_null(never).to_numpy(), never)
    now = asked["started_at"].to_physical().to_numpy()
    liked = log.filter("liked", pl.col("known_at").is_not_null())
    both = liked.with_columns(known_at=pl.max_horizontal("known_at", "liked_at"))
    _, first, end = _known(both, asked, USER)
    return end - first + (liked_at[past.pending] <= now), liked_at[past.latest] <= now


def _known(log: pl.DataFrame, asked: pl.DataFrame, by: tuple[str, ...]) -> tuple[Ints, Ints, Ints]:
    """`order`, `first` and `end` of a `Past` of plays that share the columns `by`."""
    timeline = (
        log.with_row_index("row")
        .select("row", "known_at", *by)
        .drop_nulls("known_at")
        .sort(*by, "known_at", maintain_order=True)
        .with_row_index("position")
    )
    firsts = timeline.group_by(by).agg(first=pl.col("position").min())
    found = (
        asked.select("started_at", *by)
        .with_row_index("asked")
        .sort("started_at")
        .join_asof(timeline, left_on="started_at", right_on="known_at", by=by, check_sortedness=False)
        .join(firsts, on=by, how="left")
        .sort("asked")
        .select(pl.col("first", "position").cast(pl.Int64))
        .select(
            first=pl.col("first").fill_null(0), end=(pl.col("position") + 1).fill_null(pl.col("first")).fill_null(0)
        )
    )
    return timeline["row"].cast(pl.Int64).to_numpy(), found["first"].to_numpy(), found["end"].to_numpy()
