"""Where each track is stored now, and what a day there costs or would cost."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pozytywka_cli.dataset.checking.validate import check
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.dataset.tables import NO_NAMES
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import Flags, Floats

FAST, MEDIUM, SLOW = CLASSES = ("FAST", "MEDIUM", "SLOW")


@dataclass(frozen=True)
class Storage:
    """All tracks of the dataset, by id, with their present storage.

    tracks: track_id, name, artist_id, duration_ms, popularity, storage_class and daily_cost (null where unknown)
    rates: what a class costs for a millisecond of music and day, of the classes that have tracks with a cost
    """

    tracks: pl.DataFrame
    rates: Mapping[str, float]

    def costs(self, storage_class: str) -> Floats:
        """Return what a day of each track in this class costs or would cost: (tracks,).

        A track that is in it has its own daily_cost, any other one its duration times the rate of the class.
        """
        known = (pl.col("storage_class") == storage_class) & pl.col("daily_cost").is_not_null()
        estimate = pl.col("duration_ms") * self.rates[storage_class]
        cost = pl.when(known).then("daily_cost").otherwise(estimate)
        return self.tracks.select(cost.cast(pl.Float64)).to_series().to_numpy()

    def are_in(self, storage_class: str) -> Flags:
        """Return which tracks are in this class now: (tracks,)."""
        return (self.tracks["storage_class"] == storage_class).fill_null(False).to_numpy()

    def require(self, storage_class: str) -> None:
        """Raise a RefusedError if it is not known what this class costs, or if it costs nothing."""
        if storage_class not in self.rates:
            problem = f"no track of track_storage in {storage_class} has a daily_cost: what it costs is unknown"
            raise RefusedError(problem, f"Add the cost of one {storage_class} track at least to track_storage.")
        if self.rates[storage_class] <= 0:
            problem = f"tracks in {storage_class} cost nothing: a budget does not limit them"
            raise RefusedError(problem, "Check the column daily_cost of track_storage: `pozytywka validate`.")


def load_storage(
    folder: Path, dataset: Dataset, inform: Callable[[str], None], columns: Mapping[str, str] = NO_NAMES
) -> Storage:
    """Read the table track_storage of a folder for the tracks of a dataset.

    Bad lines, lines about unknown tracks and tracks without storage are counted in messages. The rate of a class is the
    median of daily_cost ÷ duration_ms of its tracks.

    Raises:
        RefusedError: the table is missing, or no track of the dataset has a class.
        StorageError: a file cannot be read.
    """
    checked = check(folder, ("track_storage",), columns=columns, warnings=False)
    if "track_storage" not in checked.readings:
        problem = f"there is no table track_storage in {folder}: where tracks are stored, and for what, is unknown"
        raise RefusedError(problem, "Put it there; `pozytywka schema` lists its columns.")
    rows = checked.good("track_storage")
    tracks = dataset.tracks.select("name", "duration_ms", "popularity", track_id="id", artist_id="id_artist").sort(
        "track_id"
    )
    rows = rows.with_columns(pl.col("storage_class").cast(pl.String))
    joined = tracks.join(rows, on="track_id", how="left", maintain_order="left")
    counts = {
        "bad lines of track_storage; see `pozytywka validate`": len(checked.bad("track_storage")),
        "lines of track_storage about tracks that have no good line in tracks": len(
            rows.join(tracks, on="track_id", how="anti")
        ),
    }
    for what, count in counts.items():
        if count:
            inform(f"Ignoring {count:,} {what}.")
    missing = joined["storage_class"].null_count()
    if missing == len(joined):
        raise RefusedError(f"no track has a storage class in {folder}", "Check track_storage: `pozytywka validate`.")
    if missing:
        inform(f"{missing:,} of {len(joined):,} tracks have no storage class; they can be placed in any.")
    return Storage(joined, _rates(joined))


def _rates(tracks: pl.DataFrame) -> dict[str, float]:
    """Return the median daily cost of a millisecond by class."""
    rate = pl.col("daily_cost") / pl.col("duration_ms")
    medians = tracks.drop_nulls(["storage_class", "daily_cost"]).group_by("storage_class").agg(rate.median())
    return dict(medians.sort("storage_class").iter_rows())
