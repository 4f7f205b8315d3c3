"""Find rows that repeat earlier ones."""

import polars as pl


def repeats(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Return the numbers, from 0, of the rows that are equal to an earlier one in these columns; nulls are equal.

    Returned are `row`, in order, and `first`, the first row that it is equal to. Rows are hashed first, and only those
    that share a hash are compared.
    """
    hashes = frame.select(pl.struct(columns).hash()).to_series()
    ordered = hashes.sort()
    shared = ordered.filter(ordered == ordered.shift()).unique()
    rows = pl.int_range(len(frame), eager=True).alias("row").filter(hashes.is_in(shared.implode()))
    numbered = frame.select(columns)[rows].with_columns(rows)
    return numbered.select("row", first=pl.col("row").first().over(columns)).filter(pl.col("row") != pl.col("first"))
