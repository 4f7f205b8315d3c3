"""Console messages and progress bars, on stderr.

Commands report through `Console`. Code below them takes a callable for messages and one for progress, and logs nothing.
"""

import gc
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from threading import Timer
from typing import TYPE_CHECKING, Literal

from pozytywka_cli.records import Progress, Report

if TYPE_CHECKING:
    from logging import Logger

PYTHON_THRESHOLDS = (700, 10, 10)  # of garbage collection, Python's own defaults
BAR_DELAY = 2.0  # seconds before a bar appears
# control characters but the line feed, overrides and isolates of text direction, and what UTF-8 or XML cannot hold
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def literal(text: str) -> str:
    """Escape the characters of a text that a terminal would obey; all others stay, so that output is valid input."""
    return UNSAFE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def literal_json(text: str) -> str:
    r"""Escape the same characters in JSON text as \uXXXX; its values stay the same, for they only stand in strings."""
    return UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class Console:
    """Messages to stderr: `info` unless quiet, `detail` only when verbose, `warn` always."""

    def __init__(self, *, log_format: Literal["text", "json"], verbose: bool, quiet: bool) -> None:
        self.log_format, self.verbose, self.quiet = log_format, verbose, quiet

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
            yield lambda step: self.detail(f"{step.stage}: {step.done} of {step.total}{_loss(step, ', ')}")
        else:
            with _bars() as report:
                yield report


@contextmanager
def _bars() -> Iterator[Report]:
    """Show a bar for each stage."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    texts = [TextColumn(f"{{task.{text}}}", markup=False) for text in ("description", "fields[rate]", "fields[loss]")]
    columns = (texts[0], BarColumn(), MofNCompleteColumn(), *texts[1:], TimeElapsedColumn(), TimeRemainingColumn())
    bars = Bars(*columns, console=Console(stderr=True), transient=True)
    tasks: dict[str, TaskID] = {}

    def report(step: Progress) -> None:
        if step.stage not in tasks:
            tasks[step.stage] = bars.add_task(step.stage, rate="", loss="")
        task = tasks[step.stage]
        elapsed = bars.tasks[task].elapsed or 0.0
        rate = f"{step.done / elapsed:.1f}/s" if elapsed > 0.1 else ""
        bars.update(task, completed=step.done, total=step.total, rate=rate, loss=_loss(step))

    timer = Timer(BAR_DELAY, bars.start)  # not at the next step: a step may take much longer
    timer.daemon = True
    timer.start()
    try:
        yield report
    finally:
        timer.cancel()
        bars.stop()


def _loss(step: Progress, before: str = "") -> str:
    return "" if step.loss is None else f"{before}loss {step.loss:.4f}"
