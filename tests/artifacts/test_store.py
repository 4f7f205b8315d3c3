"""The artifacts folder: saving and loading, damage, promotion and rollback, and kills at any step."""

import json
import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from pozytywka_cli import files
from pozytywka_cli.artifacts import CardText, Draft, Manifest, Origin, Store, Version
from pozytywka_cli.artifacts.manifest import read_manifest, write_manifest
from pozytywka_cli.errors import ArtifactError, BusyError, StorageError
from pozytywka_cli.records import Gate, Input, Row

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
        "card": CardText("Does it work?", "It was run.", "Tests.", "Predictions.", "Knows nothing.", {}),
    }
    return Draft(**{**plain, **changes})  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "artifacts")


@pytest.fixture
def three(store: Store) -> tuple[str, str, str]:
    """Three versions, oldest first; none is promoted."""
    names = [store.save(origin(seed), draft(str(seed).encode())).name for seed in range(3)]
    for number, name in enumerate(names):  # saved within a second, so given distinct times here
        old = store.root / "demo" / "versions" / name
        new = old.with_name(f"2024010{number + 1}T000000Z-{name[-8:]}")
        old.rename(new)
        write_manifest(new, msgspec.structs.replace(read_manifest(new, "demo", name), version=new.name))
    first, second, third = store.names("demo")
    return first, second, third


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(ArtifactError) as raised:
        call()
    assert raised.value.exit_code == 4
    return raised.value.message


def test_a_saved_version_is_loaded(store: Store) -> None:
    """A version is loaded with its files and its manifest, and is not promoted by itself."""
    gate = Gate("log_loss", 0.5, 0.7, "mean", -0.2, -0.3, -0.1, 0.001)
    saved = store.save(origin(), draft(gate=gate, notes=["A note."], epochs=[{"epoch": 1, "loss": 0.5}]))
    assert store.names("demo") == [saved.name]
    assert store.promoted("demo") is None
    loaded = store.load("demo", saved.name)
    assert loaded == saved
    assert sorted(path.name for path in loaded.folder.iterdir()) == FILES
    assert (loaded.folder / "weights.bin").read_bytes() == b"weights"
    manifest = loaded.manifest
    assert (manifest.format, manifest.family, manifest.variant, manifest.version) == (2, "demo", "net", saved.name)
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
        "p_value": None,
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


def test_an_earlier_run_of_the_same_origin_is_found(store: Store) -> None:
    """The fingerprint covers the seed and the code; a damaged version does not count."""
    saved = store.save(origin(), draft())
    assert store.same(origin()) == saved
    assert store.same(origin(seed=1)) is None
    assert store.same(msgspec.structs.replace(origin(), code="changed")) is None
    (saved.folder / "weights.bin").write_bytes(b"Weights")
    assert store.same(origin()) is None


