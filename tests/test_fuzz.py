"""The fuzzer itself, for a few runs."""

import subprocess
import sys
from pathlib import Path

FUZZ = Path(__file__).parent / "fuzz.py"


def test_a_few_runs_of_the_fuzzer_find_nothing(tmp_path: Path) -> None:
    """It makes its inputs, runs the program on them, and keeps nothing where nothing is wrong."""
    command = [sys.executable, str(FUZZ), "--runs", "12", "--seed", "1", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 runs, 0 faults" in done.stdout
    assert list(tmp_path.iterdir()) == []
