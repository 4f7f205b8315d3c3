"""Nothing half-written is ever visible: a second writer, a failed write, and a kill at any step."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer

import pytest

from pozytywka_cli import files, temporaries
from pozytywka_cli.artifacts import Store
from pozytywka_cli.errors import ArtifactError, BusyError, StorageError

from .versions import draft, origin


def test_a_second_writer_is_busy(store: Store) -> None:
    """The lock is held by one run at a time, and is free again after it, also after an error."""
    other = Store(store.root)
    with store.lock():
        with pytest.raises(BusyError) as raised, other.lock():
            pass
        assert raised.value.exit_code == 75
        assert str(store.root) in raised.value.message
    with pytest.raises(ZeroDivisionError), other.lock():
        raise ZeroDivisionError
    with store.lock():
        pass


def test_a_model_that_cannot_be_written_leaves_no_version(store: Store) -> None:
    """An error in a family's own writing leaves nothing behind."""
    promoted = store.save(origin(), draft()).name
    store.promote("demo", promoted)

    def write(folder: Path) -> None:
        (folder / "half.bin").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match=r"^cannot write .*: No space left"):
        store.save(origin(1), draft(write=write))
    assert [path.name for path in (store.root / "demo" / "versions").iterdir()] == [promoted]
    assert store.load("demo").name == promoted


class KillError(BaseException):
    """The process ends here."""


@contextmanager
def killed_at(step: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within, the step-th change to the disk does not happen, nor does any after it: no tidying up either."""
    left = [step]

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def run(*args: object, **options: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise KillError
            return real(*args, **options)

        return run

    with monkeypatch.context() as patch:
        for name in ("write_bytes", "write_text", "replace", "rename", "symlink_to", "mkdir", "unlink"):
            patch.setattr(Path, name, counted(getattr(Path, name)))
        patch.setattr(files, "flush", counted(files.flush))
        patch.setattr(files, "_exchange", counted(files._exchange))
        patch.setattr(temporaries, "remove", counted(temporaries.remove))
        yield


@pytest.mark.parametrize("action", ["save", "promote", "rollback", "prune"])
def test_a_kill_at_any_step_leaves_a_version_promoted(
    action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a kill every version is undamaged, one of them is promoted, and the same action then succeeds."""
    step = 0
    while True:
        store = Store(tmp_path / str(step))
        first = store.save(origin(0), draft(b"0")).name
        second = store.save(origin(1), draft(b"1")).name
        store.promote("demo", first)
        if action in ("rollback", "prune"):
            store.promote("demo", second)

        def act(store: Store = store, second: str = second) -> object:
            return {
                "save": lambda: store.save(origin(2), draft(b"2")),
                "promote": lambda: store.promote("demo", second),
                "rollback": lambda: store.rollback("demo"),
                "prune": lambda: store.prune("demo", 0),
            }[action]()

        before = store.promoted("demo")
        try:
            with killed_at(step, monkeypatch):
                act()
        except KillError:
            pass
        else:
            break
        promoted = store.promoted("demo")
        assert promoted in ((first, second) if action in ("promote", "rollback") else (before,))
        assert store.load("demo").name == promoted
        for name in store.names("demo"):
            store.load("demo", name)
        if action == "promote":
            assert store.promote("demo", second) == second
            assert store.rollback("demo") == first
        elif action == "rollback" and promoted == second:
            assert store.rollback("demo") == first
        step += 1
    assert step >= 2


def served(store: Store) -> list[str]:
    """The versions that repeated rollbacks lead back to, from the promoted one on."""
    names = [str(store.promoted("demo"))]
    with suppress(ArtifactError):
        while True:
            names.append(store.rollback("demo"))
    return names


@pytest.mark.parametrize("action", ["promote", "rollback"])
def test_after_a_kill_rollback_knows_what_was_promoted_before(
    action: str, three: tuple[str, str, str], store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At whichever step: the history is as it was before, or complete, also where a version is in it twice."""
    first, second, third = three
    before = [first, second, first]
    after = [third, *before] if action == "promote" else before[1:]
    for name in before:
        store.promote("demo", name)
    found, is_complete = [], False
    while not is_complete:
        copy = Store(tmp_path / str(len(found)))
        shutil.copytree(store.root, copy.root, symlinks=True)
        with suppress(KillError), killed_at(len(found), monkeypatch):
            copy.promote("demo", third) if action == "promote" else copy.rollback("demo")
            is_complete = True
        assert copy.was_promoted("demo", first)
        found.append(served(copy))
    assert all(history in (before, after) for history in found)
    assert found[0] == before
    assert found[-1] == after


def test_the_next_writer_removes_what_killed_runs_have_left(store: Store) -> None:
    """Wherever runs write in the artifacts folder, and nowhere else: versions and files of others stay."""
    name = store.save(origin(), draft()).name
    store.promote("demo", name)
    mine = [
        store.root / folder / f".{file}.0123abcd.tmp"
        for folder, file in (
            (".", "plays.parquet"),
            ("runs", "one.json"),
            ("predictions", "skip.parquet"),
            ("quarantine/bad", "users.jsonl"),
            ("demo", "served.json"),
            ("demo", "trials.jsonl"),
            ("demo/versions", name),
        )
    ]
    others = [store.root / "notes" / ".a.0123abcd.tmp", store.root / ".notes.tmp"]
    for path in [*mine, *others]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (store.root / "demo" / ".current.0123abcd.tmp").symlink_to("versions/nothing")
    half = store.root / "demo" / "versions" / ".half.0123abcd.tmp"
    half.mkdir()
    (half / "weights.bin").touch()
    with store.lock():
        pass
    assert sorted(store.root.rglob(".*.tmp")) == sorted(others)
    assert store.load("demo").name == name


def test_the_temporary_file_of_a_running_writer_stays(store: Store) -> None:
    """One that writes without the lock, such as predictions or trials, while another run takes the lock."""
    target = store.root / "predictions" / "skip.parquet"
    with files.replacing(target) as path:
        path.write_bytes(b"half")
        with store.lock():
            assert path.read_bytes() == b"half"
    assert target.read_bytes() == b"half"


def test_a_training_blocks_one_of_the_same_family_only(store: Store) -> None:
    """A second training of the family is busy; versions are promoted and rolled back meanwhile."""
    with store.training("demo"):
        with pytest.raises(BusyError, match="demo"), store.training("demo"):
            pass
        with store.training("other"), store.lock():
            pass
    with store.training("demo"):
        pass


def test_a_lock_can_be_waited_for(store: Store) -> None:
    """As soon as the other run has ended; without waiting it is busy."""
    script = "import sys; from pozytywka_cli.artifacts import Store; from pathlib import Path\n"
    script += "with Store(Path(sys.argv[1])).lock(): print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(store.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        other.stdout.readline()
        with pytest.raises(BusyError), store.lock():
            pass
        Timer(0.1, other.stdin.close).start()
        with store.lock(wait=True):
            assert other.wait() == 0


@pytest.mark.parametrize("place", ["file", "/proc/pozytywka", "/dev/null", "link", "folder"])
def test_a_place_that_cannot_hold_a_lock(place: str, tmp_path: Path) -> None:
    """A StorageError with the reason, not "busy": trying again would not help."""
    (tmp_path / "file").touch()
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / ".lock").symlink_to("nowhere")
    (tmp_path / "folder" / ".lock").mkdir(parents=True)
    store = Store(tmp_path / place)
    with pytest.raises(StorageError, match=re.escape(str(store.root))), store.lock():
        pass
