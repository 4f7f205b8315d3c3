"""Times of commands and calls, in turn, so that a machine whose speed drifts slows both alike."""

import gc
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

ENVIRONMENT = {**os.environ, "POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "2"}


@dataclass(frozen=True)
class Compared:
    """Seconds of two things, run by run, and the larger peak memory of the first one's processes in MB (0: a call)."""

    ours: list[float]
    theirs: list[float]
    megabytes: float = 0.0

    @property
    def ratio(self) -> float:
        """The median of the ratios of neighbouring runs."""
        return median(a / b for a, b in zip(self.ours, self.theirs, strict=True))


def calls(ours: Callable[[], object], theirs: Callable[[], object], *, runs: int = 5) -> Compared:
    """Two calls in this process, in turn, after one of each that does not count."""
    ours(), theirs()
    times = [(_call(ours), _call(theirs)) for _ in range(runs)]
    return Compared([a for a, _ in times], [b for _, b in times])


def commands(ours: Sequence[str], theirs: Sequence[str], *, runs: int = 5) -> Compared:
    """Two commands as whole processes, in turn, after one of each that does not count."""
    _command(ours), _command(theirs)
    times = [(_command(ours), _command(theirs)) for _ in range(runs)]
    return Compared([a[0] for a, _ in times], [b[0] for _, b in times], max(a[1] for a, _ in times))


def _call(function: Callable[[], object]) -> float:
    gc.collect()
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def _command(arguments: Sequence[str]) -> tuple[float, float]:
    """Seconds and peak memory in MB; a failure ends the benchmark."""
    started = time.perf_counter()
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        if process.returncode:
            sys.exit(f"{' '.join(arguments)} failed: {process.stderr.read().decode() if process.stderr else ''}")
    return seconds, usage.ru_maxrss / 1024


def peak() -> float:
    """This process's peak memory in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
