"""ALS embeddings of tracks and users."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from implicit.cpu.als import AlternatingLeastSquares

from pozytywka_cli.families.recommend.features.embeddings import Embeddings
from pozytywka_cli.families.recommend.features.history import History
from pozytywka_cli.families.recommend.models.fit import fit_als

from .trained import run
from .worlds import FULL, SKIPPED, dense, history, history_of, noise


@pytest.fixture(scope="module")
def known() -> History:
    """The history of a log without taste."""
    return history_of(noise())


@pytest.fixture(scope="module")
def embeddings(known: History) -> Embeddings:
    """ALS fitted to it, with another confidence and regularization than the defaults."""
    return fit_als(known, run("als", alpha=7.0, regularization=0.5))


def test_a_user_has_the_embedding_that_implicit_computes(known: History, embeddings: Embeddings):
    """From the tracks' vectors and the user's weights, by `recalculate_user`."""
    library = AlternatingLeastSquares(factors=8, regularization=embeddings.regularization)
    library.item_factors = embeddings.vectors[np.arange(len(known.tracks))].astype(np.float32)
    expected = library.recalculate_user(np.arange(24), (7.0 * known.weights()).astype(np.float32))
    found = np.array([embeddings.of_user(known.profile(row))[0] for row in range(24)])
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_a_user_has_the_embedding_with_the_least_loss():
    """Squared errors from 1 for played and 0 for other tracks, by confidence, and the penalty: its slope is 0."""
    vectors = np.random.default_rng(1).normal(size=(6, 2))
    profile = history([(1, "t0", 0, FULL), (1, "t0", 1, FULL), (1, "t3", 2, SKIPPED)]).profile(0)
    user, _ = Embeddings(dense(vectors), 10.0, 3.0).of_user(profile)
    confidence, wanted = np.array([20.0, 1, 1, 2, 1, 1]), np.array([1.0, 0, 0, 1, 0, 0])
    slope = vectors.T @ (confidence * (vectors @ user - wanted)) + 3.0 * user
    assert slope == pytest.approx(np.zeros(2), abs=1e-9)


@settings(deadline=None, max_examples=20)
@given(row=st.integers(0, 23), seeds=st.sets(st.integers(0, 119), max_size=3))
def test_contributions_of_plays_add_up_to_the_score(known, embeddings, row, seeds):
    """Also where some plays are only asked for."""
    profile = known.profile(row).like(np.array(sorted(seeds), dtype=np.int64), np.zeros(0))
    tracks = np.arange(0, 120, 7)
    user, _ = embeddings.of_user(profile)
    found = embeddings.contributions(profile, tracks)
    assert found.shape == (len(tracks), len(profile.tracks))
    assert found.sum(axis=1) == pytest.approx(embeddings.vectors[tracks] @ user)


def test_tracks_without_plays_have_no_embedding():
    """Their vectors are 0, and they change nobody's embedding."""
    data = noise(users=12, plays=5)
    known = history_of(data)
    found = fit_als(known, run("als"))
    vectors = found.vectors
    assert vectors.known.tolist() == known.eligible.tolist()
    assert not vectors.known.all()
    assert not vectors[np.flatnonzero(~vectors.known)].any()
    fewer = replace(found, vectors=dense(vectors.rows))
    numbers = np.cumsum(vectors.known) - 1
    profile = known.profile(0)
    same = replace(profile, tracks=numbers[profile.tracks])
    assert fewer.of_user(same)[0] == pytest.approx(found.of_user(profile)[0])


def test_more_tracks_than_the_model_knows_change_no_embedding():
    """A play of a newer track does not count."""
    vectors = np.zeros((6, 2))
    vectors[:5] = np.random.default_rng(1).normal(size=(5, 2))
    found = Embeddings(dense(vectors), 10.0, 3.0)
    older, newer = (history([(1, "t0", 0, FULL), *more]).profile(0) for more in ([], [(1, "t5", 1, FULL)]))
    assert found.of_user(newer)[0].tolist() == found.of_user(older)[0].tolist()
