"""A long list of strings in one file."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pozytywka_cli.catalogue.string_table import Strings
from pozytywka_cli.errors import ArtifactError


@given(strings=st.lists(st.text(st.characters(codec="utf-8"))))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_saved_is_loaded(tmp_path, strings):
    """Whatever the strings hold, also none of them."""
    Strings.of(strings).save(tmp_path / "strings.bin")
    loaded = Strings.load(tmp_path / "strings.bin")
    assert len(loaded) == len(strings)
    assert loaded.list() == [loaded[row] for row in range(len(loaded))] == strings


def test_a_wrong_byte_spoils_one_letter():
    """A large file is not hashed before a lookup, which must not end in a fault."""
    buffer = bytes(Strings.of(["Air", "Blur"]))
    assert Strings(buffer.replace(b"B", b"\xff")).list() == ["Air", "�lur"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it is cut off"),
        (b"\x0c\x00\x00\x00\x0f", "it is cut off"),
        (bytes(Strings.of(["Air", "Blur"]))[:-1], "its offsets do not belong to it"),
        (b"\x00\x00\x00\x00", "its offsets do not belong to it"),
        (b"not offsets", "it is cut off"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, content, problem):
    """Named, with the way out."""
    path: Path = tmp_path / "names.bin"
    path.write_bytes(content)
    with pytest.raises(ArtifactError) as refused:
        Strings.load(path)
    assert refused.value.message == f"{path} is damaged: {problem}"
    assert "rollback" in refused.value.hint


def test_a_missing_file_is_refused(tmp_path):
    """Named."""
    with pytest.raises(ArtifactError, match=r"cannot read .*names\.bin: No such file"):
        Strings.load(tmp_path / "names.bin")
