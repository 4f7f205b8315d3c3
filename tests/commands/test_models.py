"""`models` on a store of small versions of an invented family."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import NamedTuple

import pytest
import typer
from typer.exceptions import TyperException
from typer.testing import CliRunner

from pozytywka_cli.artifacts import CardText, Draft, Origin, Store
from pozytywka_cli.commands import models
from pozytywka_cli.errors import ArtifactError
from pozytywka_cli.families import registry
from pozytywka_cli.records import Metric, Row

TEXT = CardText("Will it rain?", "On later days.", "Umbrellas.", "Dams.", "No snow.", {})
METRICS = {"log_loss": Metric("log loss", "lower", "…"), "roc_auc": Metric("AUC", "higher", "…")}


class Ran(NamedTuple):
    """The result of a subcommand."""

    exit_code: int
    output: str
    messages: str


@pytest.fixture
def store(tmp_path, monkeypatch) -> Store:
    """An empty store of the families `demo` and `other`."""
    monkeypatch.setattr(registry, "MODULES", dict.fromkeys(("demo", "other"), "none"))
    family = SimpleNamespace(question="Will it rain?", metrics=METRICS, baseline="mean")
    monkeypatch.setattr(registry, "get", lambda name: SimpleNamespace(name=name, **vars(family)))
    return Store(tmp_path / "artifacts")


def save(store: Store, seed: int, family: str = "demo", value: float = 0.5) -> str:
    """The name of a new version."""
    metrics = [
        Row(family, "net", "time split", "log_loss", value, 0.4, 0.6),
        Row(family, "net", "time split", "roc_auc", 0.75),
        Row(family, "mean", "time split", "log_loss", 0.6875),
    ]
    draft = Draft("net", lambda folder: (folder / "weights").write_bytes(b"1"), {}, metrics, TEXT)
    return store.save(Origin(family, "net", {}, seed, "cpu", None, []), draft).name


@pytest.fixture
def run(store) -> Callable[..., Ran]:
    """Run a subcommand and return its exit code, its output and its messages; errors are raised."""

    def call(*arguments: str) -> Ran:
        said: list[str] = []
        console = SimpleNamespace(info=said.append, warn=said.append)
        shared = SimpleNamespace(store=store, artifacts=store.root, console=console)
        result = CliRunner().invoke(models.app, arguments, obj=shared, catch_exceptions=False)
        return Ran(result.exit_code, result.stdout, "\n".join(said))

    return call


def test_list_has_a_row_for_each_version(store, run):
    """With the headline metric by its label, the baseline's value, and the promoted version marked; 100 columns."""
    first, second, other = save(store, 0), save(store, 1, value=0.625), save(store, 0, "other")
    store.promote("demo", second)
    lines = run("list").output.splitlines()
    [one], [two], [three] = (
        [line for line in lines if name in line] for name in (f" {first} ", f" {second} ", "other")
    )
    assert "demo" in one
    assert all(part in one for part in ("net", "log loss", "0.5", "0.6875"))
    assert ("yes" in one, "yes" in two, "yes" in three) == (False, True, False)
    assert "0.625" in two
    assert other in three
    assert max(map(len, lines)) <= 100


def test_list_shows_the_test_and_not_what_the_variant_was_chosen_by(store, run):
    """The value on the validation part is among the metrics of a version too."""
    rows = [Row("demo", "net", name, "log_loss", value) for name, value in (("time split", 0.5), ("validation", 0.25))]
    store.save(Origin("demo", "net", {}, 0, "cpu", None, []), Draft("net", lambda _: None, {}, rows, TEXT))
    output = run("list").output
    assert "0.5" in output
    assert "0.25" not in output


