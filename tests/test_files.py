"""Files that appear complete or not at all."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pozytywka_cli import files, temporaries
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


def replace_folder(target: Path, name: str) -> None:
    """Replace a folder by one with a single file."""
    with files.replacing_folder(target) as new:
        (new / name).touch()


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_folder_that_cannot_be_renamed_stays(
    can_exchange: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the last step fails, the old folder is in its place."""
    target = tmp_path / "a"
    replace_folder(target, "old")
    rename = Path.rename

    def full(*_: object) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_exchange", full if can_exchange else lambda *_: False)
    monkeypatch.setattr(Path, "rename", lambda path, to: full() if (path / "new").exists() else rename(path, to))
    with pytest.raises(StorageError, match="No space left"):
        replace_folder(target, "new")
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


class KillError(BaseException):
    """The process ends here."""


def killed(*_: object, **__: object) -> None:
    """Take the place of a step of the work, and of all tidying up after it."""
    raise KillError


def killed_folders(folder: Path, monkeypatch: pytest.MonkeyPatch, *, can_exchange: bool) -> Iterator[Path]:
    """Yield folders `a` that were to be replaced by one with `new`, killed before each rename in turn."""
    exchange, rename = files._exchange, Path.rename
    for step in range(2 if can_exchange else 3):
        target = folder / str(step) / "a"
        replace_folder(target, "old")
        left = [step]

        def counted(do: Callable[..., object], left: list[int] = left) -> Callable[..., object]:
            def run(*arguments: object) -> object:
                left[0] -= 1
                return killed() if left[0] < 0 else do(*arguments)

            return run

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", counted(rename))
            patch.setattr(files, "_exchange", counted(exchange) if can_exchange else lambda *_: False)
            patch.setattr(files, "flush", killed)
            patch.setattr(temporaries, "remove", killed)
            with suppress(KillError):
                replace_folder(target, "new")
        yield target


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_killed_replacement_is_completed_by_the_next(
    can_exchange: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever step came last, the next call sees the old folder or the new one, and leaves nothing else."""
    for target in killed_folders(tmp_path, monkeypatch, can_exchange=can_exchange):
        if can_exchange:
            assert [path.name for path in target.iterdir()] in (["old"], ["new"])
        with files.replacing_folder(target) as new:
            assert [path.name for path in target.iterdir()] in (["old"], ["new"])
            (new / "newest").touch()
        assert [path.name for path in target.iterdir()] == ["newest"]
        assert list(target.parent.iterdir()) == [target]


LEAVE = """
import os, sys
from pathlib import Path
from pozytywka_cli import files
with files.replacing(Path(sys.argv[1])) as path:
    path.write_text("half")
    os.kill(os.getpid(), 9)
"""


def test_the_next_writer_removes_what_a_killed_one_has_left(tmp_path: Path) -> None:
    """Of the same file only; the temporary file of a running writer stays, and is not mistaken for a leftover."""
    target, other = tmp_path / "a.txt", tmp_path / "b.txt"
    with files.replacing(target) as running:
        subprocess.run([sys.executable, "-c", LEAVE, str(target)], check=False)
        subprocess.run([sys.executable, "-c", LEAVE, str(other)], check=False)
        assert len(list(tmp_path.iterdir())) == 3
        files.write_text(target, "whole")
        [left] = set(tmp_path.iterdir()) - {target, running}
        assert left.name.startswith(".b.txt.")
        running.write_text("last")
    assert target.read_text() == "last"
    temporaries.remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("name", [".a.txt", ".a.txt.tmp", ".a.txt.1234567g.tmp", "a.txt.12345678.tmp"])
def test_other_hidden_files_are_no_leftovers(name: str, tmp_path: Path) -> None:
    """Only names that a writer makes are removed."""
    (tmp_path / name).touch()
    temporaries.remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / name]


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    """A pipe that nobody writes to is not waited for; a folder, a device and, on demand, a link are refused."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "link").symlink_to("a.txt")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises(OSError, match="not a regular file"):
            files.read_regular(path, limit=10)
    assert files.read_regular(tmp_path / "link", limit=4) == b"text"
    for options in ({"limit": 3}, {"limit": 4, "follow": False}):
        with pytest.raises(OSError, match=r"more than 3 bytes|symbolic link"):
            files.read_regular(tmp_path / "link", **options)  # type: ignore[arg-type]
