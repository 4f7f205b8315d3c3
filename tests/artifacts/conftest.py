"""Fixtures: a store, and one with three versions."""

from pathlib import Path

import msgspec
import pytest

from pozytywka_cli.artifacts import Store
from pozytywka_cli.artifacts.manifest import read_manifest, write_manifest

from .versions import draft, origin


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
