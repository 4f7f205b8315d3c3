"""The moments at which models are tested: what was known until then, and what users played in the days after it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError

PARTS = 3  # of a short log: what is learned from, validation and test
MIN_USERS = 5  # with plays before a moment, and full plays of new tracks after it


@dataclass(frozen=True)
class Split:
    """The dataset until a moment, and the plays of the days after it of users with plays before, by user and time."""

    known: Dataset
    later: pl.DataFrame


@dataclass(frozen=True)
class Splits:
    """The moment before the test part, and the one before the validation part, which is as long: so many days."""

    validation: Split
    test: Split
    days: float


def split(dataset: Dataset, test_days: int) -> Splits:
    """Split off the last `test_days` days as the test part, and as many before them as the validation part.

    Of a log that is shorter than three times that, each part is a third.

    Raises:
        RefusedError: there are no plays, or too few users for one of the parts, see `at`.
    """
    first, last = dataset.plays.select(pl.col("started_at").min(), last=pl.col("started_at").max()).row(0)
    if first is None:
        raise RefusedError("there are no plays to learn from", "Check that the input is the one you meant.")
    length = min(timedelta(days=test_days), (last - first) / PARTS)
    end = last + timedelta(microseconds=1)
    test = at(dataset, end - length, length)
    validation = at(test.known, end - 2 * length, length)  # of what is known before the test part
    return Splits(validation, test, length / timedelta(days=1))


def at(dataset: Dataset, moment: datetime, length: timedelta) -> Split:
    """Split a dataset at a moment, with the plays of a time of this length after it.

    Raises:
        RefusedError: fewer than `MIN_USERS` users have plays before the moment, and full plays after it of tracks that
            they had not played before.
    """
    known = dataset.until(moment)
    later = dataset.plays.filter(pl.col("started_at").is_between(moment, moment + length, closed="left"))
    later = later.filter(pl.col("user_id").is_in(known.plays["user_id"].unique().implode()))
    new = later.filter(~pl.col("skipped")).join(known.plays, on=["user_id", "track_id"], how="anti")
    users = new["user_id"].n_unique()
    if users < MIN_USERS:
        problem = f"{users} users have plays before {moment:%Y-%m-%d} and play a new track to its end after it"
        raise RefusedError(problem, f"At least {MIN_USERS} are needed: use a longer log.")
    return Split(known, later.sort("user_id", "started_at", "track_id", maintain_order=True))
