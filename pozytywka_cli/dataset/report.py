"""Decide whether checked data pass: how many bad lines are allowed, and which level of violation fails."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pozytywka_cli.dataset.validate import Checked
from pozytywka_cli.errors import RefusedError, UsageError

FailOn = Literal["error", "warning", "never"]


@dataclass(frozen=True)
class MaxBad:
    """The bad lines that a table may have: a number, or a share of its lines."""

    number: float
    is_share: bool

    @classmethod
    def parse(cls, text: str) -> "MaxBad":
        """Parse `12` or `0.1%`.

        Raises:
            UsageError: neither a number of lines nor a percentage from 0 to 100.
        """
        try:
            number = float(text.removesuffix("%"))
        except ValueError:
            number = -1.0
        if not 0 <= number <= (100 if text.endswith("%") else 1e18):
            raise UsageError(f"--max-bad {text!r} is not a number of lines", "Write it as 10 or 0.1%.")
        return cls(number / 100 if text.endswith("%") else number, text.endswith("%"))

    def exceeded(self, bad: int, lines: int) -> bool:
        """Return whether `bad` of `lines` are too many."""
        return bad > (self.number * lines if self.is_share else self.number)


def raise_failures(checked: Checked, fail_on: FailOn, max_bad: MaxBad, quarantine: Path | None = None) -> None:
    """Raise if the data do not pass; `quarantine` is the folder that bad lines were written to.

    Raises:
        RefusedError: a table is missing, has too many bad lines or, if warnings fail, has warnings.
    """
    if fail_on == "never":
        return
    failures = [f"{v.table} is {v.examples[0].value.partition(';')[0]}" for v in checked.missing]
    hints = ["Check --data-dir; `pozytywka schema` lists the tables."] if failures else []
    for name, reading in checked.readings.items():
        if max_bad.exceeded(bad := len(checked.bad(name)), reading.lines):
            failures.append(f"{bad:,} of {reading.lines:,} lines of {name} are bad")
            where = f"The bad lines are in {quarantine / 'bad'}." if quarantine else ""
            hints.insert(0, where or "Write the bad lines to a folder with --quarantine DIR.")
    warnings = [v for v in checked.violations if v.level == "warning"]
    if fail_on == "warning" and warnings:
        count = sum(v.count for v in warnings)
        failures.append(f"{count:,} {'warning' if count == 1 else 'warnings'}")
        hints.append("Correct what the table lists, or let only errors fail: --fail-on error.")
    if failures:
        raise RefusedError("; ".join(failures), hints[0])
