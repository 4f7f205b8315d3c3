"""Weights, and alternating least squares over them."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix, diags
from threadpoolctl import threadpool_info

from pozytywka_cli import factorization, implicit_gpu
from pozytywka_cli.errors import UnavailableError
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.similar.models import als
from pozytywka_cli.families.similar.models.als import MAX_MEAN, weighted
from pozytywka_cli.families.similar.settings import SimilarSettings
from pozytywka_cli.families.similar.train import train
from pozytywka_cli.records import Progress

from .conftest import run

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
    assert weights.sum() / counts.size <= MAX_MEAN * (1 + 1e-5)
    assert ((weights.toarray() > 0) == (counts > 0)).all()


def test_every_iteration_is_reported_with_the_last_loss(counted):
    """The loss is looked at after every fifth, and falls."""
    seen: list[Progress] = []
    als.fit(counted.counts, replace(run(), progress=seen.append), stage="fit")
    assert [(step.stage, step.done, step.total) for step in seen] == [("fit", done, 10) for done in range(1, 11)]
    losses = [step.loss for step in seen]
    assert losses[:4] == [None] * 4
    assert losses[4] == losses[8]
    assert losses[9] < losses[4]


def test_a_fit_that_has_converged_ends(counted):
    """At the end of a round, before a thousand iterations; its factors are those of a longer fit."""
    seen: list[Progress] = []
    ended = als.fit(counted.counts, replace(run(iterations=1000), progress=seen.append), stage="fit")
    assert len(seen) < 1000
    assert len(seen) % factorization.ROUND == 0
    same = als.fit(counted.counts, run(iterations=len(seen)), stage="fit")
    assert all(np.array_equal(one, other) for one, other in zip(ended[:2], same[:2], strict=True))


def test_rounds_are_one_fit(counted):
    """Ten iterations in two rounds are implicit's ten at once, but for rounding."""
    weights, _ = weighted(counted.counts, run().settings_as(SimilarSettings))
    regularization = min(1.0, factorization.MAX_REGULARIZATION * np.linalg.svd(weights.toarray())[1][0])
    with factorization.threadpool_limits(1, "blas"):
        bare = factorization.implicit.cpu.als.AlternatingLeastSquares(
            factors=4, regularization=regularization, iterations=10, random_state=np.random.default_rng(0)
        )
        bare.fit(weights, show_progress=False)
    users, artists, _ = als.fit(counted.counts, run(), stage="fit")
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
    assert factorization.largest_singular_value(counts) == pytest.approx(
        np.linalg.svd(counts.toarray())[1][0], rel=1e-6
    )


def test_a_single_large_value_among_many_is_found():
    """Though the start holds next to nothing of its vector."""
    assert factorization.largest_singular_value(diags([1.0] * 100_000 + [3.0], format="csr")) == pytest.approx(3)


def test_equal_communities_have_equal_factors_each_time():
    """Bit by bit, though any mixture of their singular vectors is as good."""
    counts, defaults = equal_communities(2), TrainingRun(SimilarSettings(factors=4), "als")
    fits = [als.fit(counts, defaults, stage="fit") for _ in range(3)]
    assert len({fit.artists.tobytes() for fit in fits}) == 1


def test_a_lowered_setting_is_noted(counted):
    """A sentence each, with both values; none where every setting is used as it is."""
    high = {"factors": 100, "alpha": 1e9, "regularization": 1e9, "iterations": 1000}
    notes = als.fit(counted.counts, run(**high), stage="fit").notes
    weights, alpha = weighted(counted.counts, SimilarSettings(**high))
    most = 0.06 * np.linalg.svd(weights.toarray())[1][0]
    assert [note.split()[0] for note in notes] == list(high)
    for note, used in zip(notes, ("60", f"{alpha:.4g}", f"{most:.4g}"), strict=False):
        assert used in note
    assert als.fit(counted.counts, run(alpha=0.1, regularization=0.1), stage="fit").notes == []


def test_the_least_alpha_gives_numbers(counted):
    """Regularization is capped by the largest singular value."""
    fit = als.fit(counted.counts, run(alpha=1e-9), stage="fit")
    assert np.isfinite(fit.artists).all()
    assert fit.artists.any()


def test_blas_has_its_threads_back_after_a_fit(counted):
    """During the fit implicit warns, which would fail this test, if BLAS has more than one."""
    before = [pool["num_threads"] for pool in threadpool_info()]
    als.fit(counted.counts, run(), stage="fit")
    assert [pool["num_threads"] for pool in threadpool_info()][: len(before)] == before


def test_factors_are_no_more_than_users_or_artists(counted):
    """The setting is 128."""
    users, artists, _ = als.fit(counted.counts, TrainingRun(SimilarSettings(), "als"), stage="fit")
    assert (users.shape, artists.shape) == ((80, 60), (60, 60))


def test_a_gpu_that_cannot_be_used_is_an_error(counted, monkeypatch):
    """The CPU does not stand in for it."""
    monkeypatch.setattr(implicit_gpu, "LIBRARIES", {"libno.so.13": "nvidia-no"})
    with pytest.raises(UnavailableError, match=r"libno\.so\.13"):
        als.fit(counted.counts, run(device="cuda"), stage="fit")


@pytest.mark.parametrize("weighting", ["log1p", "bm25", "raw"])
def test_the_highest_counts_give_finite_factors(communities, weighting):
    """A thousand million listens in every row, or in one: no overflow, and metrics are numbers."""
    most, first = 10**9, pl.int_range(pl.len()) == 0
    for listens in (pl.lit(most), pl.when(first).then(most).otherwise("listens")):
        rows = communities.scrobbles.with_columns(listens=listens.cast(pl.Int64))
        given = replace(communities, scrobbles=pl.concat([rows] * 3))
        trained = train(given, run(weighting=weighting))
        assert np.isfinite([row.value for row in trained.model.metrics]).all()
