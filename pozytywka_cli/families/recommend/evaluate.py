"""Evaluation: all variants on the last days, for new tracks, for all tracks and for the next one; variety and skips."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import SHARE, Ints, differences, mean_interval, paired_difference
from pozytywka_cli.families.family import Evaluated, TrainingRun
from pozytywka_cli.families.recommend import FAMILY, charts
from pozytywka_cli.families.recommend.features.frames import collect_tracks
from pozytywka_cli.families.recommend.features.outcomes import Outcomes
from pozytywka_cli.families.recommend.fitting import MEASURED, fit_skips, lists, rankers
from pozytywka_cli.families.recommend.metrics import (
    ACCURACY,
    HEADLINE,
    SHOWN,
    VARIETY,
    Facts,
    accuracy,
    coverage,
    reciprocal_ranks,
    variety,
)
from pozytywka_cli.families.recommend.models.lists import Ranker, Wish
from pozytywka_cli.families.recommend.requests import RecommendRequest
from pozytywka_cli.families.recommend.settings import RecommendSettings
from pozytywka_cli.families.recommend.skips import skip_rates
from pozytywka_cli.families.recommend.splits import split
from pozytywka_cli.families.recommend.train import NEW_TRACKS, summary
from pozytywka_cli.families.recommend.validation import choose
from pozytywka_cli.records import Row

ALL_TRACKS, NEXT_TRACK, LISTS = "all tracks", "next track", "how lists are made"  # further protocols
OFF_POLICY = "Skip rates of what would be offered are off-policy estimates: nobody was offered these lists."
NEXT_PLAYS = 1000  # that the next track is predicted for, drawn


def evaluate(dataset: Dataset, run: TrainingRun) -> Evaluated:
    """Measure every variant on the last days, and what diversity and the quota of tail tracks cost.

    Raises:
        RefusedError: there are too few plays to test on.
        UnavailableError: the device is "cuda" and cannot be used.
    """
    tracks, splits = collect_tracks(dataset), split(dataset, run.settings_as(RecommendSettings).test_days)
    skips = fit_skips(splits, run, FAMILY.variants)
    chosen, weights = choose(Outcomes.of(splits.validation, tracks), run, skips)
    test = Outcomes.of(splits.test, tracks)
    completion = skips.at(test)
    made = rankers(test, run, completion, FAMILY.variants, weights)
    rows = [
        *measured(test, made, NEW_TRACKS, new=True),
        *measured(test, made, ALL_TRACKS, new=False),
        *next_track(test, made, run.seed),
        *ways_of_lists(test, chosen.variant, made[chosen.variant]),
        *(skip_rates(test, made, completion) if completion else ()),
        *chosen.rows,
    ]
    panels = partial(charts.panels, rows, (NEW_TRACKS, ALL_TRACKS))
    return Evaluated(rows, panels, [*chosen.notes, skips.note or OFF_POLICY])


def measured(test: Outcomes, made: Mapping[str, Ranker], protocol: str, *, new: bool) -> list[Row]:
    """Return accuracy, variety and coverage of the plain lists of each variant, and differences to `popular`."""
    rows = test.users(new=new)
    found = {name: lists(test, ranker, rows, Wish(MEASURED, new)) for name, ranker in made.items()}
    values = {name: accuracy(own, test.targets(new=new)[rows]) for name, own in found.items()}
    headline = {name: matrix[:, ACCURACY.index(HEADLINE)] for name, matrix in values.items()}
    return [
        *summary(protocol, values, rows),
        *(row for name, own in found.items() for row in _varied(test, protocol, name, own, rows)),
        *differences("recommend", protocol, HEADLINE, headline, FAMILY.reference, rows),
    ]


def _varied(test: Outcomes, protocol: str, name: str, found: list[Ints], rows: Ints) -> list[Row]:
    """Return the metrics VARIETY of lists, means over the users where they are defined, and their coverage."""
    history = test.history
    facts = Facts(history.listeners / len(history.users), history.tail, history.tracks.genres, history.tracks.artists)
    values = variety(found, [history.profile(row).tracks for row in rows], facts)
    means = []
    for metric, column in zip(VARIETY, values.T, strict=True):
        known = np.isfinite(column)
        if known.any():
            means.append(Row("recommend", name, protocol, metric, *mean_interval(column[known], rows[known])))
    share = coverage(found, int(history.eligible.sum()))
    return [*means, Row("recommend", name, protocol, f"coverage@{SHOWN}", share)]


def next_track(test: Outcomes, made: Mapping[str, Ranker], seed: int) -> list[Row]:
    """Return how well each variant predicts the next track, of all tracks, for plays of the test part.

    The models are those of the moment before the test part; of the user, all plays before the predicted one are known.
    """
    plays = test.plays_after()
    drawn = np.sort(np.random.default_rng(seed).permutation(len(plays.track))[:NEXT_PLAYS])
    profiles = [plays.profile_before(place) for place in drawn]
    users, wanted = plays.row[drawn], plays.track[drawn]
    rows = []
    for name, ranker in made.items():
        found = [one.tracks for one in ranker.lists(profiles, [Wish(MEASURED, new=False)] * len(profiles))]
        for metric, column in zip(("mrr", "hit@10"), reciprocal_ranks(found, wanted).T, strict=True):
            rows.append(Row("recommend", name, NEXT_TRACK, metric, *mean_interval(column, users, limits=SHARE)))
    return rows


def ways_of_lists(test: Outcomes, variant: str, ranker: Ranker) -> list[Row]:
    """Return what the diversity and the quota of tail tracks of a default request cost in accuracy, and bring."""
    served = RecommendRequest(0, SHOWN).wish
    ways = {
        variant: Wish(SHOWN),
        f"{variant}, diverse": Wish(SHOWN, diversity=served.diversity),
        f"{variant}, with a quota": Wish(SHOWN, tail=served.tail),
        f"{variant}, as served": served,
    }
    rows = test.users(new=True)
    found = {name: lists(test, ranker, rows, wish) for name, wish in ways.items()}
    values = {name: accuracy(own, test.targets(new=True)[rows]) for name, own in found.items()}
    shown = [HEADLINE, f"success@{SHOWN}"]
    headline = {name: matrix[:, ACCURACY.index(HEADLINE)] for name, matrix in values.items()}
    costs = {name: paired_difference(1 - one, 1 - headline[variant], rows) for name, one in headline.items()}
    return [
        *(row for row in summary(LISTS, values, rows) if row.metric in shown),
        *(row for name, own in found.items() for row in _varied(test, LISTS, name, own, rows)),
        *(Row("recommend", name, LISTS, "cost", *cost) for name, cost in costs.items()),
    ]
