"""What is logged of an experiment, exposures and outcomes, and what can be stored of them."""

import math
from collections.abc import Iterator, Sequence

import msgspec

from pozytywka_cli.errors import UsageError
from pozytywka_cli.experiments.definition import FROM_THE_LOG, Experiment

LONGEST = 200  # characters of an id
EARLIEST = 946_684_800_000_000  # µs since 1970: the beginning of 2000, as in the tables of the service
AHEAD = 86_400_000_000  # µs that a client's clock may be ahead of ours


class Exposure(msgspec.Struct, frozen=True):
    """A unit that was exposed to its arm at a time (µs since 1970), with the model's version and the request's id."""

    unit: str
    at: int
    arm: str
    version: str | None = None
    request: str | None = None


class Outcome(msgspec.Struct, frozen=True):
    """A value of a metric for a unit at a time (µs since 1970).

    event: what it comes from; the same event of the same unit and metric is logged once
    weight: of a ratio metric, what the value is a part of (1 skip of 1 play)
    """

    unit: str
    metric: str
    event: str
    at: int
    value: float
    weight: float = 1.0


def is_id(text: str) -> bool:
    """Return whether a text can be the id of a unit, an event or a request: 1 to 200 printable characters."""
    return 0 < len(text) <= LONGEST and text.isprintable()  # NUL and lone surrogates are not


def check_units(units: Sequence[str]) -> None:
    """Raise a UsageError if the id of a unit is empty, longer than 200 characters, or not printable."""
    for unit in units:
        if not is_id(unit):
            raise UsageError(f"{unit[:50]!r} cannot be the id of a unit", "Use 1 to 200 printable characters.")


def check_outcomes(experiment: Experiment, outcomes: Sequence[Outcome], now: int) -> None:
    """Check outcomes that somebody sends.

    Those of metrics that are computed from the log are refused: a play would be counted twice, once as it was sent and
    once from the log.

    Args:
        experiment: what they belong to.
        outcomes: in the order in which they were sent; an error counts them from 1.
        now: µs since 1970; an outcome may be a day ahead of it, as clocks differ.

    Raises:
        UsageError: a field cannot be used; the first one is named.
    """
    for number, outcome in enumerate(outcomes, 1):
        for field, problem, hint in _problems(experiment, outcome, now):
            raise UsageError(f"outcome {number}: {field} {problem}", hint)


def _problems(experiment: Experiment, outcome: Outcome, now: int) -> Iterator[tuple[str, str, str]]:
    """Yield field, problem and hint for everything that is wrong with an outcome."""
    for field in ("unit", "event"):
        if not is_id(text := getattr(outcome, field)):
            yield field, f"{text[:50]!r} cannot be an id", f"Use 1 to {LONGEST} printable characters."
    metrics = [metric.name for metric in experiment.metrics]
    if outcome.metric not in metrics:
        problem = f"{outcome.metric[:50]!r} is no metric of {experiment.name}"
        yield "metric", problem, f"It has {', '.join(metrics)}."
    elif outcome.metric in FROM_THE_LOG:
        hint = "Log the plays, and take them: `pozytywka experiment analyze NAME --from-log`."
        yield "metric", f"{outcome.metric!r} is computed from the log, and would be counted twice", hint
    if not EARLIEST <= outcome.at <= now + AHEAD:
        yield "at", f"{outcome.at} lies before 2000 or in the future", "Send microseconds since 1970, UTC."
    for field in ("value", "weight"):
        if not math.isfinite(number := getattr(outcome, field)):
            yield field, f"{number} is no finite number", "Send a number."
    if outcome.weight < 0:
        yield "weight", f"{outcome.weight:g} is negative", "A weight is what a value is a part of: 0 or more."
