"""Are rows in an order already? Logs often are, and looking costs a tenth of sorting."""

import polars as pl


def in_order(frame: pl.DataFrame, by: list[str]) -> bool:
    """Whether the rows are sorted by these columns; a null is like whatever it stands beside."""
    earlier = pl.lit(False)
    for name in reversed(by):
        column = pl.col(name)
        earlier = (column < column.shift()) | ((column == column.shift()) & earlier)
    return not frame.select(earlier.fill_null(False).any()).item()