def test_list_as_json_has_a_row_for_each_metric(store, run):
    """Of the version itself, with the protocol; the damaged version has one row without a metric, and a warning."""
    name, damaged = save(store, 0), save(store, 1)
    (store.root / "demo" / "versions" / damaged / "manifest.json").write_text("{}")
    result = run("list", "--json")
    rows = json.loads(result.output)["rows"]
    created = store.manifest("demo", name).created
    whole = {"family": "demo", "variant": "net", "version": name, "promoted": False, "created": created}
    assert [row for row in rows if row["version"] == name] == [
        {**whole, "protocol": "time split", "metric": "log_loss", "value": 0.5},
        {**whole, "protocol": "time split", "metric": "roc_auc", "value": 0.75},
    ]
    [row] = [row for row in rows if row["version"] == damaged]
    assert (row["variant"], row["metric"], row["value"]) == (None, None, None)
    assert damaged in result.messages
    assert f"{damaged} " in run("list").output


def test_list_of_an_empty_store_says_what_to_do(run):
    """Exit 0 and nothing on stdout."""
    result = run("list")
    assert (result.exit_code, result.output) == (0, "")
    assert "pozytywka train" in result.messages


def test_verify_counts_versions(store, run):
    """Also where none was promoted, which is no damage."""
    save(store, 0)
    assert "1 version verified" in run("verify").messages
    save(store, 1)
    assert "2 versions verified" in run("verify").messages


def test_verify_names_every_damaged_file(store, run):
    """As an error of damaged artifacts, after the rows."""
    paths = [store.root / "demo" / "versions" / save(store, seed) / "weights" for seed in (0, 1)]
    for path in paths:
        path.write_bytes(b"2")
    with pytest.raises(ArtifactError) as raised:
        run("verify", "--json")
    assert all(str(path) in raised.value.message for path in paths)


def test_a_card_that_is_not_text_is_damage(store, run, monkeypatch):
    """Also where its hash fits: the error names it."""
    monkeypatch.setattr("pozytywka_cli.artifacts.saving.card", lambda *_: "\udcff")
    monkeypatch.setattr(
        "pathlib.Path.write_text", lambda path, text, **_: path.write_bytes(text.encode(errors="surrogateescape"))
    )
    version = save(store, 0)
    with pytest.raises(ArtifactError, match=r"card\.md"):
        run("show", "demo", version)


def test_versions_are_shown_promoted_and_rolled_back(store, run):
    """Each message names the version."""
    first, second = save(store, 0), save(store, 1)
    assert f"demo {first}" in run("promote", "demo", first).messages
    assert f"demo {second}" in run("promote", "demo", second).messages
    assert first in run("rollback", "demo").messages
    assert store.promoted("demo") == first
    assert run("show", "demo").output == (store.root / "demo" / "current" / "card.md").read_text()
    [manifest] = json.loads(run("show", "demo", second, "--json").output)["rows"]
    assert (manifest["version"], manifest["format"]) == (second, 3)


def test_prune_goes_on_after_a_family_without_a_promoted_version(store, run):
    """Nothing of it is removed, which is said; the other family is pruned."""
    untouched, old, new = save(store, 0), save(store, 0, "other"), save(store, 1, "other")
    store.promote("other", new)
    result = run("prune", "--keep", "0")
    assert result.exit_code == 0
    assert (store.names("demo"), store.names("other")) == ([untouched], [new])
    assert "demo: 0 versions removed" in result.messages
    assert "other: 1 version removed" in result.messages
    assert old not in store.names("other")


def test_prune_goes_on_after_a_family_whose_promoted_version_is_missing(store, run):
    """The others are pruned, and then it is an error; a negative number of versions is a usage error."""
    with pytest.raises(TyperException):
        typer.main.get_command(models.app)(["prune", "--keep", "-1"], standalone_mode=False)
    save(store, 0)
    (store.root / "demo" / "current").symlink_to("versions/nothing")
    old, new = save(store, 0, "other"), save(store, 1, "other")
    store.promote("other", new)
    with pytest.raises(ArtifactError, match="demo"):
        run("prune", "--keep", "0")
    assert old not in store.names("other")
