"""Random search: drawn settings, stored trials, and results that depend only on the search itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from math import log
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_cli.errors import ArtifactError, RefusedError, StorageError, UnavailableError
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.records import Progress, silent
from pozytywka_cli.tuning import Choice, LogUniform, Trial, Uniform, best, drawn, read_trials, search

BASE = SkipSettings(epochs=7, dropout=0.25)
SPACE = {
    "width": Choice((16, 32, 64)),
    "dropout": Uniform(0.0, 0.5),
    "learning_rate": LogUniform(3e-4, 1e-2),
}
SEEDS = st.integers(0, 2**31 - 1)
NUMBERS = st.integers(1, 10_000)


@given(seed=SEEDS, number=NUMBERS)
def test_drawn_settings_lie_in_the_space(seed: int, number: int):
    """Numbers lie within their bounds and have three digits; settings outside of the space are unchanged."""
    found = drawn(SPACE, BASE, number, seed)
    assert found.width in (16, 32, 64)
    assert 0 <= found.dropout <= 0.5
    assert 3e-4 <= found.learning_rate <= 1e-2
    assert all(len(Decimal(str(value)).as_tuple().digits) <= 3 for value in (found.dropout, found.learning_rate))
    searched = {name: getattr(BASE, name) for name in SPACE}
    assert msgspec.structs.replace(found, **searched) == BASE


@given(seed=SEEDS, number=NUMBERS)
def test_a_draw_depends_only_on_the_seed_and_the_number(seed: int, number: int):
    """The same for the same ones; another one for another number or seed."""
    found = drawn(SPACE, BASE, number, seed)
    assert found == drawn(SPACE, BASE, number, seed)
    assert found != drawn(SPACE, BASE, number + 1, seed)
    assert found != drawn(SPACE, BASE, number, seed + 1)


@given(seed=SEEDS)
def test_trial_0_has_the_present_settings(seed: int):
    """Even where they lie outside of the space."""
    outside = SkipSettings(width=7, dropout=0.9)
    assert drawn(SPACE, outside, 0, seed) is outside


def test_draws_spread_over_the_space():
    """Every choice comes about equally often, and half of the numbers lie in each half of their range or its log."""
    found = [drawn(SPACE, BASE, number, 0) for number in range(1, 1001)]
    assert all(280 < sum(one.width == width for one in found) < 390 for width in (16, 32, 64))
    assert 450 < sum(one.dropout < 0.25 for one in found) < 550
    assert 450 < sum(log(one.learning_rate) < (log(3e-4) + log(1e-2)) / 2 for one in found) < 550


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of trials."""
    return tmp_path / "skip" / "trials.jsonl"


def candidates(count: int) -> list[SkipSettings]:
    """The settings of this number of trials."""
    return [drawn(SPACE, BASE, number, 1) for number in range(count)]


def searched(
    file: Path,
    count: int,
    loss: Callable[[SkipSettings], float],
    *,
    fingerprint: str = "a",
    jobs: int = 1,
    report: Callable[[Progress], None] = silent,
) -> list[Trial]:
    """A search of this number of trials."""
    return search(candidates(count), loss, file=file, fingerprint=fingerprint, variant="x", jobs=jobs, report=report)


def test_only_new_trials_are_run(file: Path):
    """Three, then six: three more; then six or two again: none."""
    run: list[SkipSettings] = []

    def loss(settings: SkipSettings) -> float:
        run.append(settings)
        return settings.dropout

    three = searched(file, 3, loss)
    assert run == candidates(3)
    six = searched(file, 6, loss)
    assert run == candidates(6)
    assert (six[:3], searched(file, 6, loss), searched(file, 2, loss)) == (three, six, six[:2])
    assert len(run) == 6
    assert [trial.loss for trial in six] == [one.dropout for one in candidates(6)]
    assert read_trials(file) == six


def test_an_interrupted_search_goes_on(file: Path):
    """Completed trials are not run again, and the result is that of a search without interruption."""
    run: list[float] = []

    def loss(settings: SkipSettings) -> float:
        if len(run) == 2:
            run.append(0.0)
            raise KeyboardInterrupt
        run.append(settings.dropout)
        return settings.dropout

    with pytest.raises(KeyboardInterrupt):
        searched(file, 5, loss)
    assert [trial.number for trial in read_trials(file)] == [0, 1]
    found = searched(file, 5, loss)
    assert len(run) == 2 + 1 + 3
    assert found == searched(file.with_name("other.jsonl"), 5, lambda settings: settings.dropout)


def test_the_result_does_not_depend_on_jobs(file: Path):
    """The same trials and the same bytes from two processes as from none, whichever trial ends first."""

    def loss(settings: SkipSettings) -> float:
        import time

        time.sleep(settings.dropout / 5)
        return 1 / 3 + settings.learning_rate

    other = file.with_name("other.jsonl")
    assert searched(file, 5, loss, jobs=2) == searched(other, 5, loss)
    assert file.read_bytes() == other.read_bytes()


def test_a_worker_has_one_thread(file: Path):
    """In numerical libraries and in polars."""

    def threads(_: SkipSettings) -> float:
        import numpy
        import polars
        from threadpoolctl import threadpool_info

        numpy.ones((64, 64)) @ numpy.ones((64, 64))
        return max(polars.thread_pool_size(), *(pool["num_threads"] for pool in threadpool_info()))

    assert [trial.loss for trial in searched(file, 2, threads, jobs=2)] == [1, 1]


def test_trials_of_other_searches_stay(file: Path):
    """They are neither used nor lost."""
    first = searched(file, 2, lambda _: 1.0, fingerprint="a")
    second = searched(file, 3, lambda _: 2.0, fingerprint="b")
    assert {trial.loss for trial in second} == {2.0}
    assert searched(file, 2, lambda _: 3.0, fingerprint="a") == first
    assert read_trials(file) == first + second


