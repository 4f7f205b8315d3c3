"""Mutual information by its formula, and stored neighbours that are those of the computed scores."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pozytywka_cli.families.similar.models import ppmi, similarity
from pozytywka_cli.families.similar.models.factors import Factors
from pozytywka_cli.families.similar.train import fit_all

from .conftest import run

LIBRARY = np.array([[1, 1, 0, 0], [1, 1, 0, 1], [1, 0, 1, 0], [0, 0, 1, 1], [0, 0, 1, 0], [0, 1, 0, 0]])
COUNTS = csr_matrix(7.0 * LIBRARY, dtype=np.float32)


def information(candidates: list[int]) -> np.ndarray:
    """By the definition: of pairs, discounted, without own cells, rows of length 1."""
    shared, listeners = LIBRARY.T @ LIBRARY, LIBRARY.sum(axis=0)
    rows = np.zeros((4, len(candidates)))
    for one in range(4):
        for place, other in enumerate(candidates):
            n = shared[one, other]
            if n and one != other:
                rows[one, place] = max(0, np.log(6 * n / (listeners[one] * listeners[other]))) * n / (n + 2)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


@pytest.mark.parametrize("candidates", [[0, 1, 2, 3], [3, 0, 1]])
def test_contexts_are_discounted_information(candidates):
    """However often somebody listened, and in any order of the candidates."""
    assert ppmi.contexts(COUNTS, np.array(candidates)).toarray() == pytest.approx(information(candidates), abs=1e-6)


def test_contexts_do_not_depend_on_blocks(counted, monkeypatch):
    """To the last bit."""
    whole = ppmi.contexts(counted.counts, np.arange(60))
    monkeypatch.setattr(ppmi, "BLOCK", 500)
    parts = ppmi.contexts(counted.counts, np.arange(60))
    assert len(list(ppmi._blocks(np.full(60, 100.0, dtype=np.float32)))) > 5
    assert (whole.data.tobytes(), whole.indices.tobytes()) == (parts.data.tobytes(), parts.indices.tobytes())


def test_of_many_contexts_those_with_most_listeners_in_common_stay(counted, monkeypatch):
    """Not those with the highest information."""
    whole = ppmi.contexts(counted.counts, np.arange(60))
    monkeypatch.setattr(ppmi, "CONTEXTS", 5)
    few, library = ppmi.contexts(counted.counts, np.arange(60)), counted.counts.sign().toarray()
    shared = library.T @ library
    for row in range(60):
        dropped = np.setdiff1d(whole[row].indices, few[row].indices)
        assert few[row].nnz == 5
        assert shared[row, few[row].indices].min() >= shared[row, dropped].max()
    assert np.linalg.norm(few.toarray(), axis=1) == pytest.approx(1)


def test_an_artist_without_contexts_has_an_empty_row():
    """One that everybody listens to tells nothing."""
    rows = ppmi.contexts(csr_matrix(np.ones((3, 2), dtype=np.float32)), np.arange(2))
    assert (rows.shape, rows.nnz) == ((2, 2), 0)
    assert ppmi.padded(rows).values.tolist() == [[0], [0]]


@pytest.fixture(scope="module")
def model(counted) -> Factors:
    """The two communities by both cosines."""
    return fit_all(counted, run("two-cosines"))[0]


def test_stored_neighbours_are_the_best_of_the_computed_scores(model):
    """Best first, each with its score; no other artist has a higher one."""
    assert model.neighbours.values.shape == (60, ppmi.NEIGHBOURS)
    for row, (others, values) in enumerate(zip(model.neighbours.artists, model.neighbours.values, strict=True)):
        scores = similarity.scores(model, [row])
        assert values == pytest.approx(scores[others], abs=1e-6)
        assert (np.diff(values) <= 0).all()
        assert len({row, *others}) == 1 + ppmi.NEIGHBOURS
        assert np.delete(scores, [row, *others]).max() <= values[-1] + 1e-6


def test_stored_neighbours_do_not_depend_on_blocks(counted, model, monkeypatch):
    """Up to rounding; only the artists with the most listeners have them."""
    monkeypatch.setattr(ppmi, "BLOCK", 1)
    monkeypatch.setattr(ppmi, "MOST_SCORES", 7 * 60)
    monkeypatch.setattr(ppmi, "NEIGHBOURS", 4)
    again = fit_all(counted, run("two-cosines"))[0].neighbours
    assert again.artists.tolist() == model.neighbours.artists[:7, :4].tolist()
    assert again.values == pytest.approx(model.neighbours.values[:7, :4], abs=1e-6)


def test_equal_artists_come_by_their_listeners():
    """Without any context all scores are 0."""
    rows = csr_matrix((5, 5), dtype=np.float32)
    artists = Factors.of(np.ones((5, 1)), np.arange(5), list("abcde"), list("abcde"))
    artists = replace(artists, contexts=ppmi.padded(rows))
    table = ppmi.neighbours(artists, rows)
    assert table.artists.tolist()[:2] == [[1, 2, 3, 4], [0, 2, 3, 4]]
    assert not table.values.any()
