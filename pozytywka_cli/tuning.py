"""Random search over hyperparameters: spaces, trials and their file, and work in processes. Knows no models.

Trial 0 has the present settings; trial k > 0 depends only on the seed and k, so that a longer search begins with the
trials of a shorter one.
"""

import math
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Annotated, Any, TypeVar

import msgspec

from pozytywka_cli import files
from pozytywka_cli.errors import ArtifactError, UnavailableError
from pozytywka_cli.records import Progress, Report

MOST_BYTES = 256 * 2**20  # of a file of trials
# seconds after which an idle worker process ends and frees its memory; after 10, one that ended just as work came on a
# busy machine left the others waiting
IDLE = 60

S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Choice:
    """One of these values, all equally likely."""

    values: tuple[Any, ...]

    def at(self, share: float) -> Any:
        """Return the value at a share of the list, 0 ≤ share < 1."""
        return self.values[int(share * len(self.values))]


@dataclass(frozen=True)
class Uniform:
    """A number from `low` to `high`, rounded to three significant digits: read off a table, it can be set exactly."""

    low: float
    high: float

    def at(self, share: float) -> float:
        """Return the value at a share of the range, 0 ≤ share < 1."""
        return float(f"{self.low + share * (self.high - self.low):.3g}")


class LogUniform(Uniform):
    """A number from `low` > 0 to `high` whose logarithm is uniform, rounded to three significant digits."""

    def at(self, share: float) -> float:
        """Return the value at a share of the logarithmic range, 0 ≤ share < 1."""
        return float(f"{self.low * (self.high / self.low) ** share:.3g}")


Space = Mapping[str, Choice | Uniform]  # the possible values of settings, by name


class Trial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of trial `number` of a search, and their loss.

    `search` is the fingerprint of everything else that the loss depends on.
    """

    search: str
    variant: str
    number: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
    settings: dict[str, Any]
    loss: float


def drawn(space: Space, base: S, number: int, seed: int) -> S:
    """Return the settings of trial `number`: `base` for trial 0, else `base` with all settings of `space` drawn."""
    if number == 0:
        return base
    import random  # here, so that declaring a space imports little

    generator = random.Random(f"{seed} {number}")
    changes = {name: dimension.at(generator.random()) for name, dimension in space.items()}
    return msgspec.convert(msgspec.to_builtins(base) | changes, type(base))


def search(
    candidates: list[S],
    loss: Callable[[S], float],
    *,
    file: Path,
    fingerprint: str,
    variant: str,
    jobs: int,
    report: Report,
) -> list[Trial]:
    """Return the trials of all candidates in order: those in `file` and new ones, each written to `file` at once.

    `loss` runs in `jobs` processes with one thread each, in this process if `jobs` is 1. Neither that nor an earlier
    interruption changes a trial. Trials of other searches stay in `file`; if it is damaged, that is an ArtifactError.
    """
    settings = {number: msgspec.to_builtins(candidate) for number, candidate in enumerate(candidates)}
    known = read_trials(file)
    others = [trial for trial in known if trial.search != fingerprint]
    # a trial with other settings under the same number was drawn from a space that has changed since
    ours = {
        trial.number: trial
        for trial in known
        if trial.search == fingerprint and settings.get(trial.number, trial.settings) == trial.settings
    }
    missing = {number: candidate for number, candidate in enumerate(candidates) if number not in ours}
    stage, total = f"{variant} trials", len(candidates)
    report(Progress(stage, total - len(missing), total))
    with in_processes(loss, missing, jobs) as losses:
        for done, (number, found) in enumerate(losses, total - len(missing) + 1):
            value = found if math.isfinite(found) else sys.float_info.max  # diverged; JSON has no infinity
            ours[number] = Trial(fingerprint, variant, number, settings[number], value)
            trials = [*others, *(ours[one] for one in sorted(ours))]
            files.write_text(file, "".join(f"{msgspec.json.encode(trial).decode()}\n" for trial in trials))
            report(Progress(stage, done, total, value))
    return [ours[number] for number in range(total)]


def best(trials: list[Trial]) -> Trial:
    """Return the trial with the lowest loss; of equal ones that with the lowest number."""
    return min(trials, key=lambda trial: (trial.loss, trial.number))


def read_trials(file: Path) -> list[Trial]:
    """Return the trials in a file of JSON lines, none if it does not exist; an ArtifactError if a line is damaged."""
    trials: list[Trial] = []
    hint = "Correct the line, or remove the file: its trials are then run again."
    try:
        lines = files.read_regular(file, limit=MOST_BYTES).splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ArtifactError(f"{file} cannot be read: {error.strerror}", hint) from None
    for number, line in enumerate(lines, 1):
        try:
            trials.append(msgspec.json.decode(line, type=Trial))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ArtifactError(f"{file}:{number} is damaged: {error}", hint) from None
    return trials


@contextmanager
def in_processes(function: Callable[[T], R], tasks: dict[int, T], jobs: int) -> Iterator[Iterator[tuple[int, R]]]:
    """Yield the results of numbered tasks in order of completion; tasks that still run at the end are stopped.

    Each runs with one thread, in one of `jobs` processes, or in this one if `jobs` is 1.

    Raises:
        UnavailableError: a process was killed.
    """
    from concurrent.futures.process import BrokenProcessPool

    from joblib import Parallel, delayed

    parallel = Parallel(
        max(1, min(jobs, len(tasks))),  # with 1 it makes no process
        backend="loky",
        return_as="generator_unordered",
        batch_size=1,
        max_nbytes=None,  # arrays on disk would be read-only
        idle_worker_timeout=IDLE,
        initializer=_prepare_worker,
        initargs=(os.getpid(),),
    )
    results = parallel(delayed(_numbered)(number, function, task) for number, task in tasks.items())
    try:
        yield results
    except BrokenProcessPool:
        problem = "one of the processes was killed, perhaps because memory ran out"
        raise UnavailableError(problem, "Run it again with fewer --jobs; completed trials are kept.") from None
    finally:
        with warnings.catch_warnings(action="ignore"):  # joblib warns of tasks that are stopped
            results.close()


def _prepare_worker(parent: int) -> None:
    os.environ["POLARS_MAX_THREADS"] = "1"  # before the worker imports polars
    Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when its parent has ended, which a killed parent cannot ask for."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _numbered(number: int, function: Callable[[T], R], task: T) -> tuple[int, R]:
    """Compute a result with one thread, because another number of threads may change its last bits."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return number, function(task)
