"""The artifacts folder: saving, loading and finding versions."""

import json
import math
from pathlib import Path

import msgspec
import pytest

from pozytywka_cli.artifacts import Manifest, Store
from pozytywka_cli.artifacts.manifest import write_manifest
from pozytywka_cli.records import Gate, Row

from .versions import METRICS, draft, origin, refused

FILES = ["card.md", "manifest.json", "metrics.json", "weights.bin"]


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
    assert (manifest.format, manifest.family, manifest.variant, manifest.version) == (3, "demo", "net", saved.name)
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


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_come_back_as_nan(number: float, store: Store) -> None:
    """In a metric, its interval or a gate: the version stays loadable, and NaN is null in its files."""
    rows = [Row("demo", "net", "time split", "log_loss", number, number, number, number)]
    gate = Gate("log_loss", number, 0.7, "mean", number, number, number, 0.001)
    saved = store.save(origin(), draft(metrics=rows, gate=gate, epochs=[{"loss": number}]))
    loaded = store.load("demo", saved.name).manifest
    assert math.isnan(loaded.metrics[0].value)
    assert loaded.gate is not None
    assert all(math.isnan(value) for value in (loaded.gate.value, loaded.gate.difference))
    assert loaded.gate.low is None
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

    for broken in (half, lambda folder, _: (folder / "manifest.json").write_text('{"format": 3}')):
        with monkeypatch.context() as patch:
            patch.setattr("pozytywka_cli.artifacts.saving.write_manifest", broken)
            assert "cannot be read back" in refused(lambda: store.save(origin(), draft()))
        assert list((store.root / "demo" / "versions").iterdir()) == []


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
