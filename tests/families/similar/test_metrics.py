"""The split and the protocol, on hand-made scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from pozytywka_cli.families.similar.metrics import (
    COLUMNS,
    HEADLINE,
    MAX_QUERIES,
    NEGATIVES,
    measure,
    query_pairs,
    sample_negatives,
    sample_targets,
    sampling_orders,
)
from pozytywka_cli.families.similar.models.scorers import Popularity, cosine
from pozytywka_cli.families.similar.splits import HELD_OUT, Split, hold_out
from pozytywka_cli.records import silent


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
    """One user with artists 0 to 3 in the training part and artist 4 held out; every artist has listeners."""
    training, held_out = np.ones((2, artists), dtype=np.float32), np.zeros((2, artists), dtype=np.float32)
    training[0, 4:] = 0
    held_out[0, 4] = 1
    return Split(csr_matrix(training), csr_matrix(held_out), np.arange(artists), 0)


@pytest.mark.parametrize(("better", "expected"), [(0, 1), (9, 1), (10, 0)])
def test_a_target_is_a_hit_where_fewer_than_ten_score_higher(better, expected):
    """All 35 other candidates are drawn, and `better` of them are above the held-out one."""
    scores = np.where(np.arange(40) >= 40 - better, 2.0, 0.0)
    scores[4] = 1
    figures = measure(hand_made(40), {"fixed": Fixed(scores)}, silent)["fixed"]
    assert figures[0, COLUMNS.index(HEADLINE)] == expected


@pytest.mark.parametrize(("tied", "expected"), [(19, 1), (20, 0)])
def test_ties_count_half(tied, expected):
    """Nineteen ties are nine and a half above, twenty are ten."""
    scores = np.where(np.arange(40) >= 40 - tied, 1.0, 0.0)
    scores[4] = 1
    figures = measure(hand_made(40), {"fixed": Fixed(scores)}, silent)["fixed"]
    assert figures[0, COLUMNS.index(HEADLINE)] == expected


def test_recall_and_ndcg_are_those_of_the_list_without_the_own_library():
    """The held-out artist is third: its library is above it and is masked, and two others are above it too."""
    scores = np.zeros(40)
    scores[[0, 1, 2, 3, 10, 11, 4]] = [9, 8, 7, 6, 5, 4, 3]
    found = dict(zip(COLUMNS, measure(hand_made(40), {"fixed": Fixed(scores)}, silent)["fixed"][0], strict=True))
    assert found["recall@10"] == found["user_recall@20"] == 1
    assert found["ndcg@10"] == found["user_ndcg@20"] == pytest.approx(0.5)


def test_every_scorer_meets_the_same_draws(counted):
    """Alone or beside another one, its figures are the same."""
    split = hold_out(counted.counts, seed=0, min_listeners=3)
    plain, near = Popularity(split.listeners), cosine(split)
    both = measure(split, {"plain": plain, "near": near}, silent)
    assert np.array_equal(both["near"], measure(split, {"near": near}, silent)["near"], equal_nan=True)


def test_of_users_with_many_artists_fifty_are_queries():
    """Each once, all of the training part; of users with fewer, every one; and all in the order of artists."""
    training = np.zeros((2, 80), dtype=np.float32)
    training[0, :70] = training[1, 75:] = 1
    held_out = np.zeros((2, 80), dtype=np.float32)
    held_out[0, 71] = held_out[1, 71] = 1
    split = Split(csr_matrix(training), csr_matrix(held_out), np.arange(80), 0)
    rows, artists = query_pairs(split, np.random.default_rng(0))
    assert np.bincount(rows).tolist() == [MAX_QUERIES, 5]
    assert len(set(zip(rows.tolist(), artists.tolist(), strict=True))) == len(rows)
    assert training[rows, artists].all()
    assert (np.diff(artists) >= 0).all()


@settings(deadline=None, max_examples=50)
@given(
    known=st.lists(st.lists(st.sampled_from([0, 0, 0, 1, 2]), min_size=120, max_size=120), min_size=1, max_size=4),
    seed=st.integers(0, 2**32 - 1),
)
def test_ninety_nine_are_drawn_from_outside_of_the_library(known, seed):
    """Different ones; where there are fewer, all of them."""
    random, marks = np.random.default_rng(seed), np.array(known, dtype=np.int8)
    drawn, counted = sample_negatives(marks, sampling_orders(np.arange(1, 121), random), random)
    for row, candidates, mask in zip(marks, drawn, counted, strict=True):
        chosen = candidates[mask]
        assert len(set(chosen)) == len(chosen) == min(NEGATIVES, (row == 0).sum())
        assert (row[chosen] == 0).all()


def test_draws_are_in_proportion_to_listeners():
    """The first of a thousand orders of artists of 1, 2 and 7 listeners; the bounds are six deviations wide."""
    first = sampling_orders(np.array([1, 2, 7]), np.random.default_rng(0))[:, 0]
    shares = np.bincount(first, minlength=3) / len(first)
    assert np.abs(shares - [0.1, 0.2, 0.7]).max() < 6 * np.sqrt(0.21 / len(first))


def test_a_target_is_one_of_the_users_held_out_candidates():
    """And -1 for the user whose held-out artist is no candidate; both of two are drawn at some time."""
    training, held_out = np.ones((3, 6), dtype=np.float32), np.zeros((3, 6), dtype=np.float32)
    held_out[0, [1, 3]] = held_out[1, 5] = held_out[2, 2] = 1
    split = Split(csr_matrix(training - held_out), csr_matrix(held_out), np.arange(5), 0)
    found = sample_targets(split, np.repeat([0, 1, 2], 40), np.random.default_rng(0)).reshape(3, 40)
    assert [set(row.tolist()) for row in found] == [{1, 3}, {-1}, {2}]
    assert (split.marks.toarray()[0, [1, 3]] == HELD_OUT).all()
