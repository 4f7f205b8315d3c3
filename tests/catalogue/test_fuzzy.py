"""Fuzzy search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import process
from rapidfuzz.distance import OSA

from pozytywka_cli.catalogue.fuzzy import best_match, nearest, suggestions
from pozytywka_cli.catalogue.string_table import StringIndex

# few letters, so that many strings are equally similar; 'ą' and '1' share a bit of `letters`
SIMILAR = st.text("ab1ą \U0001f3b5", max_size=9)
ANY = st.text(max_size=12)


@given(strings=st.lists(SIMILAR | ANY, min_size=1, max_size=40), string=SIMILAR | ANY)
@pytest.mark.parametrize("n", [1, 3, 50])
@pytest.mark.parametrize("cutoff", [0, 0.25, 0.6])
def test_the_nearest_are_those_of_a_full_scan(strings, string, n, cutoff):
    """The same rows in the same order with the same similarities, though most strings are never compared."""
    scan = process.extract(string, strings, scorer=OSA.normalized_similarity, limit=n, score_cutoff=cutoff)
    assert nearest(StringIndex.of(strings), string, n, cutoff) == [(row, similarity) for _, similarity, row in scan]


def test_strings_that_cannot_be_near_are_not_compared(monkeypatch):
    """Of a thousand others, none is decoded."""
    index = StringIndex.of(["metallica", *(f"{number:016}" for number in range(1000))])
    decoded = []
    take = index.take
    monkeypatch.setattr(index, "take", lambda rows: decoded.extend(rows) or take(rows))
    assert nearest(index, "metalica", 1) == [(0, pytest.approx(8 / 9))]
    assert decoded == [0]


def test_a_match_is_a_swap_of_letters_or_the_most_similar_key():
    """None below the cutoff."""
    index = StringIndex.of(["women", "owen"])
    assert [best_match(index, key) for key in ("woen", "womn", "metallica")] == [1, 0, None]


def test_suggestions_share_something_with_the_string():
    """Of any of its readings, the closest first."""
    index = StringIndex.of(["air", "metallica", "кино", "red"])
    assert suggestions(index, ["b rail"]) == [0, 1, 3]
    assert suggestions(index, ["xyz"]) == []


def test_an_undecodable_byte_of_the_command_line_is_found_nowhere():
    """It becomes a lone surrogate, which no stored string holds."""
    index = StringIndex.of(["a"])
    assert index.find("\udcff") == []
    assert nearest(index, "\udcff", 1) == [(0, 0.0)]
