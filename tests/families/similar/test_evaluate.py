"""The figures of every variant, the curve and the truth, on listens whose answer is known, and on real ones."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pozytywka_cli.families.similar import als, tradeoff
from pozytywka_cli.families.similar.evaluate import OLD, evaluate, in_sample, latent, neighbours, stability
from pozytywka_cli.families.similar.metrics import METRICS, measure
from pozytywka_cli.families.similar.scorers import Latent
from pozytywka_cli.families.similar.splits import hold_out, nothing_held_out
from pozytywka_cli.records import silent
from pozytywka_cli.settings import SimilarSettings

EAST, NORTH = [1.0, 0.0], [0.0, 1.0]


@pytest.fixture(scope="module")
def evaluated(communities):
    """Everything that is found of the two communities."""
    return evaluate(communities, SimilarSettings(factors=4, regularization=1.0), seed=0, device="cpu", report=silent)


def test_every_variant_is_measured_on_every_split(evaluated):
    """With intervals; ALS of both settings against another seed, too."""
    rows = [row for row in evaluated.rows if row.protocol != "in-sample"]
    variants = {"als", "als, old settings", "popularity", "item cosine", "bm25 items"}
    assert {row.protocol for row in rows} == {f"split {number}" for number in range(4)}
    assert {(row.variant, row.metric) for row in rows} == {(one, metric) for one in variants for metric in METRICS} | {
        ("als", "stability@10"),
        ("als, old settings", "stability@10"),
    }
    assert all(row.low <= row.value <= row.high for row in evaluated.rows)


def test_a_model_finds_the_community_that_popularity_does_not(evaluated):
    """On each of the splits."""
    for number in range(4):
        pm = {
            row.variant: row.value for row in evaluated.rows if (row.protocol, row.metric) == (f"split {number}", "PM")
        }
        assert pm["als"] > pm["popularity"] + 0.2


def test_stability_is_that_of_another_seed(evaluated):
    """A model beside itself would be wholly stable."""
    stable = [row.value for row in evaluated.rows if (row.variant, row.metric) == ("als", "stability@10")]
    assert len(stable) == 4
    assert all(0 < value < 1 for value in stable)


def test_the_old_settings_are_the_old_systems(communities, monkeypatch):
    """Of every model but the four splits' own two and the in-sample one, as the design tells them."""
    given, fit = [], als.fit
    monkeypatch.setattr(
        als, "fit", lambda counts, settings, **more: given.append(settings) or fit(counts, settings, **more)
    )
    asked = SimilarSettings(factors=4, iterations=1)
    evaluate(communities, asked, seed=0, device="cpu", report=silent)
    old = SimilarSettings(weighting="bm25", factors=64, regularization=0.05, alpha=1.0, iterations=15)
    assert sorted(map(given.count, (asked, old))) == [9, 9]


def test_the_picture_has_a_panel_for_each_metric(evaluated):
    """The mean of the splits that nothing was tuned on."""
    panels = {panel.x: panel.rows for panel in evaluated.panels()}
    assert list(panels) == [*METRICS, "stability@10", "own library@5"]
    told = {row["variant"]: row["PM"] for row in panels["PM"].to_dicts()}
    pm = [row.value for row in evaluated.rows if (row.variant, row.metric) == ("als", "PM")]
    assert told["als"] == pytest.approx(np.mean(pm[1:]))


def test_the_old_metric_counts_what_the_same_user_holds():
    """Of six artists, two directions of three: u0 holds one direction and u1 all, so 2 of 5 and all are held."""
    heard = csr_matrix(np.array([[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1]], dtype=np.float32))
    model = Latent(np.ones((2, 2)), np.array([EAST] * 3 + [NORTH] * 3, dtype=np.float32), np.arange(6))
    found = {row.variant: row for row in in_sample(nothing_held_out(heard), {"als": model})}
    assert found["als"].value == pytest.approx((2 / 5 + 1) / 2)
    assert (found["als"].metric, found["als"].protocol) == ("own library@5", "in-sample")


def test_the_same_model_is_wholly_stable(communities, settings):
    """And another one less."""
    split = hold_out(communities.counts, seed=0, min_listeners=3)
    one, other = (latent(split, settings, seed=seed, device="cpu", report=silent) for seed in (0, 1))
    assert (stability(split, one, one)[0] == 1).all()
    assert stability(split, one, other)[0].mean() < 1


def test_neighbours_leave_out_the_artist_itself():
    """Every other candidate comes, the nearest first."""
    split = nothing_held_out(csr_matrix(np.ones((1, 3), dtype=np.float32)))
    model = Latent(np.ones((1, 2)), np.array([EAST, NORTH, [3.0, 1.0]], dtype=np.float32), np.arange(3))
    assert neighbours(split, model, np.arange(3), 5).tolist() == [[2, 1], [2, 0], [0, 1]]


def test_the_curve_has_a_point_for_each_number_of_factors_and_iterations(communities, monkeypatch):
    """With what it reaches and what it costs, in rows and in two panels."""
    monkeypatch.setattr(tradeoff, "FACTORS", (2, 4))
    monkeypatch.setattr(tradeoff, "ITERATIONS", (1, 5))
    found = tradeoff.evaluate(communities, SimilarSettings(regularization=1.0), seed=0, device="cpu", report=silent)
    metrics = ("PM", "training, seconds", "lookup, milliseconds")
    names = [f"als, {factors} factors, {iterations} iterations" for factors in (2, 4) for iterations in (1, 5)]
    assert [(row.variant, row.metric) for row in found.rows] == [(name, metric) for name in names for metric in metrics]
    assert all(row.value > 0 for row in found.rows)
    training, lookup = found.panels()
    assert training.rows["factors"].unique(maintain_order=True).to_list() == ["2 factors", "4 factors"]
    assert (training.rows.height, lookup.rows.height) == (4, 2)


def test_a_lookup_is_timed_over_a_hundred_artists(communities):
    """One at a time; the first of all is not timed."""
    split = nothing_held_out(communities.counts)
    asked = []

    class Counting:
        def of_artists(self, artists):
            asked.append(artists.tolist())
            return np.zeros((1, 60), dtype=np.float32)

    assert tradeoff._lookup(split, Counting()) > 0
    assert asked == [[0], *([artist] for artist in range(60))]


@pytest.mark.real
@pytest.mark.parametrize("number", range(1, 4))
def test_real_listens_reach_the_required_figures(lastfm, number):
    """On the splits of Last.fm that nothing was tuned on."""
    split = hold_out(lastfm.counts, seed=number, min_listeners=3)
    one, other = (latent(split, SimilarSettings(), seed=seed, device="cpu", report=silent) for seed in (0, 1))
    found = dict(zip(METRICS, np.nanmean(measure(split, {"als": one}, silent)["als"], axis=0), strict=True))
    assert found["PM"] >= 0.50
    assert found["recall@10"] >= 0.062
    assert found["user NDCG@20"] >= 0.28
    assert stability(split, one, other)[0].mean() >= 0.87


@pytest.mark.real
def test_the_old_settings_have_the_old_figure(lastfm):
    """42 to 45 % of an artist's five most similar are held by the user who holds it; without any model 46 %."""
    everything = nothing_held_out(lastfm.counts)
    model = latent(everything, OLD, seed=0, device="cpu", report=silent)
    found = {row.variant: row.value for row in in_sample(everything, {"als, old settings": model})}
    assert 0.42 <= found["als, old settings"] <= 0.45
    assert found["item cosine"] == pytest.approx(0.46, abs=0.005)
