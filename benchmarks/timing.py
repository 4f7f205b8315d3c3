"""Two things timed in turn, so that a machine whose speed drifts slows both alike."""

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

ENVIRONMENT = {**os.environ, "POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "2"}


@dataclass(frozen=True)
class Timed:
    """Seconds, and for a command its peak memory in MB."""

    seconds: float
    megabytes: float = 0.0


@dataclass(frozen=True)
class Compared:
    """Two things, run by run."""

    ours: list[Timed]
    theirs: list[Timed]

    def ratio(self, less: float = 0.0) -> float:
        """The median over runs of ours, less some seconds that are allowed, over theirs."""
        pairs = zip(self.ours, self.theirs, strict=True)
        return median((our.seconds - less) / their.seconds for our, their in pairs)

    @property
    def medians(self) -> str:
        """The two median times."""
        ours, theirs = (median(run.seconds for run in runs) for runs in (self.ours, self.theirs))
        return f"{ours:.2f} s, {theirs:.2f} s"

    @property
    def megabytes(self) -> float:
        """The most memory that one of our runs took."""
        return max(run.megabytes for run in self.ours)


def in_turn(ours: Callable[[], Timed], theirs: Callable[[], Timed], *, runs: int = 5) -> Compared:
    """Run both `runs` times in turn, after one run of each that does not count."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(runs)]
    return Compared([our for our, _ in pairs], [their for _, their in pairs])


def call(function: Callable[[], object]) -> Callable[[], Timed]:
    """A call in this process, so without imports."""

    def run() -> Timed:
        gc.collect()
        started = time.perf_counter()
        function()
        return Timed(time.perf_counter() - started)

    return run


def command(*arguments: object) -> Callable[[], Timed]:
    """A command as a whole process; if it fails, so does the benchmark."""
    words = [str(argument) for argument in arguments]

    def run() -> Timed:
        started = time.perf_counter()
        with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{' '.join(words)} exited with {process.returncode}")
        return Timed(time.perf_counter() - started, usage.ru_maxrss / 1024)

    return run
