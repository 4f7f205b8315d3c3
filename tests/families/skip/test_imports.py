"""What answering a request imports: no model library, which would take longer than the answer."""

import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pozytywka_cli.dataset.sample import write_sample

from .trained import VARIANTS, personas, trained
from .worlds import saved

MODEL_LIBRARIES = {"torch", "sklearn", "implicit"}
STORE = Path(__file__).parents[2] / "artifacts" / "format-2"  # of a sample of 20 users and 24 weeks
ANSWER = """
import pickle, sys
from pathlib import Path
from pozytywka_cli.artifacts import Store
from pozytywka_cli.families import registry
dataset = pickle.loads(Path(sys.argv[1]).read_bytes())
predictor = registry.get("skip").open(Store(Path(sys.argv[2])).load("skip", sys.argv[3]), dataset)
print(predictor.explain(predictor.default_requests().head(1)).write_ndjson())
print(*sys.modules, file=sys.stderr)
"""
COMMAND = """
import sys
from pozytywka_cli.commands.boundary import run
code = run(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""


def answered(program: str, *arguments: object) -> tuple[str, set[str]]:
    """What a program printed, and what it had imported in the end."""
    words = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, {name.partition(".")[0] for name in done.stderr.split()}


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "forest"])
def test_a_version_is_opened_and_asked_without_a_model_library(variant: str, tmp_path: Path):
    """Also where the answer is explained; only the forest is scikit-learn's own."""
    version = saved(trained(variant).model, tmp_path / "artifacts")
    (tmp_path / "dataset").write_bytes(pickle.dumps(personas()))
    printed, imported = answered(ANSWER, tmp_path / "dataset", tmp_path / "artifacts", version.name)
    assert '"reason":"model"' in printed
    assert not imported & MODEL_LIBRARIES


def test_the_command_imports_no_model_library(tmp_path: Path):
    """From the data folder to the answer, the plays included, which it makes first."""
    shutil.copytree(STORE, tmp_path / "artifacts", symlinks=True)
    write_sample(tmp_path / "data", users=20, weeks=24, seed=0)
    track = pl.read_ndjson(tmp_path / "data" / "tracks.jsonl")["id"][0]
    (tmp_path / "requests.csv").write_text(f"user_id,track_id\n101,{track}\n")
    folders = ("--data-dir", tmp_path / "data", "--artifacts-dir", tmp_path / "artifacts")
    printed, imported = answered(COMMAND, "predict", "skip", tmp_path / "requests.csv", *folders)
    assert '"reason":"model"' in printed
    assert not imported & MODEL_LIBRARIES