def test_the_best_has_the_lowest_loss(file: Path):
    """Of equal ones the lower number, so that the present settings stay unless others are better."""
    losses = dict(zip(candidates(5), (0.5, 0.4, 0.3, 0.3, 0.4), strict=True))
    assert best(searched(file, 5, losses.__getitem__)).number == 2
    assert best(searched(file.with_name("other.jsonl"), 5, lambda _: 0.5)).number == 0


def test_every_finished_trial_is_reported(file: Path):
    """With its loss; trials in the file count as done from the start."""
    searched(file, 2, lambda settings: settings.dropout)
    seen: list[Progress] = []
    searched(file, 4, lambda settings: settings.dropout, report=seen.append)
    losses = [candidates(4)[number].dropout for number in (2, 3)]
    assert [(step.done, step.loss) for step in seen] == [(2, None), (3, losses[0]), (4, losses[1])]
    assert {(step.stage, step.total) for step in seen} == {("x trials", 4)}


def test_trials_of_another_space_are_run_again(file: Path):
    """A trial in the file whose settings are not those of its number is replaced; later trials stay."""
    searched(file, 4, lambda settings: settings.dropout)
    first, second, third, fourth = read_trials(file)
    changed = msgspec.structs.replace(second, settings=first.settings)
    file.write_text("".join(f"{msgspec.json.encode(trial).decode()}\n" for trial in (first, changed, third, fourth)))
    run: list[SkipSettings] = []

    def loss(settings: SkipSettings) -> float:
        run.append(settings)
        return settings.dropout

    assert searched(file, 2, loss) == [first, second]
    assert run == candidates(2)[1:]
    assert read_trials(file) == [first, second, third, fourth]


TRIAL = '{"search":"a","variant":"x","number":%s,"settings":%s,"loss":%s}'


@pytest.mark.parametrize(
    "damage",
    [
        *(b"{", b"\xff", b"", b"{}", b'{"search": 3}', b"\0", b"[" * 10**5),
        *((TRIAL % values).encode() for values in (("-1", "{}", "1"), ("9" * 5000, "{}", "1"), ("1", "{}", "1e999"))),
        *((TRIAL % ("1", value, "1")).encode() for value in ("[]", '{"x":' * 5000, '{"x":"\\ud800"}')),
    ],
)
def test_a_damaged_file_is_refused(file: Path, damage: bytes):
    """The message names the file, the line and what to do; nothing is run, and the file is not changed."""
    searched(file, 2, lambda _: 1.0)
    lines = file.read_bytes().splitlines()
    file.write_bytes(b"\n".join([lines[0], damage, lines[1]]))
    before = file.read_bytes()
    with pytest.raises(ArtifactError) as raised:
        searched(file, 3, lambda _: pytest.fail("a trial was run"))
    assert raised.value.message.startswith(f"{file}:2 is damaged: ")
    assert "remove the file" in raised.value.hint
    assert file.read_bytes() == before


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_a_trial_ends_the_search(file: Path, jobs: int):
    """The error itself is raised, also from another process."""

    def loss(_: SkipSettings) -> float:
        raise RefusedError("too few plays", "Give it more.")

    with pytest.raises(RefusedError) as raised:
        searched(file, 3, loss, jobs=jobs)
    assert (raised.value.message, raised.value.hint) == ("too few plays", "Give it more.")
    assert not file.exists()


def test_a_search_that_cannot_write_a_trial_leaves_nothing_running(file: Path):
    """It neither waits for running trials nor warns of them, and can be started again at once."""

    def loss(settings: SkipSettings) -> float:
        import time

        time.sleep(0.0 if settings == BASE else 600.0)
        return 0.5

    def full(step: Progress) -> None:
        if step.loss is not None:
            raise StorageError("cannot write: No space left on device")

    with pytest.raises(StorageError):
        searched(file, 3, loss, jobs=2, report=full)
    assert [trial.loss for trial in searched(file, 3, lambda _: 0.4, jobs=2)] == [0.5, 0.4, 0.4]


def test_a_killed_process_is_explained(file: Path):
    """As when memory runs out."""

    def loss(_: SkipSettings) -> float:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0.0

    with pytest.raises(UnavailableError, match="one of the processes was killed") as raised:
        searched(file, 3, loss, jobs=2)
    assert "fewer --jobs" in raised.value.hint


ENDLESS = """
import os, sys, time
from pathlib import Path
from pozytywka_cli.commands import boundary
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.records import silent
from pozytywka_cli.tuning import search

folder = Path(sys.argv[1])

def loss(_):
    (folder / str(os.getpid())).touch()
    time.sleep(600)

boundary._end_on_signals()
settings = [SkipSettings(epochs=1), SkipSettings(epochs=2)]
search(settings, loss, file=folder / "trials", fingerprint="a", variant="x", jobs=2, report=silent)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_no_worker_outlives_a_killed_search(number: signal.Signals, tmp_path: Path):
    """Within seconds, also where the search could not tell its workers to end."""
    parent = subprocess.Popen([sys.executable, "-c", ENDLESS, str(tmp_path)])
    try:
        wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
    finally:
        parent.send_signal(number)
    expected = -number if number == signal.SIGKILL else 128 + number
    assert parent.wait(timeout=60) == expected
    workers = [Path("/proc") / path.name / "stat" for path in tmp_path.iterdir()]
    wait_until(lambda: not any(map(runs, workers)))


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait up to a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def runs(stat: Path) -> bool:
    """Whether a process runs; one that has ended may still be listed as a zombie."""
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
