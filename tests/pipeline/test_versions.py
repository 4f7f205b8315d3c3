"""Versions by a name, a variant or by being promoted."""

import msgspec
import pytest

from pozytywka_cli.artifacts import Store
from pozytywka_cli.errors import ArtifactError, UsageError
from pozytywka_cli.pipeline.versions import named
from tests.artifacts.versions import draft, origin


def test_a_version_has_several_names(tmp_path):
    """The promoted one, the newest of a variant, and one by its name or the end of it."""
    store, made = Store(tmp_path), msgspec.structs.replace(origin(), family="skip")
    name = store.save(made, draft(variant="forest")).name
    promoted = store.save(msgspec.structs.replace(made, seed=2), draft(variant="advanced")).name
    store.promote(made.family, promoted)
    found = [named(store, made.family, one).name for one in (None, "forest", name, name[-8:])]
    assert found == [promoted, name, name, name]
    with pytest.raises(ArtifactError):
        named(store, made.family, "nothing")
    with pytest.raises(UsageError):
        named(store, "nothing", None)
