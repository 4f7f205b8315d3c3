"""Weights, and alternating least squares over them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from msgspec import structs
from scipy.sparse import csr_matrix, diags
from threadpoolctl import threadpool_info

from pozytywka_cli.errors import UnavailableError
from pozytywka_cli.families.similar import als, implicit_gpu
from pozytywka_cli.families.similar.weighting import MOST_MEAN, weighted
from pozytywka_cli.records import Progress, silent
from pozytywka_cli.settings import SimilarSettings

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
    weights = weighted(SPARSE, SimilarSettings(weighting=weighting, alpha=0.5))[0].toarray()
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
    weights, used = weighted(given, SimilarSettings(weighting=weighting, alpha=alpha))
    assert used <= alpha
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
    assert all(np.array_equal(one, other) for one, other in zip(ended[:2], same[:2], strict=True))


def test_rounds_are_one_fit(communities, settings):
    """Ten iterations in two rounds are implicit's ten at once, but for rounding."""
    weights, _ = weighted(communities.counts, settings)
    regularization = min(settings.regularization, als.MOST_REGULARIZATION * np.linalg.svd(weights.toarray())[1][0])
    with als.threadpool_limits(1, "blas"):
        bare = als.implicit.cpu.als.AlternatingLeastSquares(
            factors=4, regularization=regularization, iterations=10, random_state=np.random.default_rng(0)
        )
        bare.fit(weights, show_progress=False)
    users, artists, _ = als.fit(communities.counts, settings, seed=0, device="cpu", report=silent, stage="fit")
    assert users == pytest.approx(bare.user_factors, rel=1e-3, abs=1e-5)
    assert artists == pytest.approx(bare.item_factors, rel=1e-3, abs=1e-5)


def equal_communities(copies: int) -> csr_matrix:
    """Communities that share every singular value; nobody hears an artist of another one."""
    random = np.random.default_rng(0)
    heard = np.where(random.random((30, 20)) < 0.4, random.integers(1, 9, (30, 20)), 0)
    return csr_matrix(np.kron(np.eye(copies), heard).astype(np.float32))


@pytest.mark.parametrize("copies", [1, 2, 3])
def test_the_largest_singular_value_is_found(copies):
    """Also where several share it."""
    counts = equal_communities(copies)
    assert als.largest_singular_value(counts) == pytest.approx(np.linalg.svd(counts.toarray())[1][0], rel=1e-6)


def test_a_single_large_value_among_many_is_found():
    """Though the start holds next to nothing of its vector."""
    assert als.largest_singular_value(diags([1.0] * 100_000 + [3.0], format="csr")) == pytest.approx(3)


def test_equal_communities_have_equal_factors_each_time():
    """Bit by bit, though any mixture of their singular vectors is as good."""
    counts, asked = equal_communities(2), SimilarSettings(factors=4)
    found = [als.fit(counts, asked, seed=0, device="cpu", report=silent, stage="fit") for _ in range(3)]
    assert len({fit.artists.tobytes() for fit in found}) == 1


def test_what_was_not_used_as_given_is_noted(communities, settings):
    """A sentence each; none where all was."""
    given = SimilarSettings(factors=100, alpha=1e9, regularization=1e9, iterations=1000)
    found = als.fit(communities.counts, given, seed=0, device="cpu", report=silent, stage="fit")
    weights, alpha = weighted(communities.counts, given)
    most = 0.06 * np.linalg.svd(weights.toarray())[1][0]
    factors, alpha_used, regularization, iterations = found.notes
    assert factors == "factors 60 was used in place of 100: there are no more listeners or artists."
    assert alpha_used.startswith(f"alpha {alpha:.4g} was used in place of 1e+09: ")
    assert regularization.startswith(f"regularization {most:.4g} was used in place of 1e+09: ")
    assert iterations.endswith(" was used in place of 1000: further ones change nothing.")
    plain = structs.replace(settings, alpha=0.1, regularization=0.1)
    assert als.fit(communities.counts, plain, seed=0, device="cpu", report=silent, stage="fit").notes == []


def test_the_least_alpha_gives_numbers(communities, settings):
    """Regularization is capped by what it acts on."""
    given = structs.replace(settings, alpha=1e-9)
    found = als.fit(communities.counts, given, seed=0, device="cpu", report=silent, stage="fit")
    assert np.isfinite(found.artists).all()
    assert found.artists.any()


def test_blas_has_its_threads_back_after_a_fit(communities, settings):
    """And implicit, whose warning would fail this test, had none of them beside its own."""
    before = [pool["num_threads"] for pool in threadpool_info()]
    als.fit(communities.counts, settings, seed=0, device="cpu", report=silent, stage="fit")
    assert [pool["num_threads"] for pool in threadpool_info()][: len(before)] == before


def test_factors_are_no_more_than_users_or_artists(communities):
    """128 would be asked for."""
    users, artists, _ = als.fit(communities.counts, SimilarSettings(), seed=0, device="cpu", report=silent, stage="fit")
    assert (users.shape, artists.shape) == ((80, 60), (60, 60))


def test_a_gpu_that_cannot_be_used_is_an_error(communities, settings, monkeypatch):
    """Nothing is computed on the CPU in its place."""
    monkeypatch.setattr(implicit_gpu, "LIBRARIES", (implicit_gpu.Library("libno.so.13", "nvidia-no"),))
    with pytest.raises(UnavailableError, match=r"libno\.so\.13"):
        als.fit(communities.counts, settings, seed=0, device="cuda", report=silent, stage="fit")
