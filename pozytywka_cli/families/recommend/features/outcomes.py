"""What users played after a moment, beside the history until then."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

from pozytywka_cli.evaluation import Ints
from pozytywka_cli.families.recommend.features.history import History
from pozytywka_cli.families.recommend.features.tracks import Tracks, codes
from pozytywka_cli.families.recommend.splits import Split


@dataclass(frozen=True)
class Outcomes:
    """The history until the moment of a split, and what users played in the days after it."""

    split: Split
    history: History

    @classmethod
    def of(cls, split: Split, tracks: Tracks) -> "Outcomes":
        """Make the history of what is known at the moment."""
        return cls(split, History.of(split.known, tracks))

    @cached_property
    def finished(self) -> csr_matrix:
        """Which tracks users played to their end: (users of the history, tracks), ones."""
        history = self.history
        full = self.split.later.filter(~pl.col("skipped")).select("user_id", "track_id").unique(maintain_order=True)
        where = (codes(full["user_id"], history.users), history.tracks.find(full["track_id"]))
        return csr_matrix((np.ones(len(full)), where), shape=history.heard.shape)

    def targets(self, *, new: bool) -> csr_matrix:
        """Return what shall be recommended: `finished`, with `new` only the tracks that were not heard before."""
        if not new:
            return self.finished
        left = (self.finished - self.finished.multiply(self.history.heard)).tocsr()
        left.eliminate_zeros()
        return left

    def users(self, *, new: bool) -> Ints:
        """Return the users with targets, as rows of the history."""
        return np.flatnonzero(np.diff(self.targets(new=new).indptr))
