"""Training and the protocol on listens whose answer is known, and on real ones."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pozytywka_cli.errors import RefusedError, UnavailableError
from pozytywka_cli.records import Progress, silent
from pozytywka_cli.settings import SimilarSettings
from pozytywka_cli.similar import BASELINE, VARIANTS, als
from pozytywka_cli.similar.evaluate import evaluate, latent
from pozytywka_cli.similar.predict import Lookup
from pozytywka_cli.similar.protocol import METRICS, measure
from pozytywka_cli.similar.scorers import Popularity, cosine
from pozytywka_cli.similar.split import Split, hold_out
from pozytywka_cli.similar.train import fitted, train


def test_neighbours_come_from_the_own_community(communities, settings, save):
    """All ten of every artist's most similar."""
    trained = train(communities, settings, variant="als", seed=0, device="cpu", report=silent)
    lookup = Lookup.open(save(trained.model))
    for artist in communities.artist_ids:
        assert {neighbour.id[0] for neighbour in lookup.similar(lookup.by_id(artist), 10)} == {artist[0]}


def test_popularity_names_the_artists_with_most_listeners(communities, settings, save):
    """Whichever artist is asked for."""
    trained = train(communities, settings, variant="popularity", seed=0, device="cpu", report=silent)
    lookup = Lookup.open(save(trained.model))
    order = np.argsort(-communities.listeners, kind="stable")
    expected = [communities.artist_ids[row] for row in order if communities.artist_ids[row] != "a00"][:5]
    assert [neighbour.id for neighbour in lookup.similar(lookup.by_id("a00"), 5)] == expected


def test_a_model_comes_with_its_figures_and_its_gate(communities, settings):
    """Both variants on the same split; the baseline has its own draft."""
    trained = train(communities, settings, variant="als", seed=0, device="cpu", report=silent)
    assert {(row.variant, row.metric) for row in trained.model.metrics} == {(v, m) for v in VARIANTS for m in METRICS}
    assert {row.protocol for row in trained.model.metrics} == {"split 0"}
    gate = trained.model.gate
    assert gate is not None
    assert gate.passed
    assert gate.difference == pytest.approx(gate.baseline - gate.value)
    assert {row.variant for row in trained.baseline.metrics} == {trained.baseline.variant} == {BASELINE}


def test_the_same_seed_gives_the_same_bytes(communities, settings, tmp_path):
    """And another seed others."""
    written = []
    for number, seed in enumerate((0, 0, 1)):
        (tmp_path / str(number)).mkdir()
        train(communities, settings, variant="als", seed=seed, device="cpu", report=silent).model.write(
            tmp_path / str(number)
        )
        written.append((tmp_path / str(number) / "factors.npy").read_bytes())
    assert written[0] == written[1] != written[2]


def test_every_iteration_is_reported(communities, settings):
    """With its stage."""
    seen: list[Progress] = []
    als.fit(communities.counts, settings, seed=0, device="cpu", report=seen.append, stage="fit")
    assert seen == [Progress("fit", done, settings.iterations) for done in range(1, settings.iterations + 1)]


def test_factors_are_no_more_than_users_or_artists(communities):
    """128 would be asked for."""
    users, artists = als.fit(communities.counts, SimilarSettings(), seed=0, device="cpu", report=silent, stage="fit")
    assert (users.shape, artists.shape) == ((80, 60), (60, 60))


def test_a_gpu_that_cannot_be_used_is_an_error(communities, settings, monkeypatch):
    """Naming what is missing: nothing falls back to the CPU."""
    monkeypatch.setattr("importlib.import_module", _missing)
    with pytest.raises(UnavailableError) as unavailable:
        als.fit(communities.counts, settings, seed=0, device="cuda", report=silent, stage="fit")
    assert "libcublas.so.13" in unavailable.value.message


def _missing(_name):
    raise ImportError("libcublas.so.13: cannot open shared object file")


def test_a_fifth_of_every_user_with_five_artists_is_held_out():
    """Users of 4, 5, 7 and 8 artists lose 0, 1, 1 and 2 of them."""
    heard = np.zeros((4, 8), dtype=np.float32)
    for user, size in enumerate((4, 5, 7, 8)):
        heard[user, :size] = 2
    split = hold_out(csr_matrix(heard), seed=0, min_listeners=1)
    assert np.diff(split.held_out.indptr).tolist() == [0, 1, 1, 2]
    assert (split.training + split.held_out).toarray().tolist() == heard.tolist()
    assert split.users.tolist() == [1, 2, 3]


class Fixed:
    """Scores that do not depend on the split."""

    def __init__(self, scores):
        self.scores = np.array(scores, dtype=np.float32)

    def of_artists(self, artists):
        return np.broadcast_to(self.scores, (len(artists), len(self.scores)))

    of_users = of_artists


