"""From scores to lists: what is never in them, and what always is."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pozytywka_cli.catalogue.string_table import take
from pozytywka_cli.families.recommend.features.history import Profile
from pozytywka_cli.families.recommend.models.completion import Completion, by_predictor
from pozytywka_cli.families.recommend.models.lists import POOL, Ranker, Wish, best

from .trained import VARIANTS, Skips, by_name, model, ranker
from .worlds import FULL, dataset, fans, history, history_of, noise

WISHES = st.builds(
    Wish,
    count=st.integers(1, 130),
    new=st.booleans(),
    diversity=st.sampled_from([0.0, 0.2, 1.0]),
    tail=st.integers(0, 130),
)


@settings(max_examples=200)
@given(scores=st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0]) | st.floats(-3, 3)), count=st.integers(1, 30))
def test_the_best_are_those_of_a_full_sort(scores, count):
    """Without those that cannot be recommended; of equals, the first come first."""
    given = np.array(scores, dtype=np.float64)
    order = np.argsort(-given, kind="stable")
    expected = order[given[order] > -np.inf][:count]
    assert best(given, count).tolist() == expected.tolist()


class Fixed:
    """Scores by user; the last one asked for."""

    def __init__(self, *scores: Sequence[float]) -> None:
        self.given = np.array(scores, dtype=np.float64)

    def scores(self, profiles: Sequence[Profile], *, new: bool) -> Iterator[np.ndarray]:
        return (self.given[profile.user] for profile in profiles)


PLAYS = [(0, "t0", 0, FULL), (0, "t1", 1, FULL), (1, "t2", 2, FULL), (1, "t3", 2, FULL), (1, "t4", 2, FULL)]


def listed(made: Ranker, *wishes: Wish) -> list[list[int]]:
    """The list of user 0 for each wish."""
    profiles = [made.history.profile(0)] * len(wishes)
    return [one.tracks.tolist() for one in made.lists(profiles, wishes)]


def test_a_list_is_the_order_of_scores_without_what_was_heard():
    """Unless it may be in it; -inf never is."""
    made = Ranker(history(PLAYS), Fixed([5, 4, 3, 2, -np.inf, 3]))
    assert listed(made, Wish(3), Wish(3, new=False), Wish(9), Wish(9, new=False)) == [
        [2, 5, 3],
        [0, 1, 2],
        [2, 5, 3],
        [0, 1, 2, 5, 3],
    ]


def test_scores_of_a_ranker_are_not_changed():
    """They may be shared by all users."""
    scorer = Fixed([5, 4, 3, 2, 1, 0])
    listed(Ranker(history(PLAYS), scorer), Wish(3))
    assert scorer.given.tolist() == [[5, 4, 3, 2, 1, 0]]


def test_asked_tracks_are_never_recommended():
    """Whether or not heard ones are."""
    made = Ranker(history(PLAYS), Fixed([5, 4, 3, 2, 1, 0]))
    profile = replace(made.history.profile(0), asked=np.array([1, 3]))
    found = made.lists([profile] * 2, [Wish(9), Wish(9, new=False)])
    assert [one.tracks.tolist() for one in found] == [[2, 4, 5], [0, 2, 4, 5]]


def test_completion_is_added_to_the_score():
    """With weights of its own for new and for all tracks: its logarithm moves t4 up, and t2 down."""
    known = history(PLAYS)
    chance = {"t2": 0.75, "t3": 0.5}
    completion = Completion(by_predictor(Skips(lambda _, track: chance.get(track, 0.0))), known.tracks)
    made = Ranker(known, Fixed([5, 4, 3, 2, 1, 0]), completion, ((1.0, 2.0), (0.5, 0.0)))
    new, every = made.lists([known.profile(0)] * 2, [Wish(4), Wish(2, new=False)])
    assert new.tracks.tolist() == [4, 3, 2, 5]
    assert new.scores == pytest.approx([1, 2 + 2 * np.log(0.5), 3 + 2 * np.log(0.25), 0])
    assert new.first.tolist() == [1, 2, 3, 0]
    assert every.scores.tolist() == [2.5, 2]


def test_the_probability_of_a_skip_may_be_one():
    """Its logarithm stays finite."""
    known = history(PLAYS)
    made = Ranker(
        known,
        Fixed([5, 4, 3, 2, 1, 0]),
        Completion(by_predictor(Skips(lambda *_: 1.0)), known.tracks),
        ((1.0, 1.0),) * 2,
    )
    (found,) = made.lists([known.profile(0)], [Wish(4)])
    assert found.tracks.tolist() == [2, 3, 4, 5]
    assert np.isfinite(found.scores).all()


@pytest.mark.parametrize("lengths", [[], [0], [2], [0, 3, 0, 1]])
def test_logarithms_are_divided_by_list(lengths: list[int]):
    """One array for each, of its length; without pairs nothing is asked."""
    known, skips = history(PLAYS), Skips(lambda user, track: 0.1 * int(track[1]) + 0.05 * user)
    lists = [np.arange(length) for length in lengths]
    found = Completion(by_predictor(skips), known.tracks).logarithms([known.profile(1)] * len(lengths), lists)
    assert len(found) == len(lengths)
    for numbers, one in zip(lists, found, strict=True):
        assert one == pytest.approx(np.log(1 - 0.05 - 0.1 * numbers))
    assert skips.asked == ([sum(lengths)] if sum(lengths) else [])


def test_a_quota_reaches_beyond_the_candidates():
    """All tracks of the tail score less than the first hundred others."""
    names = {f"t{number:04}": f"a{number}" for number in range(1000)}
    plays = [(1, name, 0, FULL) for place, name in enumerate(names) for _ in range(1 + (place < 200))]
    data = dataset([*plays, (0, "t0999", 1, FULL)], tracks=names)
    known = history_of(data)
    made = Ranker(known, Fixed(np.arange(1000.0)[::-1]))
    assert POOL < 200
    (found,) = made.lists([known.profile(0)], [Wish(10, tail=4)])
    assert found.tracks.tolist() == [0, 1, 2, 3, 4, 5, 200, 201, 202, 203]


KNOWN = {name: history_of(data) for name, data in {"noise": noise(), "fans": fans(plays=15)}.items()}
RANKERS = {
    (name, variant): ranker(variant, known, Skips(by_name)) for name, known in KNOWN.items() for variant in VARIANTS
}


@settings(deadline=None, max_examples=150)
@given(
    case=st.sampled_from(list(RANKERS)),
    rows=st.lists(st.integers(0, 23), min_size=1, max_size=4),
    wishes=st.lists(WISHES, min_size=4, max_size=4),
    seeds=st.sets(st.integers(0, 119), max_size=3),
)
def test_every_list_keeps_what_was_promised(case, rows, wishes, seeds):
    """Of every variant: no track twice, none that was heard, as long as possible, and as many of the tail as wanted."""
    made, known = RANKERS[case], KNOWN[case[0]]
    wanted = np.array(sorted(seeds), dtype=np.int64)
    profiles = [known.profile(row).like(wanted, np.zeros(4)) for row in rows]
    for profile, wish, found in zip(profiles, wishes, made.lists(profiles, wishes[: len(rows)]), strict=False):
        tracks = found.tracks
        assert len(set(tracks.tolist())) == len(tracks)
        assert len(tracks) == len(found.scores) == len(found.first)
        possible = known.eligible.copy() if case[1] != "autoencoder" else made.scorer.codes.known.copy()
        if wish.new:
            possible[profile.heard] = False
        assert possible[tracks].all()
        assert len(tracks) == min(wish.count, possible.sum())
        assert known.tail[tracks].sum() >= min(wish.tail, (known.tail & possible).sum(), len(tracks))
        assert np.isfinite(found.scores).all()


@settings(deadline=None, max_examples=30)
@given(
    case=st.sampled_from(list(RANKERS)),
    rows=st.lists(st.integers(0, 23), min_size=2, max_size=5),
    wishes=st.lists(WISHES, min_size=5, max_size=5),
)
def test_a_list_does_not_depend_on_other_requests(case, rows, wishes):
    """Not in the last bit of a score."""
    made, known = RANKERS[case], KNOWN[case[0]]
    profiles = [known.profile(row) for row in rows]
    for profile, wish, found in zip(profiles, wishes, made.lists(profiles, wishes[: len(rows)]), strict=False):
        (alone,) = made.lists([profile], [wish])
        assert alone.tracks.tolist() == found.tracks.tolist()
        assert alone.scores.tobytes() == found.scores.tobytes()


def test_popular_orders_by_plays():
    """For everybody; own puts first what the user has played to the end most often."""
    plays = [(0, "t3", 0, FULL), (0, "t3", 1, FULL), (0, "t1", 2, FULL), *[(1, "t0", 3, FULL)] * 4, (1, "t1", 4, FULL)]
    known = history(plays)
    assert listed(ranker("popular", known), Wish(9, new=False), Wish(9)) == [[0, 1, 3], [0]]
    assert listed(ranker("own", known), Wish(9, new=False), Wish(9)) == [[3, 1, 0], [0]]


def test_random_differs_by_user_and_seed():
    """And is the same each time."""
    known = KNOWN["noise"]
    profiles = [known.profile(row) for row in (0, 1)]
    lists = [one.tracks.tolist() for one in ranker("random", known).lists(profiles, [Wish(20, new=False)] * 2)]
    assert lists[0] != lists[1]
    assert lists == [one.tracks.tolist() for one in ranker("random", known).lists(profiles, [Wish(20, new=False)] * 2)]


@pytest.mark.parametrize("variant", ["als", "autoencoder", "own", "popular", "preference", "blend"])
def test_users_without_plays_are_offered_something(variant: str):
    """What is popular; the blend weighs signals that are the same for all of them."""
    data = noise()
    known = history_of(data)
    none, flags = np.zeros(0, np.int64), np.zeros(0, bool)
    nobody = Profile.of(-1, none, flags, flags, np.zeros(0), np.zeros(4))
    (found,) = ranker(variant, known).lists([nobody], [Wish(20)])
    assert len(found.tracks) == 20
    if variant != "blend":
        (plain,) = ranker("popular", known).lists([nobody], [Wish(20)])
        assert found.tracks.tolist() == plain.tracks.tolist()


def test_als_offers_what_is_popular_to_a_user_of_newer_tracks():
    """None of whose tracks has an embedding; others get their own list."""
    old = noise()
    fitted = model("als", history_of(old))
    newer = dataset(
        [
            (99, "new", 80, FULL),
            *old.plays.select("user_id", "track_id").with_columns(day=0.0, how=pl.lit(FULL)).rows(),
        ],
        tracks=dict(old.tracks.select("id", "id_artist").iter_rows()),
    )
    known = history_of(newer)
    profile = known.profile(known.find(99))
    (found,) = fitted.ranker(known, lambda: None).lists([profile], [Wish(20)])
    (plain,) = ranker("popular", known).lists([profile], [Wish(20)])
    assert found.tracks.tolist() == plain.tracks.tolist()


def test_preference_ranks_popular_tracks_by_completion():
    """The candidates are the popular ones; without a skip model it is popularity."""
    known = KNOWN["fans"]
    profile = known.profile(0)
    (found,) = ranker("preference", known, Skips(by_name)).lists([profile], [Wish(20)])
    ids = take(known.tracks.ids, found.tracks)
    chances = [by_name(0, one) for one in ids]
    assert chances == sorted(chances)
    candidates = known.plays_of_tracks.copy()
    candidates[profile.heard] = -np.inf
    assert set(found.tracks.tolist()) <= set(best(candidates, POOL).tolist())
    (without,) = ranker("preference", known).lists([profile], [Wish(20)])
    assert without.tracks.tolist() == best(candidates, 20).tolist()
    assert without.scores.tolist() == candidates[without.tracks].tolist()
