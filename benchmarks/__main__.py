"""`make bench`: every speed figure of the README beside the most that it may be; rooms can be named."""

import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path

os.environ |= {"POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "2"}  # before polars is imported

from benchmarks.figure import DATA

ROOMS = (
    "trunk",
    "skip",
    "skip_online",
    "weekly",
    "similar_training",
    "similar_lookup",
    "recommend",
    "cache",
    "intervals",
    "experiments",
    "serving",
)


def main(names: list[str]) -> int:
    """Measure these rooms, all if none is named, and print; 1 where a bound is not kept."""
    if unknown := set(names) - set(ROOMS):
        sys.exit(f"there is nothing to measure called {', '.join(sorted(unknown))}; choose from {', '.join(ROOMS)}")
    if not DATA.is_dir():
        sys.exit(f"{DATA} is missing: these figures are measured on the real editions")
    broken = 0
    for name in names or ROOMS:
        with tempfile.TemporaryDirectory() as scratch:
            for figure in import_module(f"benchmarks.{name}").measured(Path(scratch)):
                print(figure, flush=True)
                broken += not figure.kept
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