def hand_made(artists: int) -> Split:
    """One user with artists 0 to 3 held in and artist 4 held out; every artist has listeners."""
    training, held_out = np.ones((2, artists), dtype=np.float32), np.zeros((2, artists), dtype=np.float32)
    training[0, 4:] = 0
    held_out[0, 4] = 1
    return Split(csr_matrix(training), csr_matrix(held_out), np.arange(artists), 0)


@pytest.mark.parametrize(("better", "expected"), [(0, 1), (9, 1), (10, 0)])
def test_pm_is_a_hit_where_fewer_than_ten_score_higher(better, expected):
    """All 35 other candidates are drawn, and `better` of them are above the held-out one."""
    scores = np.where(np.arange(40) >= 40 - better, 2.0, 0.0)
    scores[4] = 1
    figures = measure(hand_made(40), {"fixed": Fixed(scores)}, silent)["fixed"]
    assert figures[0, METRICS.index("PM")] == expected


@pytest.mark.parametrize(("tied", "expected"), [(19, 1), (20, 0)])
def test_ties_count_half(tied, expected):
    """Nineteen ties are nine and a half above, twenty are ten."""
    scores = np.where(np.arange(40) >= 40 - tied, 1.0, 0.0)
    scores[4] = 1
    figures = measure(hand_made(40), {"fixed": Fixed(scores)}, silent)["fixed"]
    assert figures[0, METRICS.index("PM")] == expected


def test_recall_and_ndcg_are_those_of_the_list_without_the_own_library():
    """The held-out artist is third: its library is above it and is masked, and two others are above it too."""
    scores = np.zeros(40)
    scores[[0, 1, 2, 3, 10, 11, 4]] = [9, 8, 7, 6, 5, 4, 3]
    found = dict(zip(METRICS, measure(hand_made(40), {"fixed": Fixed(scores)}, silent)["fixed"][0], strict=True))
    assert found["recall@10"] == found["user recall@20"] == 1
    assert found["NDCG@10"] == found["user NDCG@20"] == pytest.approx(0.5)


def test_every_scorer_meets_the_same_draws(communities):
    """Alone or beside another one, its figures are the same."""
    split = hold_out(communities.counts, seed=0, min_listeners=3)
    plain, near = Popularity(split.listeners), cosine(split)
    both = measure(split, {"plain": plain, "near": near}, silent)
    assert np.array_equal(both["near"], measure(split, {"near": near}, silent)["near"], equal_nan=True)


def test_evaluate_prints_every_baseline_with_intervals(communities, settings):
    """Planted communities: a model beats popularity by far."""
    rows = evaluate(communities, settings, seed=0, device="cpu", report=silent).rows
    assert {row.variant for row in rows} == {"als", "popularity", "item cosine", "bm25 items"}
    assert all(row.low <= row.value <= row.high for row in rows)
    pm = {row.variant: row.value for row in rows if row.metric == "PM"}
    assert pm["als"] > pm["popularity"] + 0.2


def test_too_few_artists_per_user_are_refused(communities, settings):
    """Nothing could be held out."""
    narrow = replace(communities, counts=communities.counts[:, :4][:3], artist_ids=["0", "1", "2", "3"])
    with pytest.raises(RefusedError, match=r"no user has listened to 5 artists \(at most \d\)"):
        train(narrow, settings, variant="als", seed=0, device="cpu", report=silent)


def test_too_few_listeners_are_refused(communities):
    """The most that there are is told, and what to lower."""
    with pytest.raises(
        RefusedError, match=r"0 artists have 1000 listeners.*\(the most that any has is \d+\)"
    ) as refused:
        train(communities, SimilarSettings(min_listeners=1000), variant="als", seed=0, device="cpu", report=silent)
    assert "`min_listeners`" in refused.value.hint


@pytest.mark.real
def test_real_listens_reach_the_required_figures(lastfm):
    """Split 0 of Last.fm."""
    split = hold_out(lastfm.counts, seed=0, min_listeners=3)
    model = latent(split, SimilarSettings(), seed=0, device="cpu", report=silent)
    figures = measure(split, {"als": model}, silent)["als"]
    found = dict(zip(METRICS, np.nanmean(figures, axis=0), strict=True))
    assert found["PM"] >= 0.50
    assert found["recall@10"] >= 0.062
    assert found["user NDCG@20"] >= 0.28


@pytest.mark.real
def test_rosetta_sounds_like_cult_of_luna(lastfm):
    """Rosetta has three listeners; still Cult Of Luna is among its fifteen most similar."""
    lookup = Lookup(fitted(lastfm, SimilarSettings(), seed=0, device="cpu", report=silent))
    assert "Cult Of Luna" in [neighbour.name for neighbour in lookup.similar(lookup.find("rosetta"), 15)]
