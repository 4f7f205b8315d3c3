"""Damage to a version is found and named: missing, edited and foreign files, and any flipped bit."""

import json
import os
import re
import shutil
from mmap import ACCESS_READ, mmap
from pathlib import Path

import msgspec
import pytest

from pozytywka_cli.artifacts import Store, Version
from pozytywka_cli.artifacts.manifest import write_manifest
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.records import Row

from .versions import draft, origin, refused


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
    path.write_bytes(content.replace(b'"format": 3', b'"format": 3, "classes": []'))
    assert refused(load).startswith(f"{path} is damaged: ")
    path.unlink()
    assert refused(load) == f"{path} is missing"
    path.mkdir()
    assert refused(load).startswith(f"{path} cannot be read: ")


def test_a_newer_format_is_refused(store: Store) -> None:
    """With its number, the newest one that can be read, and what to do; whatever else the manifest holds."""
    version = store.save(origin(), draft())
    path = version.folder / "manifest.json"
    path.write_bytes(b'{"format": 4, "new": []}')
    with pytest.raises(ArtifactError, match=r"has format 4.* up to 3$") as raised:
        store.load("demo", version.name)
    assert "Upgrade" in raised.value.hint


def test_any_flipped_bit_of_a_manifest_is_found(store: Store) -> None:
    """Two bits of each byte, one of which changes the case of a letter: 1e-9 and 1E-9 are the same value."""
    rows = [Row("demo", "net", "time split", "log_loss", 1e-9, 0.1 + 0.2, 1e300)]
    version = store.save(origin(), draft(metrics=rows))
    path = version.folder / "manifest.json"
    content = path.read_bytes()
    for position in range(len(content)):
        for bit in (position % 8, 5):
            flipped = bytearray(content)
            flipped[position] ^= 1 << bit
            path.write_bytes(flipped)
            refused(lambda: store.manifest("demo", version.name))


def test_an_edited_digit_is_found(store: Store) -> None:
    """A metric, the seed or a setting changed by hand: the content does not match the digest."""
    version = store.save(origin(), draft())
    path = version.folder / "manifest.json"
    content = path.read_text()
    for old, new in (('"value": 0.7', '"value": 0.2'), ('"seed": 0', '"seed": 1'), ('"epochs": 3', '"epochs": 4')):
        path.write_text(content.replace(old, new))
        assert refused(lambda: store.load("demo", version.name)).startswith(f"{path} is damaged: ")
    path.write_text(json.dumps(json.loads(content)))
    assert refused(lambda: store.load("demo", version.name)).startswith(f"{path} is damaged: ")


@pytest.mark.parametrize("name", ["", ".", "..", "/etc/hostname", "../weights.bin", "a/b", "a\\b", "a\0b"])
def test_only_plain_names_are_listed(name: str, store: Store) -> None:
    """A manifest that lists a path, absolute or not, or no name is refused, and nothing there is opened."""
    version = store.save(origin(), draft())
    listed = {**version.manifest.files, name: version.manifest.files["weights.bin"]}
    write_manifest(version.folder, msgspec.structs.replace(version.manifest, files=listed))
    message = refused(lambda: store.load("demo", version.name))
    assert str(version.folder / "manifest.json") in message
    assert repr(name) in message


@pytest.mark.parametrize("name", ["extra.bin", ".hidden", "folder", "link"])
def test_what_the_manifest_does_not_list_is_refused(name: str, store: Store) -> None:
    """A file, a folder or a link that was put into a version: nothing there is loaded without a hash."""
    version = store.save(origin(), draft())
    extra = version.folder / name
    {"folder": extra.mkdir, "link": lambda: extra.symlink_to("card.md")}.get(name, extra.touch)()
    assert str(extra) in refused(lambda: store.load("demo", version.name))
    with pytest.raises(ArtifactError, match=r"manifest\.json does not list"):
        version.path(name)


