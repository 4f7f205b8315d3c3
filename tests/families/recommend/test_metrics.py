"""The metrics of lists, against values by hand."""

from math import log, log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from pozytywka_cli.families.recommend import FAMILY
from pozytywka_cli.families.recommend.card import METRICS
from pozytywka_cli.families.recommend.metrics import (
    ACCURACY,
    BLENDED,
    CHOSEN_BY,
    HEADLINE,
    LEAST_SHARE,
    VARIETY,
    Facts,
    accuracy,
    coverage,
    diversity,
    genre_shares,
    reciprocal_ranks,
    similarity,
    variety,
)

TRACKS = 130
HALF = 0.5**0.5


def accuracies(tracks: list[int], targets: list[int]) -> dict[str, float]:
    """The metrics of one list."""
    wanted = np.zeros((1, TRACKS))
    wanted[0, targets] = 1
    (found,) = accuracy([np.array(tracks, dtype=np.int64)], csr_matrix(wanted))
    return dict(zip(ACCURACY, found.tolist(), strict=True))


def test_ndcg_counts_a_hit_by_the_logarithm_of_its_rank():
    """Hits at ranks 2, 4 and 22 of four targets."""
    tracks = list(range(100))
    found = accuracies(tracks, [1, 3, 21, 120])
    ideal = sum(1 / log2(1 + rank) for rank in (1, 2, 3, 4))
    assert found["ndcg@20"] == pytest.approx((1 / log2(3) + 1 / log2(5)) / ideal)
    assert found["ndcg@100"] == pytest.approx((1 / log2(3) + 1 / log2(5) + 1 / log2(23)) / ideal)


def test_success_precision_and_recall_count_hits():
    """The same ones: two of the first 20, and half of the targets."""
    found = accuracies(list(range(100)), [1, 3, 21, 120])
    assert [found[f"success@{n}"] for n in (1, 5, 10, 17, 20, 50)] == [0, 1, 1, 1, 1, 1]
    assert found["precision@20"] == 2 / 20
    assert found["recall@20"] == 2 / 4


def test_a_rank_counts_to_the_end_of_the_list():
    """The 17th is in a list of 17, and the 18th is not."""
    assert accuracies(list(range(100)), [16])["success@17"] == 1
    assert accuracies(list(range(100)), [17])["success@17"] == 0


def test_the_best_list_has_all_of_everything():
    """But precision, where there are fewer targets than 20; with more targets, recall."""
    few, many = accuracies(list(range(20)), [0, 1]), accuracies(list(range(100)), list(range(40)))
    assert [few[name] for name in ACCURACY if name != "precision@20"] == pytest.approx([1.0] * (len(ACCURACY) - 1))
    assert few["precision@20"] == 0.1
    assert [many[name] for name in ACCURACY if name != "recall@20"] == pytest.approx([1.0] * (len(ACCURACY) - 1))
    assert many["recall@20"] == 0.5


def test_a_short_or_empty_list_counts_as_it_is():
    """Its missing tracks are no hits."""
    assert set(accuracies([], [1]).values()) == {0.0}
    assert accuracies([1], [1])["precision@20"] == 0.05


@given(order=st.permutations(range(TRACKS)), targets=st.sets(st.integers(0, TRACKS - 1), min_size=1))
def test_all_metrics_are_shares(order, targets):
    """Of any list, and success grows with its length."""
    found = accuracies(list(order[:100]), sorted(targets))
    assert all(0 <= value <= 1 + 1e-12 for value in found.values())
    success = [found[name] for name in ACCURACY if name.startswith("success")]
    assert success == sorted(success)
    assert (
        (found["precision@20"] > 0) == (found["recall@20"] > 0) == (found["ndcg@20"] > 0) == (found["success@20"] > 0)
    )


# four tracks: two of artist 0 (rock), one of 1 (pop and rock), one of 2 (jazz), and one without genres
GENRES = csr_matrix(np.array([[0, 0, 1], [0, 0, 1], [0, HALF, HALF], [1, 0, 0], [0, 0, 0]]))
FACTS = Facts(
    np.array([0.5, 0.25, 0.125, 0, 1]), np.array([False, True, False, True, False]), GENRES, np.array([0, 0, 1, 2, 3])
)