@pytest.mark.parametrize("name", ["weights.bin", "card.md", "metrics.json"])
def test_damaged_files_are_named(name: str, store: Store) -> None:
    """Missing, of another size, or one bit flipped: the message names the file and the problem."""
    version = store.save(origin(), draft())
    path = version.folder / name
    content = path.read_bytes()

    def load() -> Version:
        return store.load("demo", version.name)

    path.unlink()
    assert refused(load) == f"{path} is missing"
    path.write_bytes(content + b"x")
    size = len(content)
    assert refused(load).startswith(f"{path} is damaged: it has {size + 1} bytes")
    path.write_bytes(b"")
    assert refused(load).startswith(f"{path} is damaged: it has 0 bytes")
    for position in (0, size // 2, size - 1):
        flipped = bytearray(content)
        flipped[position] ^= 1
        path.write_bytes(flipped)
        assert refused(load).startswith(f"{path} is damaged: its SHA-256")
    path.write_bytes(content)
    assert load() == version


def test_damaged_manifests_are_named(store: Store) -> None:
    """Missing, truncated, with an unknown key, or a folder: the message names the manifest."""
    version = store.save(origin(), draft())
    path = version.folder / "manifest.json"
    content = path.read_bytes()

    def load() -> Version:
        return store.load("demo", version.name)

    for length in range(0, len(content) - 2, 7):
        path.write_bytes(content[:length])
        assert refused(load).startswith(f"{path} is damaged: ")
    path.write_bytes(content.replace(b'"format": 2', b'"format": 2, "classes": []'))
    assert refused(load).startswith(f"{path} is damaged: ")
    path.unlink()
    assert refused(load) == f"{path} is missing"
    path.mkdir()
    assert refused(load).startswith(f"{path} is damaged: ")


def test_a_newer_format_is_refused(store: Store) -> None:
    """With its number, the newest one that can be read, and what to do; whatever else the manifest holds."""
    version = store.save(origin(), draft())
    path = version.folder / "manifest.json"
    path.write_bytes(b'{"format": 3, "new": []}')
    with pytest.raises(ArtifactError, match=r"has format 3.* up to 2$") as raised:
        store.load("demo", version.name)
    assert "Upgrade" in raised.value.hint


def test_any_flipped_bit_of_a_manifest_is_found(store: Store) -> None:
    """A manifest with one bit flipped is either refused or, where the bit is in its white space, read as it was."""
    version = store.save(origin(), draft())
    path = version.folder / "manifest.json"
    content = path.read_bytes()
    for position in range(len(content)):
        for bit in (1, 2, 0x80):
            flipped = bytearray(content)
            flipped[position] ^= bit
            path.write_bytes(flipped)
            with suppress(ArtifactError):
                assert store.load("demo", version.name).manifest == version.manifest


def test_an_edited_digit_is_found(store: Store) -> None:
    """A metric, the seed or a setting changed by hand: the content does not match the digest."""
    version = store.save(origin(), draft())
    path = version.folder / "manifest.json"
    content = path.read_text()
    for old, new in (('"value": 0.7', '"value": 0.2'), ('"seed": 0', '"seed": 1'), ('"epochs": 3', '"epochs": 4')):
        path.write_text(content.replace(old, new))
        assert refused(lambda: store.load("demo", version.name)).startswith(f"{path} is damaged: ")
    path.write_text(json.dumps(json.loads(content)))
    assert store.load("demo", version.name) == version


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_come_back_as_nan(number: float, store: Store) -> None:
    """In a metric, its interval or a gate: the version stays loadable, and NaN is null in its files."""
    rows = [Row("demo", "net", "time split", "log_loss", number, number, number, number)]
    gate = Gate("log_loss", number, 0.7, "mean", number, number, number, 0.001)
    saved = store.save(origin(), draft(metrics=rows, gate=gate, epochs=[{"loss": number}]))
    loaded = store.load("demo", saved.name).manifest
    assert math.isnan(loaded.metrics[0].value)
    assert loaded.gate is not None
    assert all(math.isnan(value) for value in (loaded.gate.value, loaded.gate.difference, loaded.gate.low))
    assert not loaded.gate.passed
    assert loaded.gate.baseline == 0.7
    assert json.loads((saved.folder / "manifest.json").read_text())["metrics"][0]["value"] is None
    assert store.promote("demo", saved.name) == saved.name
    assert store.verified("demo") == [(saved.name, None)]


def test_a_version_that_cannot_be_read_back_is_not_saved(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that returns other bytes than were written, and a manifest that does not decode: nothing appears."""

    def half(folder: Path, manifest: Manifest) -> None:
        write_manifest(folder, manifest)
        (folder / "weights.bin").write_bytes(b"Weights")

    for broken in (half, lambda folder, _: (folder / "manifest.json").write_text('{"format": 2}')):
        with monkeypatch.context() as patch:
            patch.setattr("pozytywka_cli.artifacts.store.write_manifest", broken)
            assert "cannot be read back" in refused(lambda: store.save(origin(), draft()))
        assert list((store.root / "demo" / "versions").iterdir()) == []


def test_a_lookup_hashes_small_files_only(store: Store) -> None:
    """Past `hash_limit` only the size is checked."""
    version = store.save(origin(), draft(b"x" * 1000))
    (version.folder / "weights.bin").write_bytes(b"y" * 1000)
    assert store.load("demo", version.name, hash_limit=999) == version
    for limit in (1000, None):
        with pytest.raises(ArtifactError, match="SHA-256"):
            store.load("demo", version.name, hash_limit=limit)
    (version.folder / "weights.bin").write_bytes(b"y" * 999)
    with pytest.raises(ArtifactError, match="it has 999 bytes"):
        store.load("demo", version.name, hash_limit=10)


def test_nothing_is_promoted(store: Store) -> None:
    """The message says how to train a model, and how to promote one if there is any."""
    assert (store.names("demo"), store.promoted("demo")) == ([], None)
    for commands in (["pozytywka train demo"], ["pozytywka train demo", "pozytywka models promote demo"]):
        with pytest.raises(ArtifactError) as raised:
            store.load("demo")
        assert str(store.root) in raised.value.message
        assert all(command in raised.value.hint for command in commands)
        assert raised.value.hint.count("`pozytywka") == len(commands)
        store.save(origin(), draft())


def test_versions_are_named_by_their_beginning_or_end(store: Store, three: tuple[str, str, str]) -> None:
    """As long as exactly one version matches."""
    first, second, _ = three
    assert store.resolve("demo", first) == first
    assert store.resolve("demo", "20240102") == second
    assert store.resolve("demo", second[-8:]) == second
    assert "'2024'" in refused(lambda: store.resolve("demo", "2024"))
    assert "'2025'" in refused(lambda: store.resolve("demo", "2025"))


def test_an_empty_name_is_no_version(store: Store) -> None:
    """An unset shell variable gives one; it is refused even where there is only one version."""
    store.save(origin(), draft())
    assert "''" in refused(lambda: store.promote("demo", ""))


def test_all_files_of_a_version_have_the_same_permissions(store: Store) -> None:
    """Even if a library writes a private one: other users predict with what a cron job has trained."""

    def secretive(folder: Path) -> None:
        (folder / "weights.bin").touch(mode=0o600)

    version = store.save(origin(), draft(write=secretive))
    assert len({path.stat().st_mode for path in version.folder.iterdir()}) == 1


def test_promote_and_roll_back(store: Store, three: tuple[str, str, str]) -> None:
    """Each rollback goes one promotion back, until none is left."""
    first, second, third = three
    for name in (first, second, second, third):
        assert store.promote("demo", name) == name
        assert store.promoted("demo") == name
        assert store.load("demo").name == name
    assert store.rollback("demo") == second
    assert store.rollback("demo") == first
    assert "no other demo version" in refused(lambda: store.rollback("demo"))
    assert store.promoted("demo") == first
    assert store.promote("demo", "20240103") == third
    assert store.rollback("demo") == first


def test_nothing_to_roll_back_to(store: Store, three: tuple[str, str, str]) -> None:
    """Where nothing was ever promoted, and where only one version was."""
    assert "no other demo version" in refused(lambda: store.rollback("demo"))
    store.promote("demo", three[0])
    assert "no other demo version" in refused(lambda: store.rollback("demo"))


def test_damaged_versions_are_not_promoted(store: Store, three: tuple[str, str, str]) -> None:
    """Neither promoted nor rolled back to; from a damaged version one can roll back."""
    first, second, third = three
    store.promote("demo", first)
    store.promote("demo", second)
    for name, call in ((third, lambda: store.promote("demo", third)), (first, lambda: store.rollback("demo"))):
        path = store.root / "demo" / "versions" / name / "weights.bin"
        content = path.read_bytes()
        path.write_bytes(b"damage")
        assert refused(call).startswith(f"{path} is damaged: it has 6 bytes")
        assert store.promoted("demo") == second
        path.write_bytes(content)
    (store.root / "demo" / "versions" / second / "manifest.json").write_text("{")
    assert store.rollback("demo") == first


def test_prune(store: Store, three: tuple[str, str, str]) -> None:
    """The newest versions and the promoted one stay; a rollback skips those that were removed."""
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
    assert "no other demo version" in refused(lambda: store.rollback("demo"))
    assert [path.name for path in (store.root / "demo" / "versions").iterdir()] == [first]


def test_prune_removes_nothing_where_nothing_is_promoted(store: Store, three: tuple[str, str, str]) -> None:
    """Nothing was promoted: nothing is removed. The promoted version is missing: an error until one is promoted."""
    assert store.prune("demo", 0) == []
    store.promote("demo", three[0])
    current = store.root / "demo" / "current"
    current.unlink()
    refused(lambda: store.prune("demo", 0))
    current.symlink_to("versions/nothing")
    refused(lambda: store.prune("demo", 0))
    assert store.names("demo") == list(three)
    store.promote("demo", three[2])
    assert store.prune("demo", 0) == list(three[:2])


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


def test_a_kill_between_the_renames_does_not_mislead_rollback(store: Store, three: tuple[str, str, str]) -> None:
    """A version that was about to be promoted, and never was, is not rolled back to."""
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
    assert "Remove it" in raised.value.hint


@pytest.mark.parametrize("file", ["served.json", "withdrawn.json"])
def test_with_a_damaged_history_every_version_may_have_been_promoted(
    file: str, store: Store, three: tuple[str, str, str]
) -> None:
    """A version that was rolled back must not be promoted again by training."""
    first, second, third = three
    store.promote("demo", first)
    store.promote("demo", second)
    assert not store.was_promoted("demo", third)
    (store.root / "demo" / file).write_text("[")
    assert all(store.was_promoted("demo", name) for name in three)


@pytest.mark.parametrize("family", ["demo", "other"])
def test_a_folder_of_another_version_is_refused(family: str, store: Store, three: tuple[str, str, str]) -> None:
    """A copy under another name, or in another family's folder, can be neither loaded nor promoted."""
    original = store.root / "demo" / "versions" / three[0]
    copy = store.root / family / "versions" / ("copy" if family == "demo" else three[0])
    shutil.copytree(original, copy)
    problem = refused(lambda: store.load(family, copy.name))
    assert str(copy) in problem
    assert f"demo {three[0]}" in problem
    assert refused(lambda: store.promote(family, copy.name)) == problem
    assert (copy.name, problem) in store.verified(family)
    assert store.promoted(family) is None


def test_each_version_is_verified_once(store: Store, three: tuple[str, str, str]) -> None:
    """And `current` only where the version that it points to is missing."""
    first, second, third = three
    assert store.verified("demo") == [(first, None), (second, None), (third, None)]
    store.promote("demo", second)
    (store.root / "demo" / "versions" / second / "weights.bin").unlink()
    found = dict(store.verified("demo"))
    assert [name for name, problem in found.items() if problem] == [second]
    assert list(found) == [first, second, third]
    shutil.rmtree(store.root / "demo" / "versions" / second)
    assert [name for name, problem in store.verified("demo") if problem] == ["current"]
    (store.root / "demo" / "current").unlink()
    assert [name for name, problem in store.verified("demo") if problem] == ["current"]
