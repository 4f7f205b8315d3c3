"""Console messages and progress bars, on stderr.

Commands report through `Console`. Code below them takes a callable for messages and one for progress, and logs nothing.
"""

import gc
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from threading import Timer
from typing import TYPE_CHECKING, Literal

from pozytywka_cli.records import Progress, Report

if TYPE_CHECKING:
    from logging import Logger

    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

PYTHON_THRESHOLDS = (700, 10, 10)  # of garbage collection, Python's own defaults
BAR_DELAY = 2.0  # seconds before a bar appears
# control characters but the line feed, overrides and isolates of text direction, and what UTF-8 or XML cannot hold
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def literal(text: str) -> str:
    """Escape the characters of a text that a terminal would obey; all others stay, so that output is valid input."""
    return UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


class Console:
    """Messages to stderr: `info` unless quiet, `detail` only when verbose, `warn` always."""

    def __init__(self, *, log_format: Literal["text", "json"], verbose: bool, quiet: bool) -> None:
        self.log_format = log_format
        self.verbose = verbose
        self.quiet = quiet

    @cached_property
    def _logger(self) -> "Logger":
        from pozytywka_cli.commands.logs import logger  # imported for the first message: many lookups have none

        return logger(self.log_format, verbose=self.verbose, quiet=self.quiet)

    def info(self, message: str) -> None:
        """Report what is being done, or was done."""
        self._logger.info("%s", message)

    def detail(self, message: str) -> None:
        """Report a detail for --verbose."""
        self._logger.debug("%s", message)

    def warn(self, message: str) -> None:
        """Report a problem that does not stop the command."""
        self._logger.warning("%s", message)

    @contextmanager
    def progress(self) -> Iterator[Report]:
        """Show bars with rate and time left on a terminal; elsewhere, with --verbose, log a line for each step.

        Long work makes reference cycles, so from here on garbage collection runs as usual (see `__main__`).
        """
        gc.set_threshold(*PYTHON_THRESHOLDS)
        if self.quiet or self.log_format == "json" or not sys.stderr.isatty():
            yield self._line
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TextColumn("{task.fields[loss]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        bars = RichProgress(*columns, console=Console(stderr=True), transient=True)
        timer = Timer(BAR_DELAY, bars.start)  # not at the next step: a step may take much longer
        timer.daemon = True
        timer.start()
        try:
            yield _Bars(bars)
        finally:
            timer.cancel()
            bars.stop()

    def _line(self, step: Progress) -> None:
        loss = "" if step.loss is None else f", loss {step.loss:.4f}"
        self.detail(f"{step.stage}: {step.done} of {step.total}{loss}")


class _Bars:
    """A progress report that draws one bar for each stage."""

    def __init__(self, bars: "RichProgress") -> None:
        self.bars = bars
        self.tasks: dict[str, TaskID] = {}
        self.started: dict[str, float] = {}

    def __call__(self, step: Progress) -> None:
        now = time.monotonic()
        if step.stage not in self.tasks:
            self.tasks[step.stage] = self.bars.add_task(step.stage, total=step.total, rate="", loss="")
            self.started[step.stage] = now
        elapsed = now - self.started[step.stage]
        rate = f"{step.done / elapsed:.1f}/s" if elapsed > 0.1 else ""
        loss = "" if step.loss is None else f"loss {step.loss:.4f}"
        self.bars.update(self.tasks[step.stage], completed=step.done, total=step.total, rate=rate, loss=loss)
