"""The reference methods, by their formulas."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pozytywka_cli.families.similar.models.scorers import bm25, cosine
from pozytywka_cli.families.similar.splits import Split, without_hold_out

COUNTS = np.array([[1, 2, 0], [3, 0, 9], [1, 0, 0], [0, 4, 0]], dtype=np.float64)


@pytest.fixture
def split() -> Split:
    """Four users and three artists."""
    return without_hold_out(csr_matrix(COUNTS.astype(np.float32)))


def test_item_cosine_is_that_of_sets_of_listeners(split):
    """How many two artists share, over the root of the product of how many each has: 3, 2 and 1."""
    shared = np.array([[3, 1, 1], [1, 2, 0], [1, 0, 1]])
    sizes = np.array([3, 2, 1])
    assert cosine(split).of_artists(np.arange(3)) == pytest.approx(shared / np.sqrt(np.outer(sizes, sizes)))


def test_a_users_score_is_the_sum_over_the_artists_held_in(split):
    """However often the user listened to each."""
    scorer = cosine(split)
    near = scorer.of_artists(np.arange(3))
    assert scorer.of_users(np.array([1])) == pytest.approx(near[[0]] + near[[2]])


def test_bm25_items_are_products_of_weighted_counts(split):
    """Robertson and Zaragoza's, K1 1.2 and B .75: an artist is a document, and a user who hears many counts less."""
    lengths = COUNTS.sum(axis=0) / COUNTS.sum(axis=0).mean()
    idf = np.log(3) - np.log1p((COUNTS > 0).sum(axis=1))
    weights = COUNTS * 2.2 / (1.2 * (0.25 + 0.75 * lengths) + COUNTS) * idf[:, None]
    assert bm25(split).of_artists(np.arange(3)) == pytest.approx(weights.T @ weights, rel=1e-5)
