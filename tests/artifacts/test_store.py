"""The artifacts folder: what is saved is loaded, damage is named, and a kill leaves the old version serving."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pozytywka_cli import files
from pozytywka_cli.artifacts import Draft, Origin, Store, Version
from pozytywka_cli.artifacts.manifest import MEND
from pozytywka_cli.errors import ArtifactError, BusyError, StorageError, UsageError
from pozytywka_cli.records import Gate, Input, Row

FORMAT_1 = Path(__file__).parent / "data" / "format-1"
FILES = ["card.md", "manifest.json", "metrics.json", "weights.bin"]
METRICS = [
    Row("demo", "net", "time split", "log_loss", 0.5, 0.4, 0.6),
    Row("demo", "mean", "time split", "log_loss", 0.7),
]


def origin(seed: int = 0) -> Origin:
    return Origin("demo", "net", {"epochs": 3}, seed, "cpu", "2024-01-01", [Input("plays.parquet", "ab" * 32, 10, 2)])


def draft(content: bytes = b"weights", **changes: object) -> Draft:
    plain = {
        "variant": "net",
        "write": lambda folder: (folder / "weights.bin").write_bytes(content),
        "signature": {"inputs": {"user_id": "int64"}, "outputs": {"probability": "float64"}},
        "metrics": METRICS,
        "question": "Does it work?",
        "protocol": "It was run.",
        "use": "To test.",
        "not_for": "To serve.",
        "limits": "Knows nothing.",
        "glossary": {"net": "a network"},
    }
    return Draft(**{**plain, **changes})  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "artifacts")


@pytest.fixture
def three(store: Store) -> tuple[str, str, str]:
    """Three versions, oldest first, of which none serves."""
    names = [store.save(origin(seed), draft(str(seed).encode())).name for seed in range(3)]
    for number, name in enumerate(names):  # saved within a second, so given distinct times here
        old = store.root / "demo" / "versions" / name
        new = old.with_name(f"2024010{number + 1}T000000Z-{name[-8:]}")
        old.rename(new)
        manifest = json.loads((new / "manifest.json").read_text())
        (new / "manifest.json").write_text(json.dumps({**manifest, "version": new.name}))
    first, second, third = store.names("demo")
    return first, second, third


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(ArtifactError) as raised:
        call()
    assert raised.value.exit_code == 4
    return raised.value.message


def test_what_is_saved_is_loaded(store: Store) -> None:
    """A version comes back with its files, and is in nobody's way before it is promoted."""
    gate = Gate("log_loss", 0.5, 0.7, "mean", -0.2, -0.3, -0.1, 0.001)
    saved = store.save(origin(), draft(gate=gate, notes=["A note."], epochs=[{"epoch": 1, "loss": 0.5}]))
    assert store.names("demo") == [saved.name]
    assert store.serving("demo") is None
    loaded = store.load("demo", saved.name)
    assert loaded == saved
    assert sorted(path.name for path in loaded.folder.iterdir()) == FILES
    assert (loaded.folder / "weights.bin").read_bytes() == b"weights"
    manifest = loaded.manifest
    assert (manifest.format, manifest.family, manifest.variant, manifest.version) == (1, "demo", "net", saved.name)
    assert (manifest.seed, manifest.device, manifest.until, manifest.settings) == (
        0,
        "cpu",
        "2024-01-01",
        {"epochs": 3},
    )
    assert (manifest.metrics, manifest.gate, manifest.notes, manifest.parent) == (METRICS, gate, ["A note."], None)
    assert manifest.inputs == origin().inputs
    assert sorted(manifest.files) == ["card.md", "metrics.json", "weights.bin"]
    assert manifest.libraries.keys() == {"pozytywka", "polars", "numpy", "torch", "scikit-learn", "implicit"}
    assert saved.name == f"{manifest.created.replace('-', '').replace(':', '')}-{manifest.fingerprint[:8]}"
    metrics = json.loads((loaded.folder / "metrics.json").read_text())
    assert metrics["epochs"] == [{"epoch": 1, "loss": 0.5}]
    assert metrics["rows"][1] == {
        "family": "demo",
        "variant": "mean",
        "protocol": "time split",
        "metric": "log_loss",
        "value": 0.7,
        "low": None,
        "high": None,
    }


def test_manifests_hold_no_code(store: Store) -> None:
    """Nothing in a manifest names a class, a module or a path of the machine that made it."""
    folder = store.save(origin(), draft()).folder
    text = (folder / "manifest.json").read_text()
    for word in ("__", "pozytywka_cli", "class", "module", "import", "pickle", "trust", "/"):
        assert word not in text


