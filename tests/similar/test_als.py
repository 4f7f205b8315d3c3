"""Weights, and alternating least squares over them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from msgspec import structs
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_info

from pozytywka_cli.errors import UnavailableError
from pozytywka_cli.records import Progress, silent
from pozytywka_cli.settings import SimilarSettings
from pozytywka_cli.similar import als, gpu
from pozytywka_cli.similar.weighting import MOST_MEAN, weighted

SPARSE = csr_matrix(np.diag(np.arange(1.0, 41.0)).astype(np.float32))


@pytest.mark.parametrize(
    ("weighting", "expected"),
    [
        ("log1p", np.log1p),
        ("raw", lambda counts: counts),
        # an artist's length is its only listener's count, and their mean is 20.5; every listener has one of 40 artists
        ("bm25", lambda c: c * 101 / (100 * (0.2 + 0.8 * c / 20.5) + c) * (np.log(40) - np.log1p(1))),
    ],
)
def test_a_count_weighs_what_its_formula_says(weighting, expected):
    """Times alpha, on a matrix that is sparse enough."""
    weights = weighted(SPARSE, SimilarSettings(weighting=weighting, alpha=0.5)).toarray()
    assert np.diag(weights) == pytest.approx(0.5 * expected(np.arange(1.0, 41.0)), rel=1e-5)
    assert weights.dtype == np.float32


@profile(deadline=None, max_examples=50)
@given(
    counts=arrays(np.float32, (6, 7), elements=st.integers(0, 1000)).filter(np.any),
    weighting=st.sampled_from(["log1p", "bm25", "raw"]),
    alpha=st.floats(0.01, 1000),
)
def test_no_matrix_is_outweighed_by_what_was_heard(counts, weighting, alpha):
    """The mean over all pairs is at most 1, and whoever heard an artist has a weight above 0 for it."""
    given = csr_matrix(counts)
    weights = weighted(given, SimilarSettings(weighting=weighting, alpha=alpha))
    assert weights.sum() / counts.size <= MOST_MEAN * (1 + 1e-5)
    assert ((weights.toarray() > 0) == (counts > 0)).all()


def test_every_iteration_is_reported_with_the_last_loss(communities, settings):
    """The loss is looked at after every fifth, and falls."""
    seen: list[Progress] = []
    als.fit(communities.counts, settings, seed=0, device="cpu", report=seen.append, stage="fit")
    assert [(step.stage, step.done, step.total) for step in seen] == [("fit", done, 10) for done in range(1, 11)]
    losses = [step.loss for step in seen]
    assert losses[:4] == [None] * 4
    assert losses[4] == losses[8]
    assert losses[9] < losses[4]


def test_a_fit_that_has_converged_ends(communities, settings):
    """At the end of a round, before a thousand iterations; its factors are those of a longer fit."""
    seen: list[Progress] = []
    patient = structs.replace(settings, iterations=1000)
    ended = als.fit(communities.counts, patient, seed=0, device="cpu", report=seen.append, stage="fit")
    assert len(seen) < 1000
    assert len(seen) % als.ROUND == 0
    longer = structs.replace(settings, iterations=len(seen))
    same = als.fit(communities.counts, longer, seed=0, device="cpu", report=silent, stage="fit")
    assert all(np.array_equal(one, other) for one, other in zip(ended, same, strict=True))


def test_rounds_are_one_fit(communities, settings):
    """Ten iterations in two rounds are implicit's ten at once, but for rounding."""
    weights = weighted(communities.counts, settings)
    regularization = min(settings.regularization, als.MOST_REGULARIZATION * np.linalg.svd(weights.toarray())[1][0])
    with als.threadpool_limits(1, "blas"):
        bare = als.implicit.cpu.als.AlternatingLeastSquares(
            factors=4, regularization=regularization, iterations=10, random_state=np.random.default_rng(0)
        )
        bare.fit(weights, show_progress=False)
    users, artists = als.fit(communities.counts, settings, seed=0, device="cpu", report=silent, stage="fit")
    assert users == pytest.approx(bare.user_factors, rel=1e-3, abs=1e-5)
    assert artists == pytest.approx(bare.item_factors, rel=1e-3, abs=1e-5)


def test_blas_has_its_threads_back_after_a_fit(communities, settings):
    """And implicit, whose warning would fail this test, had none of them beside its own."""
    before = [pool["num_threads"] for pool in threadpool_info()]
    als.fit(communities.counts, settings, seed=0, device="cpu", report=silent, stage="fit")
    assert [pool["num_threads"] for pool in threadpool_info()][: len(before)] == before


def test_factors_are_no_more_than_users_or_artists(communities):
    """128 would be asked for."""
    users, artists = als.fit(communities.counts, SimilarSettings(), seed=0, device="cpu", report=silent, stage="fit")
    assert (users.shape, artists.shape) == ((80, 60), (60, 60))


def test_a_gpu_that_cannot_be_used_is_an_error(communities, settings, monkeypatch):
    """Nothing is computed on the CPU in its place."""
    monkeypatch.setattr(gpu, "LIBRARIES", (gpu.Library("libno.so.13", "nvidia-no"),))
    with pytest.raises(UnavailableError, match=r"libno\.so\.13"):
        als.fit(communities.counts, settings, seed=0, device="cuda", report=silent, stage="fit")
