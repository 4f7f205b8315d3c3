"""Strings found literally."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pozytywka_cli.catalogue.string_index import StringIndex

STRINGS = st.lists(st.text("ab1ą \U0001f3b5", max_size=9) | st.text(max_size=12), max_size=40)


@given(strings=STRINGS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_saved_index_is_loaded(tmp_path, strings):
    """Strings and table, from one file."""
    index = StringIndex.of(strings)
    index.save(tmp_path / "index.bin")
    loaded = StringIndex.load(tmp_path / "index.bin")
    assert loaded.strings.list() == strings
    assert loaded.table.tolist() == index.table.tolist()


@given(strings=st.lists(st.text("ab", max_size=3), max_size=40), string=st.text("ab", max_size=3))
def test_all_equal_strings_are_found_in_order(strings, string):
    """Not those that only begin with it."""
    assert StringIndex.of(strings).find(string) == [row for row, other in enumerate(strings) if other == string]
