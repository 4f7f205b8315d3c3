"""Choose tracks within a budget: a knapsack whose items are small beside it."""

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.errors import RefusedError, UsageError
from pozytywka_cli.evaluation import Flags, Floats, Ints
from pozytywka_cli.planning.storage import FAST, MEDIUM, SLOW, Storage


@dataclass(frozen=True)
class Budgets:
    """The most that all tracks in FAST, and all in MEDIUM, may cost a day, in the unit of daily_cost."""

    fast: float
    medium: float = 0.0


def budgets(fast: str, medium: str) -> Budgets:
    """Parse the values of --fast-budget, which must be above 0, and --medium-budget, or raise a UsageError."""
    parsed = Budgets(_cost(fast, "--fast-budget"), _cost(medium, "--medium-budget"))
    if not parsed.fast:
        raise UsageError("--fast-budget 0: there is nothing to place", "Choose a cost above 0.")
    return parsed


def _cost(text: str, name: str) -> float:
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) or not math.isfinite(float(text)):
        raise UsageError(f"{name} {text!r} is not a cost", "Write it like 12 or 0.05, in the unit of daily_cost.")
    return float(text)


def place(values: Floats, storage: Storage, budgets: Budgets) -> NDArray[np.str_]:
    """Return the class of each track, (tracks,): the most value in FAST, then in MEDIUM; the others are in SLOW.

    `values`, (tracks,), are what each track is worth in a faster class.

    Raises:
        RefusedError: no track fits the budget of FAST, or the costs of a class are unknown.
    """
    for name in (FAST, SLOW, *((MEDIUM,) if budgets.medium else ())):
        storage.require(name)
    require_room(storage, budgets.fast)
    fast = chosen(values, storage.costs(FAST), budgets.fast)
    medium = np.zeros_like(fast)
    if budgets.medium:
        rest = np.where(fast, math.inf, storage.costs(MEDIUM))
        medium = chosen(values, rest, budgets.medium)
    return np.select([fast, medium], [FAST, MEDIUM], SLOW)


def require_room(storage: Storage, budget: float) -> None:
    """Raise a RefusedError if no track fits a budget of FAST."""
    least = float(storage.costs(FAST).min())
    if budget < least:
        problem = (
            f"--fast-budget {budget:g} has no room for any track: the cheapest one costs {least:.3g} a day in FAST"
        )
        everything = storage.costs(FAST).sum()
        raise RefusedError(problem, f"Choose a higher one; all tracks in FAST would cost {everything:,.2f} a day.")


def chosen(values: Floats, costs: Floats, budget: float) -> Flags:
    """Return which tracks to take for the most value within a budget, (tracks,); those without value are left out.

    Tracks are taken by value per cost as long as they fit (Dantzig, 1957): the value is less than the best possible one
    by less than that of one track. Where few tracks fit, taking them by value may be better, and then they are. Of
    equal tracks the first one is taken.
    """
    density = np.divide(values, costs, out=np.full(len(values), math.inf), where=costs > 0)
    fillings = [fill(order[values[order] > 0], costs, budget) for order in (descending(density), descending(values))]
    return max(fillings, key=lambda taken: values[taken].sum())


def descending(values: Floats) -> Ints:
    """Return the order of values from the highest, the first one of equal ones first: (values,)."""
    return np.argsort(-values, kind="stable")


def fill(order: Ints, costs: Floats, budget: float) -> Flags:
    """Return which tracks are taken if each one is taken in this order that still fits: (tracks,)."""
    taken, left = np.zeros(len(costs), np.bool_), budget
    order = order[costs[order] <= left]
    while len(order):  # all that fit in a row, then those that are small enough for what is left
        totals = np.cumsum(costs[order])
        count = int(np.searchsorted(totals, left, side="right"))
        taken[order[:count]] = True
        left -= totals[count - 1]
        order = order[count:]
        order = order[costs[order] <= left]
    return taken
