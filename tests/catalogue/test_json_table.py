"""Many values in one file."""

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pozytywka_cli.catalogue.json_table import JsonTable
from pozytywka_cli.catalogue.string_table import StringTable
from pozytywka_cli.errors import ArtifactError

VALUES = st.none() | st.text() | st.lists(st.dictionaries(st.text(), st.none() | st.floats(allow_nan=False)))


@given(values=st.lists(VALUES))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_written_values_are_read(tmp_path, values):
    """To the last bit of a number; None is a value too."""
    JsonTable.write(tmp_path / "values.bin", values)
    table = JsonTable[Any].load(tmp_path / "values.bin", Any)
    assert [table[row] for row in range(len(table))] == [_finite(value) for value in values]


def _finite(value: Any) -> Any:
    """What JSON has: null for infinity."""
    if isinstance(value, list):
        return [
            {key: None if other in (float("inf"), -float("inf")) else other for key, other in one.items()}
            for one in value
        ]
    return value


def test_a_date_is_its_iso_8601_text(tmp_path):
    """As on the command line."""
    JsonTable.write(tmp_path / "days.bin", [date(2025, 1, 6)])
    assert JsonTable[Any].load(tmp_path / "days.bin", Any)[0] == "2025-01-06"


@pytest.mark.parametrize("text", ["nonsense", "1", '["Air"'])
def test_a_damaged_value_is_damage(tmp_path, text):
    """Neither an internal error nor a value of another type."""
    StringTable.of(['"Air"', text]).save(tmp_path / "names.bin")
    table = JsonTable[str | None].load(tmp_path / "names.bin", str | None)
    assert table[0] == "Air"
    with pytest.raises(ArtifactError, match=r"names\.bin is damaged"):
        table[1]
