"""What a command may import, and the reference that is made from the help."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("pozytywka")
HEAVY = {"torch", "sklearn", "implicit", "scipy", "pyspark"}
LOOK = """
import sys
from pozytywka_cli.commands.boundary import run
code = run(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""


def modules(*arguments: object) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOOK, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in done.stderr.split()}


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["train", "--help"],
        ["recommend", "--help"],
        ["models", "--help"],
        ["plan", "cache", "--help"],
        ["experiment", "analyze", "--help"],
    ],
)
def test_help_imports_nothing_heavy(arguments):
    """Neither a model library nor polars, numpy or rich."""
    assert not modules(*arguments) & (HEAVY | {"polars", "numpy", "rich", "narwhals", "sqlalchemy"})


@pytest.mark.parametrize("arguments", [["similar", "Rosetta"], ["models", "list"], ["models", "verify"]])
def test_lookups_import_no_model_library(arguments, trained):
    """`similar` and `models` must feel instant."""
    assert not modules(*arguments, "--artifacts-dir", trained) & (HEAVY | {"polars"})


def test_recommendations_import_no_training_library(sampled, trained):
    """They are looked up too, in scores that SciPy's sparse matrices hold."""
    where = ["--data-dir", sampled, "--artifacts-dir", trained]
    assert not modules("recommend", 101, *where) & {"torch", "sklearn", "implicit"}


def test_the_command_reference_is_fresh():
    """docs/commands.md is what the help says; `make docs` writes it."""
    done = subprocess.run(
        [sys.executable, "-m", "docs.generate", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [("pozytywka train we", ["weekly"]), ("pozytywka models show s", ["skip", "similar"])],
)
def test_shell_completion_knows_families(words, expected):
    """As bash asks for it."""
    environment = {
        **os.environ,
        "_POZYTYWKA_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    done = subprocess.run([PROGRAM], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.split() == expected


def test_shell_completion_knows_versions(trained):
    """Of the family that stands before."""
    version = next((trained / "skip" / "versions").iterdir()).name
    environment = {
        **os.environ,
        "POZYTYWKA_ARTIFACTS_DIR": str(trained),
        "_POZYTYWKA_COMPLETE": "complete_bash",
        "COMP_WORDS": "pozytywka models show skip ",
        "COMP_CWORD": "4",
    }
    done = subprocess.run([PROGRAM], capture_output=True, text=True, env=environment, check=False)
    assert version in done.stdout.split()
