"""Plan which tracks are in FAST, MEDIUM and SLOW the coming day, and backtest such plans on past days."""

from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import numpy as np
import polars as pl

from pozytywka_cli.artifacts import Version
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import Floats
from pozytywka_cli.families import registry
from pozytywka_cli.families.refit import refit
from pozytywka_cli.planning.days import DailyPlays, daily_plays
from pozytywka_cli.planning.demand import Tracks, choose, levels
from pozytywka_cli.planning.full_plays import Chances, FullPlays, observed, predicted
from pozytywka_cli.planning.placement import Budgets, place
from pozytywka_cli.planning.replay import Backtest, Replay
from pozytywka_cli.planning.storage import CLASSES, Storage
from pozytywka_cli.records import Progress, Report

DAYS = 28  # of the backtest, and before them to choose how to forecast
LEAST_DAYS = 7


class ClassTotal(msgspec.Struct, frozen=True):
    """The number of tracks in a storage class and their cost a day, now and by the plan."""

    storage_class: str
    tracks_now: int
    cost_now: float
    tracks: int
    cost: float


@dataclass(frozen=True)
class CachePlan:
    """The plan of one day.

    rows: track_id, name, artist, storage_class (now; null if unknown), planned_class, expected_plays,
        full_play_probability, expected_full_plays and daily_cost (in the planned class), sorted by track_id
    begins: when the planned day begins (UTC)
    replay: past days, replayed; None where the log is too short
    """

    rows: pl.DataFrame
    begins: datetime
    totals: list[ClassTotal]
    backtest: list[Backtest]
    replay: Replay | None
    notes: list[str] = field(default_factory=list)


def cache(version: Version | None, dataset: Dataset, storage: Storage, budgets: Budgets, report: Report) -> CachePlan:
    """Place every track by its expected full plays of the coming day, the 24 hours after the log: see `place`.

    `version` is a skip version, for the probability that a play goes to its end; without it, shares of past plays stand
    in. The backtest covers the last 28 days, or a third of a shorter log; for it, the version is fitted again to what
    was known before these days.

    Raises:
        RefusedError: the plays span less than a day, no track fits the budget of FAST, or the cost of a class is
            unknown.
    """
    log = daily_plays(dataset, storage.tracks["track_id"])
    place(np.ones(log.tracks), storage, budgets)  # refused before any long work
    chances = observed(log)
    if version:
        chances = predicted(log, registry.get("skip").open(version, dataset))
    coming = range(log.days, log.days + 1)
    plays, probability = _expected(log, storage, coming, chances)
    classes = place((plays * probability)[0], storage, budgets)
    rows = _rows(dataset, storage, plays[0], probability[0], classes)
    report(Progress("plan", 1, 2))
    replay, notes = _replay(version, dataset, log, storage, report)
    backtest = replay.backtest(budgets.fast) if replay else []
    report(Progress("plan", 2, 2))
    return CachePlan(rows, log.finish, _totals(storage, classes), backtest, replay, notes)


def _replay(
    version: Version | None, dataset: Dataset, log: DailyPlays, storage: Storage, report: Report
) -> tuple[Replay | None, list[str]]:
    """Forecast each of the last days from what was known before it; without enough days, say so in a note."""
    count = min(DAYS, log.days // 3)
    if count < LEAST_DAYS:
        needed = 3 * LEAST_DAYS
        return None, [f"There is no backtest: the log has {log.days} full days, and {needed} are needed."]
    days, notes, chances = range(log.days - count, log.days), [], observed(log)
    if version:
        try:
            fitted = refit(version, dataset.until(log.begin(days.start)), report)
            chances = predicted(log, fitted(dataset))
        except RefusedError as error:
            notes.append(f"The backtest uses observed shares of full plays: {error.message}.")
    plays, probability = _expected(log, storage, days, chances)
    return Replay(log, storage, days, plays * probability), notes


def _expected(log: DailyPlays, storage: Storage, days: range, chances: Chances) -> tuple[Floats, Floats]:
    """Return the expected plays of each track and the probability of full ones: both (days, tracks).

    How to estimate them is chosen by as many days as `DAYS`, right before the first one.
    """
    tracks = Tracks.of(storage)
    earlier = range(max(1, days.start - min(DAYS, days.start // 2)), days.start)
    method = choose(log, tracks, earlier)
    full_plays = FullPlays(log, range(earlier.start, days.stop), chances)
    prior = full_plays.choose(earlier)
    plays = [tracks.forecast(method, before) for before in levels(log, days)]
    return np.stack(plays), np.stack([full_plays.before(day, prior) for day in days])


def _rows(dataset: Dataset, storage: Storage, plays: Floats, probability: Floats, classes: np.ndarray) -> pl.DataFrame:
    artists = dataset.artists.select(artist_id="id", artist="name")
    costs = np.select([classes == name for name in CLASSES], [_costs(storage, name) for name in CLASSES])
    planned = storage.tracks.join(artists, on="artist_id", how="left", maintain_order="left").with_columns(
        planned_class=pl.Series(classes),
        expected_plays=pl.Series(plays),
        full_play_probability=pl.Series(probability),
        expected_full_plays=pl.Series(plays * probability),
        daily_cost=pl.Series(costs),
    )
    numbers = ("expected_plays", "full_play_probability", "expected_full_plays", "daily_cost")
    return planned.select("track_id", "name", "artist", "storage_class", "planned_class", *numbers)


def _costs(storage: Storage, name: str) -> Floats:
    """Return the costs in a class, 0 where they are unknown, as no track is placed there: (tracks,)."""
    return storage.costs(name) if name in storage.rates else np.zeros(len(storage.tracks))


def _totals(storage: Storage, classes: np.ndarray) -> list[ClassTotal]:
    totals = []
    for name in CLASSES:
        costs, now, planned = _costs(storage, name), storage.are_in(name), classes == name
        numbers = int(now.sum()), float(costs[now].sum()), int(planned.sum()), float(costs[planned].sum())
        totals.append(ClassTotal(name, *numbers))
    return totals
