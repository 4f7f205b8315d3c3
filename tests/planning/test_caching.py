"""Caches that decide play by play."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_cli.planning.caching import Cache, simulate
from pozytywka_cli.planning.days import daily_plays
from tests.planning.cache_worlds import START, dataset_of, storage_of

LRU, LFU = False, True


def served(by_frequency: bool, plays: str, budget: float = 2.0, costs: dict[str, float] | None = None, warm: str = ""):
    """Play tracks a, b, c …; return which plays were served, as 1 and 0, and the cache."""
    each = np.ones(26)
    for letter, cost in (costs or {}).items():
        each[ord(letter) - 97] = cost
    cache = Cache(each, budget, by_frequency=by_frequency)
    cache.warm_up([ord(letter) - 97 for letter in warm])
    return "".join(str(int(cache.serve(ord(letter) - 97))) for letter in plays), cache


def content(cache: Cache) -> str:
    return "".join(sorted(chr(97 + track) for track in cache.content))


@pytest.mark.parametrize(
    ("by_frequency", "plays", "expected", "left"),
    [
        (LRU, "abab", "0011", "ab"),
        (LRU, "abacab", "001010", "ab"),  # c drives b out, for a was used after it
        (LRU, "abcabc", "000000", "bc"),
        (LFU, "abcabc", "000000", "bc"),  # the least often used of equal ones is the one used longest ago
        (LFU, "aabcab", "010010", "ab"),  # c drives b out, for a was used twice
        (LFU, "aaabbcb", "0110100", "ab"),  # what was driven out keeps its count
        (LFU, "aaabbcbc", "01101000", "bc"),  # so that a goes, which was played three times as b was, but longer ago
    ],
)
def test_small_logs_by_hand(by_frequency, plays, expected, left):
    """With room for two tracks."""
    found, cache = served(by_frequency, plays)
    assert (found, content(cache)) == (expected, left)


def test_a_large_track_drives_out_several():
    """As many as are needed, and no more."""
    found, cache = served(LRU, "abcdab", budget=3.0, costs={"d": 2.0})
    assert (found, content(cache)) == ("000000", "ab")
    found, cache = served(LRU, "abcdc", budget=3.0, costs={"d": 2.0})
    assert (found, content(cache)) == ("00001", "cd")


def test_what_exceeds_the_budget_alone_is_never_loaded():
    """And drives nothing out."""
    found, cache = served(LRU, "abdab", costs={"d": 2.5})
    assert (found, content(cache)) == ("00011", "ab")


def test_a_cache_starts_with_the_plays_before():
    """The most recent tracks that fit, or those played most."""
    assert content(served(LRU, "", warm="aaabcd")[1]) == "cd"
    assert content(served(LFU, "", warm="aaabbcd")[1]) == "ab"
    assert served(LFU, "ab", warm="aaabbcd")[0] == "11"
    assert content(served(LRU, "", warm="")[1]) == ""


@given(st.text("abcdefgh", max_size=60), st.floats(0.5, 6), st.booleans(), st.text("abcdefgh", max_size=20))
def test_the_budget_is_never_exceeded(plays, budget, by_frequency, warm):
    """By tracks of different costs; what is said to be used is the cost of the content."""
    costs = {letter: 0.3 * (number + 1) for number, letter in enumerate("abcdefgh")}
    each = np.array([costs.get(chr(97 + number), 1.0) for number in range(26)])
    cache = Cache(each, budget, by_frequency=by_frequency)
    cache.warm_up([ord(letter) - 97 for letter in warm])
    for letter in plays:
        had = ord(letter) - 97 in cache.content
        assert cache.serve(ord(letter) - 97) == had
        assert cache.used <= budget * (1 + 1e-9)
        assert cache.used == pytest.approx(each[list(cache.content)].sum())


@given(st.text("abcdef", max_size=80), st.integers(1, 5))
def test_least_recently_used_keeps_the_latest_tracks(plays, room):
    """Of one cost: the last distinct tracks, as many as fit."""
    cache = served(LRU, plays, budget=float(room))[1]
    latest = list(dict.fromkeys(reversed(plays)))[:room]
    assert content(cache) == "".join(sorted(latest))


@pytest.mark.parametrize("by_frequency", [LRU, LFU])
def test_a_simulated_day_starts_with_what_was_played_before_it(by_frequency):
    """And with nothing else: on its second day, b is loaded at its first play there, and c drives it out."""
    storage = storage_of([60_000] * 3)
    hours = [0, 2, 25, 26, 27, 48]
    plays = pl.DataFrame(
        {
            "user_id": [1] * 6,
            "track_id": ["t000", "t000", "t001", "t001", "t002", "t001"],
            "started_at": pl.Series([START + timedelta(hours=hour) for hour in hours]).dt.cast_time_unit("us"),
            "listened_ms": [60_000] * 6,
        }
    )
    log = daily_plays(dataset_of(storage, plays), storage.tracks["track_id"])
    assert log.start.tolist() == [0, 1, 1, 1, 1]  # the first play is before the first full day
    found = simulate(log, range(1, 2), storage.costs("FAST"), 0.24, by_frequency=by_frequency)
    assert found.served.tolist() == [False, True, False, False]
    assert found.costs == pytest.approx([0.24])