def test_the_same_run_twice_within_a_second(store: Store) -> None:
    """Each run has its own version, and names sort by time."""
    names = [store.save(origin(), draft()).name for _ in range(3)]
    assert len(set(names)) == 3
    assert store.names("demo") == names
    assert [store.load("demo", name).name for name in names] == names


def test_a_run_knows_whether_it_was_made_before(store: Store) -> None:
    """The fingerprint holds inputs, settings, seed, device and code; a damaged version does not count."""
    saved = store.save(origin(), draft())
    assert store.same(origin()) == saved
    assert store.same(origin(seed=1)) is None
    (saved.folder / "weights.bin").write_bytes(b"Weights")
    assert store.same(origin()) is None


@pytest.mark.parametrize("name", ["weights.bin", "card.md", "metrics.json"])
def test_damaged_files_are_named(name: str, store: Store) -> None:
    """Missing, of another size, or one bit flipped: the message names the file and what is wrong."""
    version = store.save(origin(), draft())
    path = version.folder / name
    content = path.read_bytes()

    def load() -> Version:
        return store.load("demo", version.name)

    path.unlink()
    assert refused(load) == f"{path} is missing"
    path.write_bytes(content + b"x")
    size = len(content)
    assert refused(load) == f"{path} is damaged: it has {size + 1} bytes, and {size} were written"
    path.write_bytes(b"")
    assert refused(load) == f"{path} is damaged: it has 0 bytes, and {size} were written"
    for position in (0, size // 2, size - 1):
        flipped = bytearray(content)
        flipped[position] ^= 1
        path.write_bytes(flipped)
        assert refused(load) == f"{path} is damaged: its SHA-256 differs from the manifest's"
    path.write_bytes(content)
    assert load() == version


def test_damaged_manifests_are_named(store: Store) -> None:
    """Missing, cut anywhere, of a newer format, with an unknown key: the message names the manifest."""
    version = store.save(origin(), draft())
    path = version.folder / "manifest.json"
    content = path.read_bytes()

    def load() -> Version:
        return store.load("demo", version.name)

    for length in range(0, len(content) - 2, 7):
        path.write_bytes(content[:length])
        assert refused(load).startswith(f"{path} is damaged: ")
    path.write_bytes(content.replace(b'"format": 1', b'"format": 2'))
    with pytest.raises(ArtifactError) as raised:
        load()
    assert raised.value.message == f"{path} has format 2, and this pozytywka reads up to 1"
    assert raised.value.hint == "Upgrade pozytywka, or train again."
    path.write_bytes(content.replace(b'"format": 1', b'"format": 1, "classes": []'))
    assert refused(load) == f"{path} is damaged: Object contains unknown field `classes`"
    path.unlink()
    with pytest.raises(ArtifactError) as raised:
        load()
    assert (raised.value.message, raised.value.hint) == (f"{path} is missing", MEND)


def test_a_flipped_byte_in_a_manifest_never_crashes(store: Store) -> None:
    """Whichever byte is damaged: either the manifest still reads, or the error is one of artifacts."""
    version = store.save(origin(), draft())
    path = version.folder / "manifest.json"
    content = path.read_bytes()
    for position in range(0, len(content), 3):
        for flip in (1, 0x80):
            flipped = bytearray(content)
            flipped[position] ^= flip
            path.write_bytes(flipped)
            with suppress(ArtifactError):
                store.load("demo", version.name)


def test_a_lookup_hashes_small_files_only(store: Store) -> None:
    """Past `hash_limit` only the size is checked."""
    version = store.save(origin(), draft(b"x" * 1000))
    (version.folder / "weights.bin").write_bytes(b"y" * 1000)
    assert store.load("demo", version.name, hash_limit=999) == version
    for limit in (1000, None):
        with pytest.raises(ArtifactError, match="SHA-256 differs"):
            store.load("demo", version.name, hash_limit=limit)
    (version.folder / "weights.bin").write_bytes(b"y" * 999)
    with pytest.raises(ArtifactError, match="it has 999 bytes, and 1000 were written"):
        store.load("demo", version.name, hash_limit=10)


def test_nothing_there(store: Store) -> None:
    """The message says how to get a model."""
    with pytest.raises(ArtifactError) as raised:
        store.load("demo")
    assert raised.value.message == f"no demo model in {store.root}"
    assert raised.value.hint == "Make one with `pozytywka train demo`."
    assert (store.names("demo"), store.serving("demo")) == ([], None)


def test_versions_are_named_by_their_beginning_or_end(store: Store, three: tuple[str, str, str]) -> None:
    """As long as one version is meant."""
    first, second, _ = three
    assert store.resolve("demo", first) == first
    assert store.resolve("demo", "20240102") == second
    assert store.resolve("demo", second[-8:]) == second
    assert refused(lambda: store.resolve("demo", "2024")) == "'2024' could be several versions of demo"
    assert refused(lambda: store.resolve("demo", "2025")) == "'2025' is no version of demo"


def test_an_empty_name_is_no_version(store: Store) -> None:
    """As an unset variable gives one; not even where there is but one version."""
    store.save(origin(), draft())
    assert refused(lambda: store.promote("demo", "")) == "'' is no version of demo"


def test_whoever_may_read_one_file_of_a_version_may_read_all(store: Store) -> None:
    """Whatever a library made of the one that it wrote: others use what a cron job has trained."""

    def secretive(folder: Path) -> None:
        (folder / "weights.bin").touch(mode=0o600)

    version = store.save(origin(), draft(write=secretive))
    assert len({path.stat().st_mode for path in version.folder.iterdir()}) == 1


def test_promote_and_roll_back(store: Store, three: tuple[str, str, str]) -> None:
    """Each rollback goes one step back, and ends where nothing served before."""
    first, second, third = three
    for name in (first, second, second, third):
        assert store.promote("demo", name) == name
        assert store.serving("demo") == name
        assert store.load("demo").name == name
    assert store.rollback("demo") == second
    assert store.rollback("demo") == first
    assert refused(lambda: store.rollback("demo")) == "no other demo model served before"
    assert store.serving("demo") == first
    assert store.promote("demo", "20240103") == third
    assert store.rollback("demo") == first


def test_nothing_to_roll_back_to(store: Store, three: tuple[str, str, str]) -> None:
    """Where nothing ever served, and where only one did."""
    assert refused(lambda: store.rollback("demo")) == "no other demo model served before"
    store.promote("demo", three[0])
    assert refused(lambda: store.rollback("demo")) == "no other demo model served before"


def test_damaged_versions_are_not_served(store: Store, three: tuple[str, str, str]) -> None:
    """Neither promoted nor rolled back to; from a damaged version one can roll back."""
    first, second, third = three
    store.promote("demo", first)
    store.promote("demo", second)
    for name, call in ((third, lambda: store.promote("demo", third)), (first, lambda: store.rollback("demo"))):
        path = store.root / "demo" / "versions" / name / "weights.bin"
        content = path.read_bytes()
        path.write_bytes(b"damage")
        assert refused(call) == f"{path} is damaged: it has 6 bytes, and 1 were written"
        assert store.serving("demo") == second
        path.write_bytes(content)
    (store.root / "demo" / "versions" / second / "manifest.json").write_text("{")
    assert store.rollback("demo") == first


def test_prune(store: Store, three: tuple[str, str, str]) -> None:
    """The newest stay, and what serves; a rollback passes over what went."""
    first, second, third = three
    for name in (first, second, third, first):
        store.promote("demo", name)
    assert store.prune("demo", 3) == []
    assert store.prune("demo", 1) == [second]
    assert store.names("demo") == [first, third]
    assert store.rollback("demo") == third
    assert store.rollback("demo") == first
    assert store.prune("demo", 0) == [third]
    assert store.names("demo") == [first]
    assert refused(lambda: store.rollback("demo")) == "no other demo model served before"
    assert [path.name for path in (store.root / "demo" / "versions").iterdir()] == [first]
    with pytest.raises(UsageError, match="--keep -1 is negative"):
        store.prune("demo", -1)


def test_a_second_writer_is_busy(store: Store) -> None:
    """The lock is held by one run at a time, and is free again after it, also after an error."""
    other = Store(store.root)
    with store.lock():
        with pytest.raises(BusyError) as raised, other.lock():
            pass
        assert raised.value.exit_code == 75
        assert raised.value.message == f"another run is writing to {store.root}"
        assert raised.value.hint == "Try again when it has ended."
    with pytest.raises(ZeroDivisionError), other.lock():
        raise ZeroDivisionError
    with store.lock():
        pass


def test_a_model_that_cannot_be_written_leaves_no_version(store: Store) -> None:
    """An error in a family's own writing leaves nothing behind."""
    served = store.save(origin(), draft()).name
    store.promote("demo", served)

    def write(folder: Path) -> None:
        (folder / "half.bin").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match=r"^cannot write .*: No space left"):
        store.save(origin(1), draft(write=write))
    assert [path.name for path in (store.root / "demo" / "versions").iterdir()] == [served]
    assert store.load("demo").name == served


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
        for name in ("write_bytes", "write_text", "replace", "symlink_to", "mkdir", "unlink"):
            patch.setattr(Path, name, counted(getattr(Path, name)))
        patch.setattr(files, "flush", counted(files.flush))
        patch.setattr(shutil, "rmtree", counted(shutil.rmtree))
        yield


