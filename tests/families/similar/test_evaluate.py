"""The metrics of every variant, and quality against cost, on listens whose answer is known, and on real ones."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.similar import FAMILY
from pozytywka_cli.families.similar import evaluate as evaluation
from pozytywka_cli.families.similar.card import METRICS
from pozytywka_cli.families.similar.evaluate import OLD_SETTINGS, evaluate, neighbours, own_library, stability
from pozytywka_cli.families.similar.features import listens
from pozytywka_cli.families.similar.metrics import COLUMNS, HEADLINE, measure
from pozytywka_cli.families.similar.models import als
from pozytywka_cli.families.similar.models.scorers import Embeddings, fitted
from pozytywka_cli.families.similar.settings import SimilarSettings
from pozytywka_cli.families.similar.splits import hold_out, without_hold_out
from pozytywka_cli.records import silent

from .conftest import run

EAST, NORTH = [1.0, 0.0], [0.0, 1.0]
SEEDED = ["two-cosines", "als", "als, old settings"]
VARIANTS = [*SEEDED, "ppmi", "popularity", "item cosine", "bm25 items"]
DIFFERENCE = f"{HEADLINE}_difference"


@pytest.fixture(scope="module")
def evaluated(communities):
    """The evaluation of the two communities."""
    return evaluate(communities, replace(run("two-cosines", iterations=40), rivals=FAMILY.rivals))


def test_every_variant_is_measured_on_every_split(evaluated):
    """With intervals; what has a seed also with another one, and all but the default against it."""
    rows = [row for row in evaluated.rows if row.protocol.startswith("split")]
    assert {row.protocol for row in rows} == {f"split {number}" for number in range(4)}
    assert {(row.variant, row.metric) for row in rows} == {
        *((variant, metric) for variant in VARIANTS for metric in COLUMNS),
        *((variant, "stability@10") for variant in SEEDED),
        *((variant, DIFFERENCE) for variant in VARIANTS[1:]),
    }
    assert all(row.low <= row.value <= row.high for row in evaluated.rows if row.protocol != "validation")
    assert {row.metric for row in rows} - {DIFFERENCE} <= set(METRICS)


def test_differences_are_those_from_the_default(evaluated):
    """Variant minus default on the same users, with a p-value."""
    for number in range(4):
        rows = [row for row in evaluated.rows if row.protocol == f"split {number}"]
        values = {row.variant: row.value for row in rows if row.metric == HEADLINE}
        for row in rows:
            if row.metric == DIFFERENCE:
                assert row.value == pytest.approx(values[row.variant] - values["two-cosines"])
                assert (row.p_value <= 0.05) == (row.high < 0 or row.low > 0)


def test_a_model_finds_the_community_that_popularity_does_not(evaluated):
    """On each of the splits."""
    for number in range(4):
        rows = [row for row in evaluated.rows if (row.protocol, row.metric) == (f"split {number}", HEADLINE)]
        values = {row.variant: row.value for row in rows}
        assert all(values[variant] > values["popularity"] + 0.2 for variant in ("two-cosines", "als", "ppmi"))


def test_stability_is_that_of_another_seed(evaluated):
    """A model compared with itself would have 1."""
    stable = [row.value for row in evaluated.rows if (row.variant, row.metric) == ("two-cosines", "stability@10")]
    assert len(stable) == 4
    assert all(0 < value < 1 for value in stable)


def test_the_old_settings_are_the_old_systems(communities, monkeypatch):
    """Each kind of ALS is fitted twice for each of four splits, and once in-sample; the new one to choose too."""
    settings, fit = [], als.fit
    monkeypatch.setattr(
        als, "fit", lambda counts, run, **more: settings.append(run.settings) or fit(counts, run, **more)
    )
    short = replace(run(iterations=1), rivals=FAMILY.rivals)
    evaluate(communities, short)
    old = SimilarSettings(weighting="bm25", factors=64, regularization=0.05, alpha=1.0, iterations=15)
    assert [settings.count(short.settings), settings.count(old)] == [10, 9]


def test_the_chart_has_a_panel_for_each_metric(evaluated):
    """The mean of the splits that settings were not tuned on."""
    panels = {panel.x: panel.rows for panel in evaluated.panels()}
    assert list(panels) == [METRICS[name].label for name in [*COLUMNS, "stability@10", "own_library@5"]]
    means = {row["variant"]: row["PM"] for row in panels["PM"].to_dicts()}
    values = [
        row.value for row in evaluated.rows if (row.variant, row.metric, row.protocol[:5]) == ("als", HEADLINE, "split")
    ]
    assert means["als"] == pytest.approx(np.mean(values[1:]))


def test_the_old_metric_counts_artists_of_the_same_user():
    """Of six artists, two directions of three: u0 has one direction and u1 all, so 2 of 5 and all are counted."""
    library = csr_matrix(np.array([[1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1]], dtype=np.float32))
    model = Embeddings(np.ones((2, 2)), np.array([EAST] * 3 + [NORTH] * 3, dtype=np.float32), np.arange(6))
    rows = {row.variant: row for row in own_library(without_hold_out(library), {"als": model})}
    assert rows["als"].value == pytest.approx((2 / 5 + 1) / 2)
    assert (rows["als"].metric, rows["als"].protocol) == ("own_library@5", "in-sample")


def test_the_same_model_is_wholly_stable(counted):
    """And another one less."""
    split = hold_out(counted.counts, seed=0, min_listeners=3)
    one, other = (Embeddings.fit(split, run(seed=seed)) for seed in (0, 1))
    assert (stability(split, one, one)[0] == 1).all()
    assert stability(split, one, other)[0].mean() < 1


def test_neighbours_leave_out_the_artist_itself():
    """Every other candidate comes, the nearest first."""
    split = without_hold_out(csr_matrix(np.ones((1, 3), dtype=np.float32)))
    model = Embeddings(np.ones((1, 2)), np.array([EAST, NORTH, [3.0, 1.0]], dtype=np.float32), np.arange(3))
    assert neighbours(split, model, np.arange(3), 5).tolist() == [[2, 1], [2, 0], [0, 1]]


def test_the_tradeoff_has_a_point_for_each_number_of_factors_and_iterations(communities, monkeypatch):
    """With its quality and its costs, in rows and in two panels."""
    monkeypatch.setattr(evaluation, "FACTORS", (2, 4))
    monkeypatch.setattr(evaluation, "ITERATIONS", (1, 5))
    result = evaluation.tradeoff(communities, run())
    metrics = (HEADLINE, "training_seconds", "lookup_milliseconds")
    names = [f"als, {factors} factors, {iterations} iterations" for factors in (2, 4) for iterations in (1, 5)]
    assert [(row.variant, row.metric) for row in result.rows] == [
        (name, metric) for name in names for metric in metrics
    ]
    assert all(row.value > 0 for row in result.rows)
    training, lookup = result.panels()
    assert training.rows["factors"].unique(maintain_order=True).to_list() == ["2 factors", "4 factors"]
    assert (training.rows.height, lookup.rows.height) == (4, 2)


def test_a_lookup_is_timed_over_at_most_a_hundred_artists(counted):
    """One at a time; the first of all is not timed."""
    queries = []

    class Counting:
        def of_artists(self, artists):
            queries.append(artists.tolist())
            return np.zeros((1, 60), dtype=np.float32)

    assert evaluation._lookup_milliseconds(without_hold_out(counted.counts), Counting()) > 0
    assert queries == [[0], *([artist] for artist in range(60))]


def test_what_train_chooses_by_is_shown(evaluated):
    """The headline metric of the default and its rivals on the validation part."""
    rows = [(row.variant, row.metric) for row in evaluated.rows if row.protocol == "validation"]
    assert rows == [(variant, HEADLINE) for variant in (FAMILY.default, *FAMILY.rivals)]


@pytest.fixture(scope="module")
def real(lastfm) -> dict[str, list[float]]:
    """The metrics of the default on the splits of Last.fm that settings were not tuned on."""
    found: dict[str, list[float]] = {}
    for number in range(1, 4):
        split, settings = hold_out(listens(lastfm).counts, seed=number, min_listeners=3), SimilarSettings()
        runs = [TrainingRun(settings, FAMILY.default, seed) for seed in (0, 1)]
        one, other = (fitted(split, each, [FAMILY.default])[FAMILY.default] for each in runs)
        means = np.nanmean(measure(split, {"one": one}, silent)["one"], axis=0)
        values = dict(zip(COLUMNS, means, strict=True)) | {"stability@10": stability(split, one, other)[0].mean()}
        found = {name: [*found.get(name, []), value] for name, value in values.items()}
    return found


@pytest.mark.real
@pytest.mark.parametrize(
    ("metric", "least"), [(HEADLINE, 0.51), ("recall@10", 0.073), ("user_ndcg@20", 0.285), ("stability@10", 0.88)]
)
def test_real_listens_reach_the_required_metrics(real, metric, least):
    """On average, and nearly on each of three splits."""
    assert np.mean(real[metric]) >= least
    assert min(real[metric]) >= 0.98 * least


@pytest.mark.real
def test_the_old_settings_have_the_old_value(lastfm):
    """42 to 45 % of an artist's five most similar are in the library of its listeners; without any model 46 %."""
    everything = without_hold_out(listens(lastfm).counts)
    model = Embeddings.fit(everything, TrainingRun(OLD_SETTINGS, "als"))
    values = {row.variant: row.value for row in own_library(everything, {"als, old settings": model})}
    assert 0.42 <= values["als, old settings"] <= 0.45
    assert values["item cosine"] == pytest.approx(0.46, abs=0.005)
