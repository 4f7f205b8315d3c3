"""Vectors of some of the tracks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_cli.families.recommend.features.vectors import TrackVectors

from .worlds import dense

ROWS = st.lists(st.lists(st.integers(-2, 2), min_size=2, max_size=2), min_size=1, max_size=12)


@given(rows=ROWS, chosen=st.lists(st.integers(0, 11)), query=st.tuples(st.integers(-2, 2), st.integers(-2, 2)))
def test_vectors_are_those_of_the_whole_matrix(rows, chosen, query):
    """In any order; the rows that are 0 are not kept."""
    matrix = np.array(rows, dtype=np.float64)
    vectors, tracks = dense(matrix), np.array([one % len(rows) for one in chosen], dtype=np.int64)
    assert vectors[tracks].tolist() == matrix[tracks].tolist()
    assert vectors.products(np.array(query, dtype=np.float64)).tolist() == (matrix @ np.array(query)).tolist()
    assert vectors.known.tolist() == [any(row) for row in rows]
    assert len(vectors.rows) == vectors.known.sum()


def test_tracks_that_the_model_does_not_know_have_no_vector():
    """Those between and after the known ones."""
    vectors = TrackVectors.of(4, np.array([0, 2]), np.array([[1.0, 2], [3, 4]], dtype=np.float32))
    assert vectors[np.arange(4)].tolist() == [[1, 2], [0, 0], [3, 4], [0, 0]]
    assert vectors.rows.dtype == np.float64
