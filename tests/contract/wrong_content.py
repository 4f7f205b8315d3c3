"""Wrong content for the files of a version, whose manifest is then made to fit it."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from safetensors.torch import load_file, save

from pozytywka_cli.artifacts import Manifest, Store, StoredFile, Version
from pozytywka_cli.artifacts.manifest import write_manifest
from pozytywka_cli.files import sha256

ANY = (b"", b"{}", b"[]", b"null", b"[" * 100_000, b"\x00" * 64, b"\xff" * 64)
# of versions made before these parameters were
HAVE_DEFAULTS = {"half_lives", "annual", "horizon", "layers", "width", "smoothing", "weeks", "regression"}
READ_BY_NOBODY = {"card.md", "metrics.json"}  # no prediction depends on them


def wrong_contents(path: Path) -> Iterator[bytes]:
    """Yield content that is no part of a model of this file's variant."""
    yield from ANY if path.name != "vocabulary.json" else set(ANY) - {b"[]"}  # a model may know no genre
    if path.name == "model.json":
        yield from _with_other_numbers(path)
    if path.suffix == ".safetensors":
        weights = load_file(path)
        yield save({})
        yield save({name: tensor.double() for name, tensor in weights.items()})
        yield save({name: tensor[..., :-1].contiguous() for name, tensor in weights.items()})
        yield save({name: tensor * float("nan") for name, tensor in weights.items()})
        yield save(dict(list(weights.items())[1:]))
    if path.suffix == ".npy":
        array = np.load(path)
        yield from map(_npy, (array.astype(np.complex64), array[None], array[:-1]))
        yield _npy(array * np.nan)
        yield _npz(array)
    if path.suffix == ".skops":
        yield from _other_estimators()


def _with_other_numbers(path: Path) -> Iterator[bytes]:
    """Yield the parameters without each required one, and with text in its place."""
    parameters = msgspec.json.decode(path.read_bytes())
    for name in parameters.keys() - HAVE_DEFAULTS:
        yield msgspec.json.encode({other: value for other, value in parameters.items() if other != name})
        yield msgspec.json.encode({**parameters, name: "text"})


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _npz(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, array)
    return buffer.getvalue()


def _other_estimators() -> Iterator[bytes]:
    from sklearn.ensemble import RandomForestClassifier
    from skops import io as skops

    inputs, outcomes = np.eye(4), np.arange(4) % 2
    yield skops.dumps({"forest": 1})
    yield skops.dumps(RandomForestClassifier(2))
    yield skops.dumps(RandomForestClassifier(2).fit(inputs, outcomes == 1))


def altered(version: Version, root: Path, content: dict[str, bytes] | None = None, **changes: object) -> Version:
    """Copy a version into an empty store with other content, or other fields in its manifest, which fits it."""
    shutil.rmtree(root, ignore_errors=True)
    folder = root / version.manifest.family / "versions" / version.name
    shutil.copytree(version.folder, folder)
    for name, text in (content or {}).items():
        (folder / name).write_bytes(text)
    names = version.manifest.files
    files = {name: StoredFile(sha256(folder / name), (folder / name).stat().st_size) for name in names}
    manifest: Manifest = msgspec.structs.replace(version.manifest, files=files, **changes)
    write_manifest(folder, manifest)
    return Store(root).load(manifest.family, version.name)
