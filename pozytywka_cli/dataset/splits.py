"""Where a log is cut, so that no model is tested on what it could have seen."""

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


def user_folds(users: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """Each row's fold, 0 to `folds` - 1: users are dealt out in an order that chance alone decides, always the same."""
    names, codes = np.unique(users, return_inverse=True)
    return np.asarray(np.random.default_rng(0).permutation(len(names)) % folds)[codes]
