"""Splits that never let a model see the future, or the user that it is tested on."""

from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray


def time_cut(plays: pl.DataFrame, share: float) -> datetime:
    """The moment `share` of the way from the first play to the last: plays after it are the later part."""
    first: Any = plays["started_at"].min()
    last: Any = plays["started_at"].max()
    return first + share * (last - first)  # type: ignore[no-any-return]


def user_folds(users: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """A fold number for each row, the same for all rows of a user; users are dealt out at random, evenly."""
    names, codes = np.unique(users, return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(len(names)) % folds
    return dealt[codes].astype(np.int64)