@pytest.mark.parametrize("name", ["weights.bin", "manifest.json"])
@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "device"])
def test_only_regular_files_are_read(name: str, kind: str, store: Store) -> None:
    """A pipe, which nobody writes to, a link to the same content, a folder or a device: named, and not waited for."""
    version = store.save(origin(), draft())
    path = version.folder / name
    path.rename(store.root / name)
    if kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "link":
        path.symlink_to(store.root / name)
    else:
        {"pipe": os.mkfifo, "folder": Path.mkdir}[kind](path)
    assert refused(lambda: store.load("demo", version.name)).startswith(f"{path} cannot be read: ")


def test_a_manifest_has_a_limited_size(store: Store) -> None:
    """One of more bytes is not read into memory."""
    version = store.save(origin(), draft())
    path = version.folder / "manifest.json"
    with path.open("r+b") as stream:
        stream.truncate(10**12)
    assert refused(lambda: store.load("demo", version.name)).startswith(f"{path} cannot be read: ")


@pytest.mark.parametrize("value", ["[" * 10**5, "9" * 5000, "1e999", '"\\ud800"', "{}", "null", '"x"', "-1", "\x00"])
@pytest.mark.parametrize("key", ["format", "seed", "metrics", "settings", "digest"])
def test_any_value_in_a_manifest_is_refused(key: str, value: str, store: Store) -> None:
    """Deep nesting, numbers of thousands of digits and what is no text: exit 4, whichever field has it."""
    version = store.save(origin(), draft())
    path = version.folder / "manifest.json"
    path.write_text(re.sub(rf'"{key}": ', f'"{key}": {re.escape(value)}, "x": ', path.read_text(), count=1))
    assert str(path) in refused(lambda: store.load("demo", version.name))


def test_a_link_as_a_version(store: Store, three: tuple[str, str, str]) -> None:
    """It is listed and verified as damaged, never promoted, and pruned as a link: what it points to stays."""
    first, second, third = three
    versions = store.root / "demo" / "versions"
    (versions / first).rename(store.root / "elsewhere")
    (versions / first).symlink_to(store.root / "elsewhere")
    assert "symbolic link" in refused(lambda: store.promote("demo", first))
    assert [name for name, problem in store.verified("demo") if problem] == [first]
    store.promote("demo", third)
    assert store.prune("demo", 0) == [first, second]
    assert sorted(path.name for path in (store.root / "elsewhere").iterdir()) == sorted(
        ["manifest.json", *store.load("demo").manifest.files]
    )


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


def test_hashes_may_be_left_until_a_file_is_used(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of large files only, up to the limit; sizes are checked at once."""
    monkeypatch.setattr("pozytywka_cli.artifacts.version.SMALL_BYTES", 999)
    name = store.save(origin(), draft(b"x" * 1000)).name

    def load(limit: int | None = None) -> Version:
        return store.load("demo", name, hash_limit=limit, hash_later=["weights.bin", "card.md", "missing.bin"])

    path = store.root / "demo" / "versions" / name / "weights.bin"
    assert (load().unhashed, load(1000).unhashed, load(999).unhashed) == ({"weights.bin"}, {"weights.bin"}, set())
    load().verify("weights.bin", mapped(path))
    path.write_bytes(b"x" * 999 + b"y")
    with pytest.raises(ArtifactError, match=r"weights\.bin is damaged: its SHA-256"):
        load().verify("weights.bin", mapped(path))
    path.write_bytes(b"x" * 999)
    with pytest.raises(ArtifactError, match="it has 999 bytes"):
        load()
    monkeypatch.setattr("pozytywka_cli.artifacts.version.SMALL_BYTES", 1000)
    path.write_bytes(b"y" * 1000)
    with pytest.raises(ArtifactError, match="SHA-256"):
        load()


def mapped(path: Path) -> mmap:
    """The content of a file."""
    with path.open("rb") as stream:
        return mmap(stream.fileno(), 0, access=ACCESS_READ)


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
