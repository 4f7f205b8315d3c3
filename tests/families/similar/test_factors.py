"""The artifact: what is saved is what is loaded, and damage is noticed."""

from dataclasses import replace
from itertools import product

import msgspec
import numpy as np
import pytest

from pozytywka_cli.artifacts import Version
from pozytywka_cli.catalogue import names
from pozytywka_cli.catalogue.string_table import ENTRY, StringIndex, StringTable, encoded
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families.similar.models.factors import Excluded, Factors
from pozytywka_cli.families.similar.train import fit_all

from .conftest import factors, run


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
    """With the number of entries of each."""
    StringTable.of(["one"]).save(version.folder / "names.bin")
    with pytest.raises(ArtifactError) as refused:
        Factors.load(version)
    assert refused.value.message.startswith(f"{version.folder} is damaged: ")
    assert "3, 3, 1, 3, 3" in refused.value.message


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


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (np.ones((3, 2)), "float64 (3, 2)"),
        (np.ones(3, dtype=np.float32), "float32 (3,)"),
    ],
)
def test_an_array_of_another_type_or_shape_is_refused(version, array, problem):
    """Double precision, or one dimension."""
    path = version.folder / "factors.npy"
    np.save(path, array)
    with pytest.raises(ArtifactError) as refused:
        Factors.load(version)
    assert refused.value.message.startswith(f"{path} is damaged: ")
    assert problem in refused.value.message


def header(text: str) -> bytes:
    """The beginning of an array's file, with a header of this text."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 'x'), }\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 2), \n",
        "{'descr': [3], 'fortran_order': False, 'shape': (3, 2), }\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 2), }\n",
        "\x00" * 60,
    ],
)
def test_a_header_of_any_damage_is_refused(version, text):
    """Numpy's parser of it raises errors of many kinds."""
    (version.folder / "factors.npy").write_bytes(header(text) + bytes(24))
    with pytest.raises(ArtifactError, match=r"factors\.npy is damaged"):
        Factors.load(version)


def test_a_row_that_does_not_exist_is_damage(version):
    """The hash of a large table is not checked before a lookup."""
    path = version.folder / "keys.bin"
    content = bytearray(path.read_bytes())
    content[-3 * ENTRY.itemsize] = content[-2 * ENTRY.itemsize] = content[-ENTRY.itemsize] = 77
    path.write_bytes(content)
    with pytest.raises(ArtifactError) as refused:
        Factors.load(version).keys.find("air")
    assert refused.value.message.startswith(f"{path} is damaged: row 77 ")


def test_excluded_artists_are_loaded(save):
    """Under the keys of their names; none from an artifact that was made before the file existed."""
    excluded = Excluded.counted([("Björk", 2), ("Air", 1)], 3)
    version = save(Factors.of(np.ones((1, 1)), np.array([3]), ["x"], ["X"], excluded))
    loaded = Factors.load(version).excluded
    assert (loaded.min_listeners, loaded.listeners("bjork"), loaded.listeners("air"), loaded.listeners("b")) == (
        3,
        2,
        1,
        None,
    )
    del version.manifest.files["rare.bin"]
    assert Factors.load(version).excluded.listeners("air") is None
    (version.folder / "rare.bin").write_bytes((version.folder / "names.bin").read_bytes())
    with pytest.raises(ArtifactError, match=r"rare\.bin is damaged"):
        Excluded.load(version.folder / "rare.bin")


@pytest.fixture
def both(save, counted) -> Version:
    """Two communities by both cosines, saved."""
    return save(fit_all(counted, run("two-cosines"))[0])


def test_contexts_and_neighbours_are_loaded(both, counted):
    """They stay on the disk until they are used."""
    made, loaded = fit_all(counted, run("two-cosines"))[0], Factors.load(both)
    for name, field in product(("contexts", "neighbours"), ("artists", "values")):
        array = getattr(getattr(loaded, name), field)
        assert isinstance(array, np.memmap)
        assert array.tobytes() == getattr(getattr(made, name), field).tobytes()


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [("contexts", 59, "60 artists, 59 contexts"), ("contexts", 61, "61 contexts"), ("neighbours", 61, "61 neighbours")],
)
def test_contexts_and_neighbours_of_other_artists_are_refused(both, name, rows, message):
    """Fewer neighbours than artists are none of those."""
    for field in ("artists", "values"):
        path = both.folder / f"{name}_{field}.npy"
        np.save(path, np.resize(np.load(path), (rows, 2)))
    with pytest.raises(ArtifactError, match=message):
        Factors.load(both)


def test_neighbours_without_as_many_scores_are_refused(both):
    """With both shapes."""
    np.save(both.folder / "neighbours_values.npy", np.ones((60, 2), dtype=np.float32))
    with pytest.raises(ArtifactError, match=r"neighbours have the shapes \(60, 32\) and \(60, 2\)"):
        Factors.load(both)


@pytest.mark.parametrize("name", ["factors.npy", "names.bin", "ids.bin", "rare.bin"])
def test_a_missing_file_is_refused(version, name):
    """Named."""
    (version.folder / name).unlink()
    with pytest.raises(ArtifactError, match=rf"{name}\b.*(is missing|No such file)"):
        Factors.load(version)


def test_an_index_without_its_table_is_refused(version):
    """Names have none."""
    path = version.folder / "keys.bin"
    path.write_bytes((version.folder / "names.bin").read_bytes())
    with pytest.raises(ArtifactError) as refused:
        Factors.load(version)
    assert refused.value.message.startswith(f"{path} is damaged: its table ")


def test_keys_of_format_1_are_normalised_again(save):
    """It kept letters that do not decompose: "Łona" was not found by "lona"."""
    made = Factors.of(np.ones((3, 1)), np.array([5, 4, 3]), ["0", "1", "2"], ["Łona", "The The Band", "Þe Øm"])
    old_keys = [names.key(title, fold=False) for title in made.names.list()]
    excluded = Excluded(encoded(["mø"]) + np.array([3, 2], dtype=np.uint32).tobytes())
    version = save(replace(made, keys=StringIndex.of(old_keys), excluded=excluded))
    assert Factors.load(version).keys.list() == ["łona", "the band", "þe øm"]
    old = Version(version.folder, msgspec.structs.replace(version.manifest, format=1))
    loaded = Factors.load(old)
    assert loaded.keys.list() == made.keys.list() == ["lona", "the band", "om"]
    assert (loaded.keys.find("lona"), loaded.excluded.listeners("mo")) == ([0], 2)
