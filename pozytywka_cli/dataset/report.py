"""Is the data good enough? How many bad lines are too many, and which level of violation fails."""

from dataclasses import dataclass
from typing import Literal

from pozytywka_cli.dataset.validate import Checked
from pozytywka_cli.errors import UsageError

FailOn = Literal["error", "warning", "never"]


@dataclass(frozen=True)
class MaxBad:
    """The bad lines that a table may have: a number, or a share of its lines."""

    number: float
    share: bool

    @classmethod
    def parse(cls, text: str) -> "MaxBad":
        """From `12` or `0.1%`.

        Raises:
            UsageError: neither a number of lines nor a percentage from 0 to 100.
        """
        try:
            number = float(text.removesuffix("%"))
        except ValueError:
            number = -1.0
        if not 0 <= number <= (100 if text.endswith("%") else 1e18):
            raise UsageError(f"--max-bad {text!r} is no number of lines", "Write it as 10 or 0.1%.")
        return cls(number / 100 if text.endswith("%") else number, text.endswith("%"))

    def exceeded(self, bad: int, lines: int) -> bool:
        """Whether `bad` of `lines` are too many."""
        return bad > (self.number * lines if self.share else self.number)


def failures(checked: Checked, fail_on: FailOn, max_bad: MaxBad) -> list[str]:
    """Why the data fail, a sentence each; none if they pass."""
    if fail_on == "never":
        return []
    tables = [v for v in checked.violations if v.rule == "table" and v.level == "error"]
    reasons = [f"{found.table} is {found.examples[0].value.partition(';')[0]}" for found in tables]
    for name, reading in checked.readings.items():
        if max_bad.exceeded(bad := len(checked.bad(name)), reading.lines):
            reasons.append(f"{bad:,} of {reading.lines:,} lines of {name} are bad")
    warnings = [v for v in checked.violations if v.level == "warning"]
    if fail_on == "warning" and warnings:
        reasons.append(f"{sum(v.count for v in warnings):,} warnings")
    return reasons
