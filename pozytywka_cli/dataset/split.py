"""Where a log is cut, so that no model is tested on what it could have seen."""

from datetime import datetime
from typing import Any

import polars as pl


def time_cut(plays: pl.DataFrame, share: float) -> datetime:
    """The moment `share` of the way from the first play to the last: plays after it are the later part."""
    first: Any = plays["started_at"].min()
    last: Any = plays["started_at"].max()
    return first + share * (last - first)  # type: ignore[no-any-return]
