"""The artifact: what is saved is what is loaded, and damage is noticed."""

import numpy as np
import pytest

from pozytywka_cli.artifacts import Version
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.similar.model import Factors
from pozytywka_cli.similar.strings import Strings

from .conftest import factors


@pytest.fixture
def version(save) -> Version:
    """Three artists, saved."""
    return save(factors(("Air", [1, 0], 3), ("Björk\n", [0, 1], 5), ("", [1, 1], 4)))


def test_what_is_saved_is_loaded(version):
    """By falling number of listeners; arrays stay on the disk until they are used."""
    loaded = Factors.load(version)
    assert isinstance(loaded.factors, np.memmap)
    assert loaded.factors.flags.c_contiguous
    assert (loaded.names.list(), loaded.ids.list(), loaded.keys.list()) == (
        ["Björk\n", "", "Air"],
        ["1", "2", "0"],
        ["bjork", "", "air"],
    )
    assert loaded.listeners.tolist() == [5, 4, 3]
    assert np.linalg.norm(loaded.factors, axis=1) == pytest.approx(1)


def test_files_that_do_not_belong_together_are_refused(version):
    """The count of each is told."""
    Strings.of(["one"]).save(version.folder / "names.bin")
    with pytest.raises(ArtifactError) as refused:
        Factors.load(version)
    problem = "is damaged: factors, listeners, ids, names and keys have 3, 3, 3, 1, 3 entries"
    assert refused.value.message == f"{version.folder} {problem}"


@pytest.mark.parametrize("content", [b"", b"not an array", b"\x93NUMPY\x01\x00"])
@pytest.mark.parametrize("name", ["factors.npy", "listeners.npy"])
def test_a_damaged_array_is_refused(version, name, content):
    """Named, with the way out."""
    (version.folder / name).write_bytes(content)
    with pytest.raises(ArtifactError, match=rf"{name} is damaged") as refused:
        Factors.load(version)
    assert "rollback" in refused.value.hint


def test_an_array_of_objects_is_never_unpickled(version):
    """Such a file could run code."""
    np.save(version.folder / "listeners.npy", np.array([{}, {}, {}], dtype=object), allow_pickle=True)
    with pytest.raises(ArtifactError, match=r"listeners\.npy is damaged"):
        Factors.load(version)


def test_an_array_of_another_type_is_refused(version):
    """Double precision in place of single."""
    np.save(version.folder / "factors.npy", np.ones((3, 2)))
    with pytest.raises(ArtifactError, match=r"factors and listeners are float64 \(3, 2\) and int64 \(3,\)"):
        Factors.load(version)


@pytest.mark.parametrize("content", [b"", b"\xffcut of"])
def test_cut_off_names_are_refused(version, content):
    """They must end between two names."""
    (version.folder / "names.bin").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"names\.bin is damaged"):
        Factors.load(version)


def test_a_missing_file_is_refused(version):
    """Named."""
    (version.folder / "keys.bin").unlink()
    with pytest.raises(ArtifactError, match=r"cannot read .*keys\.bin"):
        Factors.load(version)


def test_strings_are_found_whole():
    """Never as a part of another one."""
    strings = Strings.of(["ab", "a", "", "a", "é"])
    assert [strings.find(text) for text in ("a", "b", "", "é", "ab")] == [1, None, 2, 4, 0]
    assert [strings[place] for place in range(len(strings))] == strings.list() == ["ab", "a", "", "a", "é"]
