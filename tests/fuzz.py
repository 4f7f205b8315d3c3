"""Run the program on mutated inputs of every reader, and report internal errors, crashes, panics and hangs.

    python tests/fuzz.py --minutes 30 --seed 7

The same seed gives the same runs, and `--first N --runs 1` repeats a single one. An input that causes a fault is kept,
with the command that repeats it, and the exit code is then 1.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from fuzzing.runner import Runner, Worker
from fuzzing.targets import all_targets

TESTS = Path(__file__).resolve().parent


def options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--runs", type=int, default=10**9, metavar="N", help="make at most N runs")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the number of the first run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=30.0, metavar="S", help="seconds after which a run hangs")
    parser.add_argument(
        "--keep", type=Path, default=Path("fuzz-faults"), help="the folder for inputs that cause faults"
    )
    return parser.parse_args()


def main() -> int:
    """Make runs until the time is over, print a summary, and return the exit code."""
    chosen = options()
    keep = chosen.keep.resolve()
    keep.mkdir(parents=True, exist_ok=True)
    counts: Counter[tuple[str, str]] = Counter()
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "fuzzing.inputs", folder], cwd=TESTS, check=True)
        worker = Worker(chosen.limit)
        runner = Runner(Path(folder), all_targets(Path(folder)), keep, chosen.seed, worker)
        end = time.monotonic() + chosen.minutes * 60
        for number in range(chosen.first, chosen.first + chosen.runs):
            if time.monotonic() > end:
                break
            reader, ended, is_fault = runner.run(number)
            counts[reader, ended] += 1
            faults += is_fault
        worker.stop()
    for (reader, ended), count in sorted(counts.items()):
        print(f"{count:7,} {reader}: {ended}")
    print(f"{counts.total():7,} runs, {faults:,} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
