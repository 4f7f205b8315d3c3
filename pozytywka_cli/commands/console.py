"""What a person hears while a command works: messages and progress, on stderr, in words or as JSON lines."""

import gc
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING, Literal

from pozytywka_cli.records import Progress, Report

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

USUAL = (700, 10, 10)  # objects and younger collections between looks for garbage: Python's own numbers
PATIENCE = 2.0  # seconds before a bar appears


def literal(text: str) -> str:
    """Text from data as it may be shown: control characters, which a terminal would obey, become escapes."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def write_log(level: str, message: str, **more: object) -> None:
    """One JSON line on stderr."""
    record = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "level": level, "message": message, **more}
    sys.stderr.write(json.dumps(record, ensure_ascii=False) + "\n")


class Console:
    """Messages to stderr: `info` unless quiet, `detail` only when verbose, `warn` always."""

    def __init__(self, *, log_format: Literal["text", "json"], verbose: bool, quiet: bool) -> None:
        self.json = log_format == "json"
        self.verbose = verbose
        self.quiet = quiet

    def info(self, message: str) -> None:
        """Say what is being done, or was done."""
        if not self.quiet:
            self._write("info", message)

    def detail(self, message: str) -> None:
        """Say what only somebody who asked for it wants to know."""
        if self.verbose:
            self._write("detail", message)

    def warn(self, message: str) -> None:
        """Say what the user should know even when they asked for silence."""
        self._write("warning", message)

    def _write(self, level: str, message: str) -> None:
        if self.json:
            write_log(level, message)
        else:
            sys.stderr.write(("warning: " if level == "warning" else "") + literal(message) + "\n")

    @contextmanager
    def progress(self) -> Iterator[Report]:
        """A report that shows bars with rate and time left on a terminal, and, when verbose, lines elsewhere.

        What takes long makes garbage, so from here on Python looks for it as it usually does (see `__main__`).
        """
        gc.set_threshold(*USUAL)
        if self.quiet or self.json or not sys.stderr.isatty():
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
        patience = Timer(PATIENCE, bars.start)  # a step may last longer than that, and says nothing meanwhile
        patience.daemon = True
        patience.start()
        try:
            yield _Bars(bars)
        finally:
            patience.cancel()
            bars.stop()

    def _line(self, step: Progress) -> None:
        loss = "" if step.loss is None else f", loss {step.loss:.4f}"
        self.detail(f"{step.stage}: {step.done} of {step.total}{loss}")


class _Bars:
    """One bar for each stage."""

    def __init__(self, bars: "RichProgress") -> None:
        self.bars = bars
        self.tasks: dict[str, TaskID] = {}
        self.begun: dict[str, float] = {}

    def __call__(self, step: Progress) -> None:
        now = time.monotonic()
        if step.stage not in self.tasks:
            self.tasks[step.stage] = self.bars.add_task(step.stage, total=step.total, rate="", loss="")
            self.begun[step.stage] = now
        elapsed = now - self.begun[step.stage]
        rate = f"{step.done / elapsed:.1f}/s" if elapsed > 0.1 else ""
        loss = "" if step.loss is None else f"loss {step.loss:.4f}"
        self.bars.update(self.tasks[step.stage], completed=step.done, total=step.total, rate=rate, loss=loss)
