"""Evaluation of all variants."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.families.family import Evaluated
from pozytywka_cli.families.recommend import FAMILY
from pozytywka_cli.families.recommend.evaluate import ALL_TRACKS, LISTS, NEXT_TRACK, next_track
from pozytywka_cli.families.recommend.metrics import ACCURACY, CHOSEN_BY, HEADLINE, VARIETY
from pozytywka_cli.families.recommend.models.lists import Ranker
from pozytywka_cli.families.recommend.train import NEW_TRACKS
from pozytywka_cli.records import VALIDATION

from .trained import VARIANTS, ranker, refitted, run
from .worlds import FULL, dataset, divided, fans, noise

GIVEN = replace(run(), rivals=FAMILY.rivals, other=refitted())


@pytest.fixture(scope="module")
def evaluated() -> Evaluated:
    """Every variant on users with favourite artists, with a skip model."""
    return FAMILY.evaluate(fans(), GIVEN)


def values(found: Evaluated, protocol: str, metric: str) -> dict[str, float]:
    """A metric by variant."""
    return {row.variant: row.value for row in found.rows if (row.protocol, row.metric) == (protocol, metric)}


def test_every_variant_is_measured_in_every_way(evaluated: Evaluated):
    """On new tracks and on all, random beside them; accuracy, variety, coverage, and the difference from popular."""
    for protocol in (NEW_TRACKS, ALL_TRACKS):
        for metric in (*ACCURACY, *VARIETY, "coverage@20"):
            assert list(values(evaluated, protocol, metric)) == VARIANTS, metric
        assert set(values(evaluated, protocol, f"{HEADLINE}_difference")) == set(VARIANTS) - {"popular"}
    for metric in ("mrr", "hit@10"):
        assert list(values(evaluated, NEXT_TRACK, metric)) == VARIANTS
    assert set(values(evaluated, "skips", "expected_skip_rate")) == {*VARIANTS, "what was played"}
    assert set(values(evaluated, VALIDATION, CHOSEN_BY)) == {"blend", "als", "popular"}
    assert {row.family for row in evaluated.rows} == {"recommend"}


def test_every_metric_is_explained(evaluated: Evaluated):
    """But for differences, which are named after them."""
    names = {row.metric.partition("_difference")[0].partition("_least")[0] for row in evaluated.rows}
    assert names <= set(FAMILY.metrics)


def test_differences_are_from_popular(evaluated: Evaluated):
    """On the same users."""
    for protocol in (NEW_TRACKS, ALL_TRACKS):
        means = values(evaluated, protocol, HEADLINE)
        for variant, difference in values(evaluated, protocol, f"{HEADLINE}_difference").items():
            assert difference == pytest.approx(means[variant] - means["popular"])


def test_intervals_hold_their_values(evaluated: Evaluated):
    """And shares stay within 0 and 1."""
    for row in evaluated.rows:
        assert np.isfinite(row.value)
        if row.low is not None and row.high is not None:
            assert row.low - 1e-12 <= row.value <= row.high + 1e-12
        if row.metric in (*ACCURACY, "coverage@20", "mrr", "hit@10", "expected_skip_rate", "weighted_skip_rate"):
            assert 0 <= row.value <= 1


def test_what_is_personal_beats_what_is_not(evaluated: Evaluated):
    """Users play their favourite artists; random is what chance gives: about one in twelve tracks is of these."""
    found = values(evaluated, NEW_TRACKS, HEADLINE)
    assert min(found["blend"], found["als"]) > found["popular"] + 0.2
    assert found["random"] < 0.15
    heard = values(evaluated, ALL_TRACKS, HEADLINE)
    assert heard["own"] > heard["popular"]


def test_the_chart_shows_success_by_length(evaluated: Evaluated):
    """The same numbers as the rows."""
    panels = evaluated.panels()
    assert len(panels) == 2
    shown = panels[0].rows.filter((pl.col("variant") == "blend") & (pl.col(panels[0].x) == 17))[panels[0].y].item()
    assert shown == values(evaluated, NEW_TRACKS, "success@17")["blend"]


def test_training_measures_what_evaluation_does(evaluated: Evaluated):
    """The same split, choice and weights: the figures of the model that serves are those of the table."""
    rows = FAMILY.train(fans(), GIVEN).model.metrics
    for metric in ACCURACY:
        for variant, value in values(Evaluated(rows), NEW_TRACKS, metric).items():
            assert value == pytest.approx(values(evaluated, NEW_TRACKS, metric)[variant]), (variant, metric)
    assert values(Evaluated(rows), VALIDATION, CHOSEN_BY) == values(evaluated, VALIDATION, CHOSEN_BY)


def test_without_a_skip_model_there_is_a_note():
    """Preference and the skip rates are left out."""
    found = FAMILY.evaluate(noise(users=12, plays=30), replace(run(epochs=1), rivals=FAMILY.rivals))
    assert "preference" not in values(found, NEW_TRACKS, HEADLINE)
    assert not values(found, "skips", "expected_skip_rate")
    assert "no skip model" in found.notes[-1]


def test_with_a_skip_model_the_skip_rates_come_with_their_caveat(evaluated: Evaluated):
    """They are estimates about lists that nobody was offered."""
    assert values(evaluated, "skips", "expected_skip_rate")
    assert "off-policy" in evaluated.notes[-1]


def test_the_ways_of_making_lists_are_compared(evaluated: Evaluated):
    """The plain list costs nothing; diversity makes it more diverse, and a quota brings tracks of the tail."""
    cost = values(evaluated, LISTS, "cost")
    plain, diverse, quota, served = cost
    assert plain == "blend"
    assert cost[plain] == 0
    accuracy = values(evaluated, LISTS, HEADLINE)
    for name, value in cost.items():
        assert value == pytest.approx(accuracy[plain] - accuracy[name])
    assert accuracy[plain] == pytest.approx(values(evaluated, NEW_TRACKS, HEADLINE)["blend"])
    unlike, tail = (values(evaluated, LISTS, f"{metric}@20") for metric in ("diversity", "tail_share"))
    assert unlike[diverse] > unlike[plain]
    assert tail[quota] >= 0.2
    assert tail[served] >= 0.2


def test_the_next_track_is_predicted_from_all_plays_before_it():
    """By hand: own offers the last days' tracks; each play is predicted with those that came before it."""
    plays = [(0, "t0", 0, FULL), (1, "t1", 0, FULL), (0, "t2", 6, FULL), (0, "t2", 7, FULL), (0, "t2", 8, FULL)]
    outcomes = divided(dataset(plays), 5)
    found = {row.metric: row.value for row in next_track(outcomes, {"own": ranker("own", outcomes.history)}, 0)}
    # t2 has no plays that are known at the moment: it cannot be offered
    assert found == {"mrr": 0, "hit@10": 0}
    again = divided(dataset([*plays, (1, "t2", 1, FULL)]), 5)
    found = {row.metric: row.value for row in next_track(again, {"own": ranker("own", again.history)}, 0)}
    # the first time it is third, after t0, which the user has played, and t1; then second; then, played twice, first
    assert found["mrr"] == pytest.approx((1 / 3 + 1 / 2 + 1) / 3)
    assert found["hit@10"] == 1


def test_of_many_next_plays_some_are_drawn(monkeypatch: pytest.MonkeyPatch):
    """The same ones for every variant."""
    monkeypatch.setattr("pozytywka_cli.families.recommend.evaluate.NEXT_PLAYS", 7)
    asked = []
    outcomes = divided(noise(), 60)
    made = {name: ranker(name, outcomes.history) for name in ("popular", "own")}
    lists = Ranker.lists
    monkeypatch.setattr(
        Ranker, "lists", lambda self, profiles, wishes: asked.append(profiles) or lists(self, profiles, wishes)
    )
    next_track(outcomes, made, 0)
    users = [[profile.user for profile in profiles] for profiles in asked]
    assert users[0] == users[1]
    assert len(users[0]) == 7
