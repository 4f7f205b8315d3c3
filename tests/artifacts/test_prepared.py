"""What is prepared for a version: written whole, known to be current, opened while it is replaced."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pozytywka_cli.artifacts import CardText, Draft, Origin, Store, Version, prepared
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.records import Input

INPUTS = [Input("sessions.jsonl", "0" * 64, 12, 3)]
TEXT = CardText("Will it rain?", "On later days.", "Umbrellas.", "Dams.", "No snow.", {})


@pytest.fixture
def version(tmp_path: Path) -> Version:
    """A saved version."""
    draft = Draft("net", lambda folder: (folder / "weights").write_bytes(b"1"), {}, [], TEXT)
    store = Store(tmp_path)
    return store.load("demo", store.save(Origin("demo", "net", {}, 0, "cpu", None, []), draft).name)


def content(text: str) -> Callable[[Path], None]:
    """Write two files with this text."""
    return lambda folder: [(folder / name).write_text(text) for name in ("a.txt", "b.txt")] and None


def read(folder: Path) -> list[str]:
    """Read both files."""
    return [(folder / name).read_text() for name in ("a.txt", "b.txt")]


def test_what_was_written_is_opened(version: Version):
    """With the inputs, and the hashes of all files."""
    assert prepared.current(version, "code") is None
    prepared.write(version, "code", INPUTS, content("one"))
    known, opened = prepared.opened(version, "code", read)
    assert opened == ["one", "one"]
    assert known == prepared.current(version, "code")
    assert (known.version, known.inputs, set(known.files)) == (version.name, INPUTS, {"a.txt", "b.txt"})


def test_other_code_prepared_nothing(version: Version):
    """Nor has another version, and a file that cannot be read."""
    prepared.write(version, "code", INPUTS, content("one"))
    assert prepared.current(version, "other code") is None
    path = version.prepared / prepared.FILE
    for text in (path.read_text().replace(version.name, "another"), "{", "[]", ""):
        path.write_text(text)
        assert prepared.current(version, "code") is None
        with pytest.raises(ArtifactError, match="nothing is prepared") as refused:
            prepared.opened(version, "code", read)
        assert "models prepare" in refused.value.hint


def test_an_error_while_preparing_leaves_what_was_there(version: Version):
    """Nothing half-written is ever visible, and no temporary folder stays."""
    prepared.write(version, "code", INPUTS, content("one"))

    def failing(folder: Path) -> None:
        content("two")(folder)
        raise KeyError("two")

    with pytest.raises(KeyError):
        prepared.write(version, "code", INPUTS, failing)
    assert prepared.opened(version, "code", read)[1] == ["one", "one"]
    assert [path.name for path in version.prepared.parent.iterdir()] == [version.name]


@pytest.mark.parametrize("damage", [b"tow", b"on", None])
def test_damage_names_the_file(version: Version, damage: bytes | None):
    """Another content of the same size, another size, or no file."""
    prepared.write(version, "code", INPUTS, content("one"))
    path = version.prepared / "b.txt"
    path.unlink() if damage is None else path.write_bytes(damage)
    with pytest.raises(ArtifactError, match=r"b\.txt"):
        prepared.opened(version, "code", read)


def test_a_folder_that_is_replaced_while_it_is_read_is_read_again(version: Version):
    """What is returned is all of one writing, with its own description; also where a reader fails half-way."""
    prepared.write(version, "code", INPUTS, content("one"))
    others = iter(("two", "three", None))

    def slow(folder: Path) -> list[str]:
        first = (folder / "a.txt").read_text()
        if text := next(others):
            prepared.write(version, "code", [*INPUTS, Input(text, "1" * 64, 1, 1)], content(text))
        if text == "three":
            raise OSError("the file is gone")
        return [first, (folder / "b.txt").read_text()]

    known, opened = prepared.opened(version, "code", slow)
    assert opened == ["three", "three"]
    assert known.inputs[-1].name == "three"
