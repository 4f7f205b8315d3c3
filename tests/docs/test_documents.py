import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from pozytywka_cli.dataset.tables import RULES
from pozytywka_cli.families import registry
from pozytywka_cli.settings import General

from .blocks import DOCUMENTS, ROOT, blocks, name

DOCS = ROOT / "docs"
NOT_IN_EVALUATE = ("shared_genre@5", "main_genre@5", "training_seconds", "lookup_milliseconds")  # --planted, --curve


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document: Path):
    """Every relative link names a file, and its anchor a heading of that file."""
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", document.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        path = document.parent / name if name else document
        assert path.exists(), target
        if anchor:
            assert anchor in _anchors(path), target


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_stays_short():
    """Everything beyond 150 lines belongs into docs/."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_the_rules_are_those_that_are_declared():
    """The table of rules names every rule with its level, and no other."""
    text = (DOCS / "your-own-data.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `(\w+)` \| (error|warning) \|", text, re.MULTILINE))
    assert documented == {name: rule.level for name, rule in RULES.items()}


def test_the_example_configuration_holds_every_setting_with_its_default():
    """A setting that is added, removed or changed must be changed in the example, too."""
    (example,) = [block.body for block in blocks(DOCS / "operations.md") if block.language == "toml"]
    families = [registry.get(name) for name in registry.names()]
    defaults = msgspec.to_builtins(General()) | {
        family.name: msgspec.to_builtins(family.Settings()) for family in families
    }
    assert tomllib.loads(example) == defaults


def test_every_variant_and_metric_is_explained():
    """The page about models names every variant and every metric of every family."""
    text = (DOCS / "models.md").read_text(encoding="utf-8")
    for family in map(registry.get, registry.names()):
        for variant in family.variants:
            assert f"`{variant}`" in text, (family.name, variant)
        for metric in family.metrics:
            if metric not in NOT_IN_EVALUATE:
                assert f"`{metric}`" in text, (family.name, metric)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_files_of_the_repository_that_are_named_exist(document: Path):
    """A path in the running text is not left behind when a file moves."""
    named = re.findall(
        r"`[^`\n]*?\b((?:tests|benchmarks|docs|pozytywka_cli)/[\w/.-]*)`", document.read_text(encoding="utf-8")
    )
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_worked_example_is_the_toy_family_that_the_tests_register():
    """Every block of Python in the architecture page but the registry line is a part of the toy family."""
    toy = (ROOT / "tests" / "contract" / "toy_family.py").read_text(encoding="utf-8")
    python = [block for block in blocks(DOCS / "architecture.md") if block.language == "python"]
    assert len(python) > 5
    assert [block.body for block in python if block.body not in toy and "families.toy" not in block.body] == []
