"""Promotion, rollback, pruning, and the history that they need."""

import json

import pytest

from pozytywka_cli.artifacts import Manifest, Store, Version
from pozytywka_cli.errors import ArtifactError

from .versions import draft, origin, refused


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


def test_a_version_that_is_pruned_while_it_is_read(store: Store, three: tuple[str, str, str]) -> None:
    """The version that was promoted meanwhile is read in its place, whenever the files of the first one vanish."""
    first, second, third = three
    store.promote("demo", first)
    tried = []

    def read(version: Version) -> bytes:
        tried.append(version.name)
        if version.name == first:
            store.promote("demo", third)
            assert store.prune("demo", 0) == [first, second]
        return version.path("weights.bin").read_bytes()

    assert store.open("demo", read) == b"2"
    assert tried == [first, third]


def test_a_version_that_is_pruned_before_it_is_read(
    store: Store, three: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at `current` and the manifest."""
    first, _, third = three
    store.promote("demo", first)
    read_manifest = Store.manifest

    def pruned_before(self: Store, family: str, name: str) -> Manifest:
        monkeypatch.undo()
        self.promote("demo", third)
        self.prune("demo", 0)
        return read_manifest(self, family, name)

    monkeypatch.setattr(Store, "manifest", pruned_before)
    assert store.open("demo", lambda version: version.name) == third


def test_a_damaged_promoted_version_is_not_tried_again(store: Store, three: tuple[str, str, str]) -> None:
    """Nor an error of the reader itself, as long as the same version is promoted."""
    store.promote("demo", three[0])
    refused(lambda: store.open("demo", lambda version: version.path("nothing")))
    (store.root / "demo" / "versions" / three[0] / "weights.bin").write_bytes(b"damage")
    refused(lambda: store.open("demo", lambda version: version.name))