@pytest.mark.parametrize("action", ["save", "promote", "rollback", "prune"])
def test_a_kill_at_any_step_leaves_a_version_serving(
    action: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a kill every version is whole, one of them serves, and the same action then succeeds."""
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

        before = store.serving("demo")
        try:
            with killed_at(step, monkeypatch):
                act()
        except KillError:
            pass
        else:
            break
        serving = store.serving("demo")
        assert serving in ((first, second) if action in ("promote", "rollback") else (before,))
        assert store.load("demo").name == serving
        for name in store.names("demo"):
            store.load("demo", name)
        if action == "promote":
            assert store.promote("demo", second) == second
            assert store.rollback("demo") == first
        elif action == "rollback" and serving == second:
            assert store.rollback("demo") == first
        step += 1
    assert step >= 2


def test_a_kill_between_the_renames_does_not_mislead_rollback(store: Store, three: tuple[str, str, str]) -> None:
    """A version that was about to serve, and never did, is nothing to roll back to."""
    first, second, third = three
    store.promote("demo", first)
    store.promote("demo", second)
    (store.root / "demo" / "served.json").write_text(json.dumps([first, second, third]))
    assert store.rollback("demo") == first
    store.promote("demo", second)
    (store.root / "demo" / "served.json").write_text(json.dumps([first]))
    store.promote("demo", third)
    assert store.rollback("demo") == second


def test_a_damaged_history_is_named(store: Store, three: tuple[str, str, str]) -> None:
    """Only `rollback` needs it, and the hint says so."""
    store.promote("demo", three[0])
    path = store.root / "demo" / "served.json"
    path.write_text("[")
    with pytest.raises(ArtifactError) as raised:
        store.rollback("demo")
    assert raised.value.message.startswith(f"{path} is damaged: ")
    assert raised.value.hint == "Remove it; what served before is then forgotten."


@pytest.mark.parametrize("file", ["served.json", "withdrawn.json"])
def test_a_damaged_history_lets_every_version_have_served(file: str, store: Store, three: tuple[str, str, str]) -> None:
    """What was rolled back must not come again; so nothing that serves is changed for the loss."""
    first, second, third = three
    store.promote("demo", first)
    store.promote("demo", second)
    assert not store.has_served("demo", third)
    (store.root / "demo" / file).write_text("[")
    assert all(store.has_served("demo", name) for name in three)


@pytest.mark.parametrize("family", ["demo", "other"])
def test_a_folder_of_another_version_is_refused(family: str, store: Store, three: tuple[str, str, str]) -> None:
    """A copy under another name, or in another family's place, can neither be loaded nor serve."""
    whole = store.root / "demo" / "versions" / three[0]
    copy = store.root / family / "versions" / ("copy" if family == "demo" else three[0])
    shutil.copytree(whole, copy)
    problem = f"{copy} is no {family} version of that name: it holds demo {three[0]}"
    assert refused(lambda: store.load(family, copy.name)) == problem
    assert refused(lambda: store.promote(family, copy.name)) == problem
    assert (copy.name, problem) in store.verified(family)
    assert store.serving(family) is None


def test_each_version_is_verified_once(store: Store, three: tuple[str, str, str]) -> None:
    """And `current` only where it is none of them."""
    first, second, third = three
    store.promote("demo", second)
    (store.root / "demo" / "versions" / second / "weights.bin").unlink()
    found = dict(store.verified("demo"))
    assert [name for name, problem in found.items() if problem] == [second]
    assert list(found) == [first, second, third]
    shutil.rmtree(store.root / "demo" / "versions" / second)
    assert [name for name, problem in store.verified("demo") if problem] == ["current"]


def test_format_1_stays_readable() -> None:
    """An artifact that was stored when format 1 was new."""
    version = Store(FORMAT_1).load("demo")
    assert (version.manifest.format, version.manifest.variant, version.manifest.seed) == (1, "net", 0)
    assert (version.folder / "weights.bin").read_bytes() == b"weights"
    assert version.manifest.metrics == METRICS
    assert version.manifest.gate == Gate("log_loss", 0.5, 0.7, "mean", -0.2, -0.3, -0.1, 0.001)
