"""What users played after a moment, beside the history until then."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

from pozytywka_cli.evaluation import Flags, Ints
from pozytywka_cli.families.recommend.features.frames import collect_history, track_numbers, user_rows
from pozytywka_cli.families.recommend.features.history import History, Profile
from pozytywka_cli.families.recommend.features.tracks import Tracks
from pozytywka_cli.families.recommend.splits import Split


@dataclass(frozen=True)
class Outcomes:
    """The history until the moment of a split, and what users played in the days after it."""

    split: Split
    history: History

    @classmethod
    def of(cls, split: Split, tracks: Tracks) -> "Outcomes":
        """Make the history of what is known at the moment."""
        return cls(split, collect_history(split.known, tracks))

    @cached_property
    def finished(self) -> csr_matrix:
        """Which tracks users played to their end: (users of the history, tracks), ones."""
        history = self.history
        full = self.split.later.filter(~pl.col("skipped")).select("user_id", "track_id").unique(maintain_order=True)
        where = (user_rows(history, full["user_id"]), track_numbers(history.tracks, full["track_id"]))
        return csr_matrix((np.ones(len(full)), where), shape=history.heard.shape)

    def targets(self, *, new: bool) -> csr_matrix:
        """Return what shall be recommended: `finished`, with `new` only the tracks that were not heard before."""
        return self._new if new else self.finished

    @cached_property
    def _new(self) -> csr_matrix:
        left = (self.finished - self.finished.multiply(self.history.heard)).tocsr()
        left.eliminate_zeros()
        return left

    def users(self, *, new: bool) -> Ints:
        """Return the users with targets, as rows of the history."""
        return np.flatnonzero(np.diff(self.targets(new=new).indptr))

    def plays_after(self) -> "PlaysAfter":
        """Return the plays of the days after the moment."""
        later = self.split.later
        return PlaysAfter(
            history=self.history,
            row=user_rows(self.history, later["user_id"]),
            track=track_numbers(self.history.tracks, later["track_id"]),
            skipped=later["skipped"].to_numpy(),
            liked=later["liked"].to_numpy(),
            at=later["started_at"].dt.epoch("us").to_numpy(),
        )


@dataclass(frozen=True)
class PlaysAfter:
    """The plays after a moment, by user and then by time.

    row, track: (plays,) the user, a row of the history, and the number of the track
    skipped, liked: (plays,); at: (plays,) when they started, µs since 1970
    """

    history: History
    row: Ints
    track: Ints
    skipped: Flags
    liked: Flags
    at: Ints

    def profile_before(self, place: int) -> Profile:
        """Return the profile of a play's user with all plays before it."""
        history, row = self.history, int(self.row[place])
        own = slice(history.starts[row], history.starts[row + 1])
        later = slice(int(np.searchsorted(self.row, row)), place)
        at = np.concatenate([history.at[own], self.at[later]])
        return Profile.of(
            user=int(history.users[row]),
            tracks=np.concatenate([history.track[own], self.track[later]]),
            full=np.concatenate([history.full[own], ~self.skipped[later]]),
            liked=np.concatenate([history.liked[own], self.liked[later]]),
            age=(self.at[place] - at).astype(np.float64),
            favourites=history.favourites_of(row),
        )
