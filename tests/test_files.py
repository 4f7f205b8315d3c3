"""Files that appear complete or not at all."""

import os
from pathlib import Path

import pytest

from pozytywka_cli import files
from pozytywka_cli.errors import StorageError


def test_text_is_written_whole(tmp_path: Path) -> None:
    """Folders are made on the way, text is UTF-8, and nothing else stays."""
    target = tmp_path / "a" / "b.txt"
    files.write_text(target, "zażółć\n")
    files.write_text(target, "gęślą\n")
    assert target.read_bytes() == "gęślą\n".encode()
    assert list(target.parent.iterdir()) == [target]


def test_an_error_inside_leaves_the_old_file(tmp_path: Path) -> None:
    """What was half written vanishes."""
    target = tmp_path / "a.txt"
    files.write_text(target, "old")

    def half() -> None:
        with files.replacing(target) as temporary:
            temporary.write_text("new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
def test_a_failure_at_any_step_leaves_the_old_file(step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening, flushing and renaming may each fail."""
    target = tmp_path / "a.txt"
    files.write_text(target, "old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((Path, "replace", fail) if step == "replace" else (os, step, fail)))
    with pytest.raises(StorageError, match=r"^cannot write .*: No space left"):
        files.write_text(target, "new")
    monkeypatch.undo()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_bytes_are_flushed_before_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First the file's bytes, then the rename, then the folder's entries."""
    steps = []
    monkeypatch.setattr(files, "flush", lambda path: steps.append(("flush", path.name[:6])))
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda path, to: (steps.append(("rename", to.name)), replace(path, to))[1])
    files.write_text(tmp_path / "inside" / "a.txt", "text")
    assert steps == [("flush", ".a.txt"), ("rename", "a.txt"), ("flush", "inside")]


def test_the_hash_is_sha256(tmp_path: Path) -> None:
    """The hash of three known bytes, and of none."""
    (tmp_path / "abc").write_bytes(b"abc")
    (tmp_path / "none").write_bytes(b"")
    assert files.sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert files.sha256(tmp_path / "none") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_folder_is_replaced_at_once(tmp_path: Path) -> None:
    """The new folder takes the place of the old one, of which nothing stays; an error inside leaves the old one."""
    target = tmp_path / "a"
    for name in ("one", "two"):
        with files.replacing_folder(target) as new:
            (new / name).write_text(name)
    assert [path.name for path in target.iterdir()] == ["two"]

    def half() -> None:
        with files.replacing_folder(target) as new:
            (new / "three").write_text("three")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert [path.name for path in target.iterdir()] == ["two"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_cannot_be_renamed_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the last step fails, the old folder comes back."""
    target = tmp_path / "a"
    target.mkdir()
    (target / "old").touch()
    rename = Path.rename

    def fail(path: Path, to: Path) -> Path:
        if to == target and (path / "new").exists():
            raise OSError(28, "No space left on device")
        return rename(path, to)

    def replace() -> None:
        with files.replacing_folder(target) as new:
            (new / "new").touch()

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(StorageError, match="No space left"):
        replace()
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]
