"""What changes the digest of a family's code, tried on a copy of the package and on a family of one module."""

import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from pozytywka_cli.artifacts import fingerprint
from pozytywka_cli.families import registry

PRINT = """
import sys
from pozytywka_cli.artifacts.fingerprint import code_digest
print(code_digest("pozytywka_cli.families.similar"))
"""
DOCSTRING = '"""Another description."""\n'
CONSTANT = "\nANOTHER = 3.0\n"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the package."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(fingerprint.PACKAGE, folder / "pozytywka_cli", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def digest(package: Path) -> str:
    command = [sys.executable, "-c", PRINT]
    return subprocess.run(command, cwd=package, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("file", "addition", "changes"),
    [
        ("families/similar/features.py", CONSTANT, True),
        ("families/similar/splits.py", CONSTANT, True),
        ("dataset/plays.py", CONSTANT, True),
        ("catalogue/names.py", CONSTANT, True),
        ("learning.py", CONSTANT, True),
        ("families/similar/features.py", DOCSTRING, False),
        ("families/similar/features.py", "\n# A comment.\n", False),
        ("families/similar/settings.py", CONSTANT, False),
        ("families/similar/charts.py", CONSTANT, False),
        ("families/skip/metrics.py", CONSTANT, False),
        ("commands/train.py", CONSTANT, False),
        ("dataset/sample/world.py", CONSTANT, False),
    ],
)
def test_only_code_that_computes_counts(file: str, addition: str, changes: bool, package: Path) -> None:
    """Features, splits and reading data do; help, docstrings, comments, charts and other families do not."""
    before, path = digest(package), package / "pozytywka_cli" / file
    source = path.read_text()
    path.write_text(source + addition if addition != DOCSTRING else DOCSTRING + source.split('"""\n', 1)[1])
    try:
        assert (digest(package) != before) == changes
    finally:
        path.write_text(source)


@pytest.mark.parametrize(("library", "changes"), [("torch", True), ("implicit", True), ("typer", False)])
def test_versions_of_libraries_that_compute_count(library: str, changes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another torch is another digest; another typer is not."""
    before = fingerprint.code_digest.__wrapped__("pozytywka_cli.families.similar")
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "99" if name == library else real(name))
    assert (fingerprint.code_digest.__wrapped__("pozytywka_cli.families.similar") != before) == changes


def test_families_have_digests_of_their_own() -> None:
    """Each depends on the family's modules."""
    names = [registry.MODULES[name] for name in registry.names()]
    assert len({fingerprint.code_digest(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("2.0", "3.0", True),
        ("too small", "too little", False),
        ("Twice.", "Doubled.", False),
    ],
)
def test_a_family_of_one_module(
    old: str, new: str, changes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside of the package: its code counts, its docstrings and the messages of its errors do not."""
    monkeypatch.syspath_prepend(str(tmp_path))
    module = tmp_path / "toy_family_of_a_test.py"
    source = (
        'def double(x):\n    """Twice."""\n    if x < 0:\n        raise ValueError("too small")\n    return 2.0 * x\n'
    )
    module.write_text(source)
    before = fingerprint.code_digest.__wrapped__(module.stem)
    module.write_text(source.replace(old, new))
    assert (fingerprint.code_digest.__wrapped__(module.stem) != before) == changes
