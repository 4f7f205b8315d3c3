"""What is known of a user's earlier plays at the moment at which a track starts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Flags, Floats, Ints
from pozytywka_cli.families.skip.features.play_log import INSTANT, SESSION
from pozytywka_cli.families.skip.features.rates import HALF_LIFE, NEVER, average

USER = ("user_id",)
Kinds = NDArray[np.uint8]


@dataclass(frozen=True)
class Past:
    """For each row, the plays of its user (or session) whose outcome is known, in the order in which they became known.

    skipped: (log,) the outcomes
    order: rows of the log, by user and by the time at which they became known
    first, end: (rows,) the range of `order` that is known to a row
    pending: (rows,) the row of the log that a row's own start ends, so that it is known last of all and was not
        skipped; or −1
    """

    skipped: Flags
    order: Ints
    first: Ints
    end: Ints
    pending: Ints

    @property
    def size(self) -> Ints:
        """The number of known plays: (rows,)."""
        return self.end - self.first + (self.pending >= 0)

    @property
    def latest(self) -> Ints:
        """The row of the log that became known last, or −1: (rows,)."""
        ordered = np.append(self.order, -1)[np.where(self.end > self.first, self.end - 1, -1)]
        return np.where(self.pending >= 0, self.pending, ordered)

    def count(self, values: Flags | Ints) -> Ints:
        """Return the number of known plays whose flag in `values`, (log,), is set, or the sum of integers: (rows,)."""
        return np.asarray(self._sum(values, None) + np.append(values, 0)[self.pending])

    def skips(self, values: Flags | Ints | None = None, *, last: int | None = None) -> Ints:
        """Return the same for skipped plays only, of the `last` known plays: (rows,); without `values`, count all."""
        return self._sum(self.skipped if values is None else self.skipped * values, last)

    def _sum(self, values: Flags | Ints, last: int | None) -> Ints:
        total = np.append(0, np.cumsum(values[self.order]))  # integers: exact, whatever other users played
        first = self.first if last is None else np.maximum(self.first, self.end - last + (self.pending >= 0))
        return np.asarray(total[self.end] - total[first])

    def cells(self, kinds: Kinds, number: int) -> Callable[[slice], Ints]:
        """Return a function from a range of rows to their known plays by kind and outcome: (rows, number, 2).

        `kinds` are those of all plays, (log,), from 0 to `number` − 1; the first outcome is a play to the end.
        """
        # sums up to each place where the known plays of a row begin or end: few, where rows are about the present
        places, where = np.unique(np.concatenate([self.first, self.end]), return_inverse=True)
        first, end = np.split(where, 2)
        stretch = np.searchsorted(places, np.arange(len(self.order)), side="right")
        cells = stretch * (2 * number) + (2 * kinds + self.skipped)[self.order]
        total = np.zeros((len(places) + 1, 2 * number), np.int32)
        np.add.at(total.reshape(-1), cells, 1)  # not bincount, which counts in 64 bits
        np.cumsum(total, axis=0, dtype=total.dtype, out=total)

        def counted(part: slice) -> Ints:
            counts = (total[end[part]] - total[first[part]]).astype(np.int64)
            pending = self.pending[part]
            (rows,) = np.nonzero(pending >= 0)
            counts[rows, 2 * kinds[pending[rows]]] += 1
            return counts.reshape(-1, number, 2)

        return counted

    def moving_average(self, users: Ints, *, start: float) -> Floats:
        """Return the exponentially weighted share of known plays that were skipped, beginning at `start`: (rows,).

        A play's weight halves with every 15 later plays. `users` are those of all plays: (log,).
        """
        ordered = pl.DataFrame({"skip": self.skipped[self.order].astype(np.float64), "user": users[self.order]})
        mean = ordered.select(pl.col("skip").ewm_mean(half_life=HALF_LIFE).over("user")).to_series().to_numpy()
        count = self.end - self.first
        return average(np.append(mean, 0.0)[np.where(count > 0, self.end - 1, -1)], count, self.pending >= 0, start)


def session_past(log: pl.DataFrame, rows: pl.DataFrame) -> Past:
    """Return the plays that started earlier in each row's session, whether or not they have ended."""
    started = log.with_columns(known_at=pl.col("started_at") + INSTANT)
    return Past(log["skipped"].to_numpy(), *_known(started, rows, SESSION), np.full(len(rows), -1))


def known_past(log: pl.DataFrame, rows: pl.DataFrame, session: Past, by: tuple[str, ...]) -> Past:
    """Return the plays that share the columns `by` with a row and whose outcome is known when the row starts.

    A play that still runs in the row's own `session` (see `session_past`) is ended by the row's start.
    """
    before = session.latest
    ends = np.append(log["known_at"].to_physical().fill_null(NEVER).to_numpy(), 0)[before]
    running = ends > rows["started_at"].to_physical().to_numpy()
    return Past(session.skipped, *_known(log, rows, by), np.where(running, before, -1))


def likes(log: pl.DataFrame, rows: pl.DataFrame, past: Past) -> tuple[Ints, Flags]:
    """Return how many plays of each row's user's `past` are known to be liked, and whether the latest is: (rows,) each.

    A LIKE may come before its play's outcome is known, or after.
    """
    liked_at = np.append(log["liked_at"].to_physical().fill_null(NEVER).to_numpy(), NEVER)
    now = rows["started_at"].to_physical().to_numpy()
    liked = log.filter("liked", pl.col("known_at").is_not_null())
    both = liked.with_columns(known_at=pl.max_horizontal("known_at", "liked_at"))
    _, first, end = _known(both, rows, USER)
    return end - first + (liked_at[past.pending] <= now), liked_at[past.latest] <= now


def _known(log: pl.DataFrame, rows: pl.DataFrame, by: tuple[str, ...]) -> tuple[Ints, Ints, Ints]:
    """Return `order`, `first` and `end` of a `Past` of plays that share the columns `by`."""
    known = log.with_row_index("row").select("row", "known_at", *by).drop_nulls("known_at")
    timeline = known.sort(*by, "known_at", maintain_order=True).with_row_index("position")
    firsts = timeline.group_by(by).agg(first=pl.col("position").min())
    ranges = (
        rows.select("started_at", *by)
        .with_row_index("number")
        .sort("started_at")
        .join_asof(timeline, left_on="started_at", right_on="known_at", by=by, check_sortedness=False)
        .join(firsts, on=by, how="left")
        .sort("number")
        .select(pl.col("first").fill_null(0), end=(pl.col("position") + 1).fill_null(pl.col("first")).fill_null(0))
    )
    order, first, end = timeline["row"], ranges["first"], ranges["end"]
    return order.cast(pl.Int64).to_numpy(), first.cast(pl.Int64).to_numpy(), end.cast(pl.Int64).to_numpy()