def varieties(tracks: list[int], played: list[int]) -> dict[str, float]:
    (found,) = variety([np.array(tracks, dtype=np.int64)], [np.array(played, dtype=np.int64)], FACTS)
    return dict(zip(VARIETY, found.tolist(), strict=True))


def test_novelty_is_in_bits():
    """Half of the users know a track: 1; an eighth: 3; nobody: the most there is."""
    assert varieties([0, 2], [0])["novelty@20"] == pytest.approx(2)
    assert varieties([4], [0])["novelty@20"] == 0
    assert varieties([3], [0])["novelty@20"] == pytest.approx(-log2(LEAST_SHARE))


def test_diversity_is_one_minus_the_mean_similarity():
    """Tracks of one artist are alike; of others, the cosine of genres."""
    assert varieties([0, 1], [0])["diversity@20"] == 0
    assert varieties([0, 3], [0])["diversity@20"] == 1
    assert varieties([0, 1, 2], [0])["diversity@20"] == pytest.approx(1 - (1 + 2 * HALF) / 3)
    assert np.isnan(varieties([0], [0])["diversity@20"])


def test_the_tail_share_counts_tracks():
    """Two of three."""
    assert varieties([1, 3, 4], [0])["tail_share@20"] == pytest.approx(2 / 3)


def test_genre_divergence_is_that_of_steck():
    """The user's plays are half rock and half jazz; the list is three quarters rock and one quarter pop."""
    found = varieties([0, 2], [1, 3])["genre_divergence@20"]
    offered = {"rock": 0.99 * 0.75 + 0.005, "jazz": 0.005}
    assert BLENDED == 0.01
    assert found == pytest.approx(sum(0.5 * log(0.5 / share) for share in offered.values()))


def test_the_same_genres_do_not_diverge():
    """And where none is known nothing can be said."""
    assert varieties([0, 2], [0, 2])["genre_divergence@20"] == pytest.approx(0, abs=1e-12)
    assert np.isnan(varieties([0, 2], [4])["genre_divergence@20"])


def test_an_empty_list_has_no_variety():
    """No number at all."""
    assert all(np.isnan(value) for value in varieties([], [0]).values())


def test_variety_is_that_of_the_first_20():
    """What follows does not count."""
    facts = Facts(np.full(30, 0.5), np.arange(30) >= 20, csr_matrix((30, 0)), np.arange(30))
    (found,) = variety([np.arange(30)], [np.arange(1)], facts)
    assert dict(zip(VARIETY, found.tolist(), strict=True))["tail_share@20"] == 0


def test_genre_shares_count_every_track_the_same():
    """However many genres it has; one without genres not at all."""
    assert genre_shares(GENRES[[0, 2, 4]]) == pytest.approx([0, 0.25, 0.75])
    assert genre_shares(GENRES[[4]]).tolist() == [0, 0, 0]


def test_similarity_is_symmetric_with_ones():
    """A track without genres is like itself."""
    found = similarity(GENRES, FACTS.artists)
    assert np.array_equal(found, found.T)
    assert np.diag(found).tolist() == [1] * 5
    assert found[0].tolist() == pytest.approx([1, 1, HALF, 0, 0])
    assert diversity(found[:2, :2]) == 0


def test_coverage_counts_what_anybody_is_offered():
    """In the first 20; three different tracks of ten, and none."""
    assert coverage([np.array([1, 2]), np.array([2, 5])], 10) == 0.3
    assert coverage([np.arange(25)], 50) == 0.4
    assert coverage([], 10) == 0


def test_reciprocal_ranks():
    """First, fourth, eleventh, and not listed."""
    lists = [np.arange(12)] * 4
    found = reciprocal_ranks(lists, np.array([0, 3, 10, 99]))
    assert found.tolist() == [[1, 1], [1 / 4, 1], [1 / 11, 0], [0, 0]]


def test_every_metric_is_explained():
    """Under the name in the card, the headline first."""
    assert set(ACCURACY) | set(VARIETY) | {"coverage@20", "mrr", "hit@10"} < set(METRICS)
    assert next(iter(FAMILY.metrics)) == HEADLINE
    assert CHOSEN_BY in ACCURACY
