"""Nothing half-written is ever visible: a second writer, a failed write, and a kill at any step."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pozytywka_cli import files
from pozytywka_cli.artifacts import Store
from pozytywka_cli.errors import BusyError, StorageError

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
        patch.setattr(shutil, "rmtree", counted(shutil.rmtree))
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
