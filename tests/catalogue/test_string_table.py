"""Many strings in one file, and those found literally."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pozytywka_cli.catalogue.string_table import StringIndex, StringTable, encoded, row_of, take
from pozytywka_cli.errors import ArtifactError

STRINGS = st.lists(st.text("ab1ą \U0001f3b5", max_size=9) | st.text(max_size=12), max_size=40)


@given(strings=st.lists(st.text(st.characters(codec="utf-8"))))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_saved_table_is_loaded(tmp_path, strings):
    """With any strings, or none."""
    StringTable.of(strings).save(tmp_path / "strings.bin")
    loaded = StringTable.load(tmp_path / "strings.bin")
    assert len(loaded) == len(strings)
    assert loaded.list() == [loaded[row] for row in range(len(loaded))] == strings


def test_a_wrong_byte_spoils_one_letter():
    """A large file is not hashed before a lookup, which must not end in a fault."""
    buffer = encoded(["Air", "Blur"])
    assert StringTable(buffer.replace(b"B", b"\xff")).list() == ["Air", "�lur"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "truncated"),
        (b"\x0c\x00\x00\x00\x0f", "truncated"),
        (encoded(["Air", "Blur"])[:-1], "offsets"),
        (b"\x00\x00\x00\x00", "offsets"),
        (b"not offsets", "truncated"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, content, problem):
    """Named, with the way out."""
    path: Path = tmp_path / "names.bin"
    path.write_bytes(content)
    with pytest.raises(ArtifactError) as refused:
        StringTable.load(path)
    assert refused.value.message.startswith(f"{path} is damaged: ")
    assert problem in refused.value.message
    assert "rollback" in refused.value.hint


def test_a_missing_file_is_refused(tmp_path):
    """Named."""
    with pytest.raises(ArtifactError, match=r"cannot read .*names\.bin: No such file"):
        StringTable.load(tmp_path / "names.bin")


@given(strings=STRINGS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_saved_index_is_loaded(tmp_path, strings):
    """Strings and table, from one file."""
    index = StringIndex.of(strings)
    index.save(tmp_path / "index.bin")
    loaded = StringIndex.load(tmp_path / "index.bin")
    assert loaded.list() == strings
    assert loaded.table.tolist() == index.table.tolist()


@given(strings=st.lists(st.text("ab", max_size=3), max_size=40), string=st.text("ab", max_size=3))
def test_all_equal_strings_are_found_in_order(strings, string):
    """Not those that only begin with it."""
    assert StringIndex.of(strings).find(string) == [row for row, other in enumerate(strings) if other == string]


@given(strings=st.sets(st.text("abą", max_size=3), max_size=40), string=st.text("abą", max_size=3))
def test_a_row_is_found_among_ascending_values(strings, string):
    """In a list as in a table; None if it is not there."""
    ascending = sorted(strings)
    expected = ascending.index(string) if string in strings else None
    assert row_of(ascending, string) == row_of(StringTable.of(ascending), string) == expected


@given(strings=STRINGS.filter(len), rows=st.lists(st.integers(0, 39)))
def test_rows_are_taken_from_lists_as_from_tables(strings, rows):
    """In their order, and any number of times."""
    possible = [row % len(strings) for row in rows]
    expected = [strings[row] for row in possible]
    assert take(strings, np.array(possible, dtype=np.int64)) == take(StringTable.of(strings), possible) == expected


@pytest.mark.parametrize("row", [-1, 2, 77])
def test_a_row_that_is_not_there_is_damage(row):
    """Named; rows come from other files."""
    table = StringTable.of(["Air", "Blur"])
    with pytest.raises(ArtifactError, match=f"row {row} "):
        table[row]
