"""Strings found literally or but for typos."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rapidfuzz import process
from rapidfuzz.distance import OSA

from pozytywka_cli.catalogue.string_index import Index

# few letters, so that many strings are as near as others; 'ą' and '1' share their place among the letters' bits
near = st.text("ab1ą \U0001f3b5", max_size=9)
anything = st.text(max_size=12)


@given(strings=st.lists(near | anything, min_size=1, max_size=40), asked=near | anything)
@pytest.mark.parametrize("n", [1, 3, 50])
@pytest.mark.parametrize("least", [0, 0.25, 0.6])
def test_the_nearest_are_those_of_a_plain_scan(strings, asked, n, least):
    """The same rows in the same order with the same similarities, though most strings are never compared."""
    plain = process.extract(asked, strings, scorer=OSA.normalized_similarity, limit=n, score_cutoff=least)
    assert Index.of(strings).nearest(asked, n, least) == [(row, similarity) for _, similarity, row in plain]


@given(strings=st.lists(near | anything))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_saved_is_loaded(tmp_path, strings):
    """Strings and table, from one file."""
    index = Index.of(strings)
    index.save(tmp_path / "index.bin")
    loaded = Index.load(tmp_path / "index.bin")
    assert loaded.strings.list() == strings
    assert loaded.table.tolist() == index.table.tolist()


@given(strings=st.lists(near, max_size=40), asked=near)
def test_all_that_are_equal_are_found_first_ones_first(strings, asked):
    """Whole ones alone."""
    assert Index.of(strings).find(asked) == [row for row, string in enumerate(strings) if string == asked]


def test_strings_that_cannot_be_near_are_not_compared(monkeypatch):
    """Of a thousand others, none is decoded."""
    index = Index.of(["metallica", *(f"{number:016}" for number in range(1000))])
    taken = []
    take = index.strings.take
    monkeypatch.setattr(index.strings, "take", lambda rows: taken.extend(rows) or take(rows))
    assert index.nearest("metalica", 1) == [(0, pytest.approx(8 / 9))]
    assert taken == [0]


def test_what_the_command_line_could_not_decode_is_found_nowhere():
    """A lone surrogate, which no stored string holds."""
    index = Index.of(["a"])
    assert index.find("\udcff") == []
    assert index.nearest("\udcff", 1) == [(0, 0.0)]
