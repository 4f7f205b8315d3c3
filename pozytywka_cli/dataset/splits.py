"""Split a log by time or by users."""

from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.dataset.gaps import dense_part


def time_cut(plays: pl.DataFrame, share: float) -> datetime:
    """Return the time that lies `share` of the way from the first play of the log's dense part to the last."""
    dense = plays.filter(dense_part(plays["started_at"], plays["user_id"]).covers("started_at"))["started_at"]
    first: Any = dense.min()
    last: Any = dense.max()
    return first + share * (last - first)  # type: ignore[no-any-return]


def user_folds(users: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """Return the fold of each row, 0 to `folds` - 1: users are assigned at random, always in the same way."""
    names, codes = np.unique(users, return_inverse=True)
    return np.asarray(np.random.default_rng(0).permutation(len(names)) % folds)[codes]
