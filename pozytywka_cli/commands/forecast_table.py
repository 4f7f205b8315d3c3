"""The forecast of `predict weekly` as a table."""

from typing import TYPE_CHECKING

from pozytywka_cli.commands import tables

if TYPE_CHECKING:
    import polars as pl

SHOWN = 10  # artists
COLUMNS = ("name", "week", "mean", "q10", "q90", "last_week", "change", "recent", "usual", "trend")


def show(forecast: "pl.DataFrame") -> None:
    """Print the next week of the artists with the highest forecasts; of a single artist all weeks."""
    import polars as pl

    named = forecast.with_columns(pl.coalesce("name", "artist_id").alias("name"), pl.col("week").cast(pl.String))
    is_one_artist = forecast["artist_id"].n_unique() == 1
    top = named if is_one_artist else named.filter(pl.col("week") == pl.col("week").min()).top_k(SHOWN, by="mean")
    title = f"Seconds, by weekly {top['method'][0]}" if len(top) else "No artist to forecast"
    rows = (
        (*forecasts, None if change is None else tables.Percent(change), recent, usual, trend)
        for *forecasts, change, recent, usual, trend in top.select(COLUMNS).iter_rows()
    )
    tables.table(title, COLUMNS, rows)
