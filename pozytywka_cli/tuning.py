"""Random search over any family's settings: what to try, what was tried before, and what came of it; knows no models.

Trial 0 has the settings in force, and trial k > 0 is drawn by the seed and k alone: a longer search begins with the
trials of the shorter one.
"""

import math
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from pozytywka_cli import files
from pozytywka_cli.errors import ArtifactError, UnavailableError
from pozytywka_cli.records import Progress, Report

IDLE = 10  # seconds after which a worker that has nothing to do ends, and gives its memory back

S = TypeVar("S", bound=msgspec.Struct)


class Dimension(Protocol):
    """Where a setting's values may lie."""

    def at(self, share: float) -> Any:
        """The value that lies `share` of the way through them, 0 ≤ share < 1."""
        ...


Space = Mapping[str, Dimension]


@dataclass(frozen=True)
class Choice:
    """One of these values, each as likely as any other."""

    values: tuple[Any, ...]

    def at(self, share: float) -> Any:
        """The value that lies `share` of the way through them, 0 ≤ share < 1."""
        return self.values[int(share * len(self.values))]


@dataclass(frozen=True)
class Uniform:
    """A number of three digits from `low` to `high`, which have no more themselves."""

    low: float
    high: float

    def at(self, share: float) -> float:
        """The value that lies `share` of the way from `low` to `high`."""
        return _three_digits(self.low + share * (self.high - self.low))


@dataclass(frozen=True)
class LogUniform:
    """A number of three digits from `low` > 0 to `high`, which have no more themselves; its logarithm is uniform."""

    low: float
    high: float

    def at(self, share: float) -> float:
        """The value whose logarithm lies `share` of the way from that of `low` to that of `high`."""
        return _three_digits(self.low * (self.high / self.low) ** share)


def _three_digits(value: float) -> float:
    # so that a person who reads a value can set exactly that
    return float(f"{value:.3g}")


class Trial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `settings` that trial `number` of a search had, all of them, and the loss that came of it: less is better.

    `search` is the fingerprint of everything else that decides a loss.
    """

    search: str
    variant: str
    number: int
    settings: dict[str, Any]
    loss: float


def drawn(space: Space, base: S, number: int, seed: int) -> S:
    """The settings of trial `number`: `base` itself, or with every setting of `space` drawn anew."""
    if number == 0:
        return base
    import random  # here, for whoever only declares a space should not pay for it

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
    """The trials of all candidates, in their order: those that `file` keeps, and the others, each run and kept at once.

    `loss` runs in `jobs` processes with one thread each, or in this one; which, and what was interrupted before,
    changes no trial. Trials of other fingerprints stay in `file`.

    Raises:
        ArtifactError: `file` is damaged.
        UnavailableError: a process was killed.
    """
    kept = read_trials(file)
    others = [trial for trial in kept if trial.search != fingerprint]
    ours = {trial.number: trial for trial in kept if trial.search == fingerprint}
    missing = {number: settings for number, settings in enumerate(candidates) if number not in ours}
    stage, total = f"{variant} trials", len(candidates)
    report(Progress(stage, total - len(missing), total))
    with _losses(loss, missing, jobs) as losses:
        for done, (number, found) in enumerate(losses, total - len(missing) + 1):
            ours[number] = Trial(fingerprint, variant, number, msgspec.to_builtins(candidates[number]), found)
            _write_trials(file, [*others, *(ours[one] for one in sorted(ours))])
            report(Progress(stage, done, total, found))
    return [ours[number] for number in range(total)]


def best(trials: list[Trial]) -> Trial:
    """The trial with the lowest loss, of equal ones that with the lowest number."""
    return min(trials, key=lambda trial: (trial.loss, trial.number))


def read_trials(file: Path) -> list[Trial]:
    """The trials that a file keeps, one a line; none if it is not there.

    Raises:
        ArtifactError: a line is damaged.
    """
    if not file.exists():
        return []
    return [_trial(line, f"{file}:{number}") for number, line in enumerate(file.read_bytes().splitlines(), 1)]


def _trial(line: bytes, where: str) -> Trial:
    try:
        return msgspec.json.decode(line, type=Trial)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        hint = "Mend that line or remove the file, whose trials are then run again."
        raise ArtifactError(f"{where} is damaged: {error}", hint) from None


def _write_trials(file: Path, trials: list[Trial]) -> None:
    files.write_text(file, "".join(f"{msgspec.json.encode(trial).decode()}\n" for trial in trials))


@contextmanager
def _losses(loss: Callable[[S], float], settings: dict[int, S], jobs: int) -> Iterator[Iterator[tuple[int, float]]]:
    """The losses of numbered settings, in the order in which they are found; what still runs when it ends is ended."""
    from concurrent.futures.process import BrokenProcessPool

    from joblib import Parallel, delayed

    parallel = Parallel(
        max(1, min(jobs, len(settings))),  # of one it makes no process
        backend="loky",
        return_as="generator_unordered",
        batch_size=1,
        idle_worker_timeout=IDLE,
        initializer=_with_one_polars_thread,
    )
    found = parallel(delayed(_numbered)(number, loss, one) for number, one in settings.items())
    try:
        yield found
    except BrokenProcessPool:
        problem = "the process of a trial was killed, as is one that takes more memory than there is"
        raise UnavailableError(problem, "Go on with fewer --jobs: the trials that ended are kept.") from None
    finally:
        with warnings.catch_warnings(action="ignore"):  # joblib would tell how many trials are not waited for
            found.close()


def _with_one_polars_thread() -> None:
    os.environ["POLARS_MAX_THREADS"] = "1"  # read when polars is imported, which in a new worker is later


def _numbered(number: int, loss: Callable[[S], float], settings: S) -> tuple[int, float]:
    """The loss, by one thread wherever it runs: another number of them may change the last bits."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        found = loss(settings)
    return number, found if math.isfinite(found) else sys.float_info.max  # diverged; JSON has no infinity
