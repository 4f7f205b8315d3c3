"""Compare recommendations with the known truth of a generated data set."""

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.dataset.sample.truth import expected_full_plays
from pozytywka_cli.evaluation import Floats, Interval, Ints, interval
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.recommend import FAMILY
from pozytywka_cli.families.recommend.features.frames import collect_tracks, track_numbers, user_rows
from pozytywka_cli.families.recommend.features.outcomes import Outcomes
from pozytywka_cli.families.recommend.fitting import fit_skips, lists, rankers
from pozytywka_cli.families.recommend.metrics import SHOWN
from pozytywka_cli.families.recommend.models.lists import Wish
from pozytywka_cli.families.recommend.settings import RecommendSettings
from pozytywka_cli.families.recommend.splits import split
from pozytywka_cli.families.recommend.validation import choose
from pozytywka_cli.records import Row

PROTOCOL = "ground truth"


def ground_truth(dataset: Dataset, truth: Path, run: TrainingRun) -> list[Row]:
    """Return the full plays to expect of 20 new tracks in the weeks after the models' last play, by variant.

    Beside them stand those of the best tracks (truth); random tracks are the mean of all new ones. The share of the
    oracle is the gain over random tracks, of the gain of the best ones.
    """
    tracks, splits = collect_tracks(dataset), split(dataset, run.settings_as(RecommendSettings).test_days)
    skips = fit_skips(splits, run, FAMILY.variants)
    _, weights = choose(Outcomes.of(splits.validation, tracks), run, skips)
    test = Outcomes.of(splits.test, tracks)
    made = rankers(test, run, skips.at(test), FAMILY.variants, weights)
    rows = test.users(new=True)
    gains = _new_tracks(test, rows, truth)
    wish = Wish(SHOWN)
    values = {name: _sums(gains, lists(test, ranker, rows, wish)) for name, ranker in made.items()}
    best = np.sort(gains, axis=1)[:, -SHOWN:].sum(axis=1)
    anything = SHOWN * gains.sum(axis=1) / (gains > 0).sum(axis=1)
    means = [(name, float(value.mean())) for name, value in [*values.items(), ("truth", best)]]
    return [
        *(Row("recommend", name, PROTOCOL, "expected_full_plays", mean) for name, mean in means),
        *(
            Row("recommend", name, PROTOCOL, "share_of_oracle", *_share(value - anything, best - anything, rows))
            for name, value in values.items()
        ),
    ]


def _new_tracks(test: Outcomes, rows: Ints, truth: Path) -> NDArray[np.float64]:
    """Return the full plays to expect of each track by each user, 0 of what the user has heard: (users, tracks)."""
    first, last = test.split.known.cut, test.split.later["started_at"].max()
    if first is None or not isinstance(last, datetime):
        raise ValueError("the log has no moment to test at")
    known = expected_full_plays(truth, _monday_after(first.date()), _monday_after(last.date()))
    history = test.history
    expected = np.zeros((len(history.users), len(history.tracks)))
    users = user_rows(history, pl.Series(known.user_ids))
    tracks = track_numbers(history.tracks, pl.Series(known.track_ids))
    expected[np.ix_(users[users >= 0], tracks)] = known.expected[users >= 0]
    expected[history.heard.nonzero()] = 0
    return np.asarray(expected[rows])


def _monday_after(day: date) -> date:
    """Return the day, or the first Monday after it."""
    return day + timedelta(days=-day.weekday() % 7)


def _sums(gains: NDArray[np.float64], chosen: list[Ints]) -> Floats:
    """Return the sum of each user's gains over the user's list: (users,)."""
    return np.array([own[tracks].sum() for own, tracks in zip(gains, chosen, strict=True)])


def _share(gained: Floats, possible: Floats, users: Ints) -> Interval:
    return interval(lambda sums: sums[..., 0] / sums[..., 1], [gained, possible], users)
