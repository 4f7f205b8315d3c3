"""The script that kills commands at random moments; `python tests/kills.py` makes many kills."""

import runpy
import shutil
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "kills.py"


def test_kills_break_nothing(sampled: Path, trained: Path, tmp_path: Path) -> None:
    """A promotion killed at once, and one that ends; a changed byte is a failure that the script reports."""
    shutil.copytree(sampled, tmp_path / "data")
    shutil.copytree(trained, tmp_path / "artifacts", symlinks=True)
    kills = runpy.run_path(str(SCRIPT))["Kills"](tmp_path, seed=0)
    version = kills.promoted()["similar"]
    for moment, what in ((0.1, "killed"), (60.0, "ended")):
        done = kills.killed("similar", ["models", "promote", "similar", version], [version], moment)
        assert done.startswith(what)
    assert kills.failures == []
    (tmp_path / "artifacts" / "similar" / "current" / "card.md").write_text("changed")
    assert "card.md" in kills.problem(["models", "verify"])
