"""Divide a budget among artists by weight, to the cent."""

import re
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.errors import RefusedError, UsageError

Floats = NDArray[np.float64]
Cents = NDArray[np.int64]

CENTS = 100
MAX_AMOUNT = 10**11  # beyond it, doubles cannot represent every cent
NEGLIGIBLE = 1e-100  # relative to the largest weight: a cent for less would overflow the level of a unit


@dataclass(frozen=True)
class Rule:
    """How to divide next week's budget; amounts are in cents, `premium` and `cut` are shares.

    No artist gets less than the `floor` or more than the `cap` (None: no limit). A rising artist's weight is increased
    by the premium, a falling one's is reduced by the cut.
    """

    budget: int
    floor: int = 0
    cap: int | None = None
    premium: float = 0.0
    cut: float = 0.0

    @property
    def most(self) -> int:
        """The largest possible pay-out."""
        return self.budget if self.cap is None else self.cap

    def weights(self, forecast: Floats, trends: NDArray[np.str_]) -> Floats:
        """Return the weight of each artist: (artists,), in the forecast's unit."""
        factors = np.select([trends == "rising", trends == "falling"], [1 + self.premium, 1 - self.cut], 1.0)
        return np.asarray(forecast * factors)


def cents(amount: str, name: str) -> int:
    """Parse an amount of money like 1000 or 12.50 to cents, or raise a UsageError; `name` is its flag."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]{1,2})?", amount):
        raise UsageError(f"{name} {amount!r} is not an amount of money", "Write it like 1000 or 12.50.")
    if Decimal(amount) > MAX_AMOUNT:
        raise UsageError(f"{name} {amount} is too much", f"The most is {MAX_AMOUNT:,}.")
    return int(Decimal(amount) * CENTS)


def percentage(text: str, name: str) -> float:
    """Parse a percentage from 0% to 100% to a share, or raise a UsageError; `name` is its flag."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?%", text) or float(text[:-1]) > 100:
        raise UsageError(f"{name} {text!r} is not a percentage from 0% to 100%", "Write it like 5%.")
    return float(text[:-1]) / 100


def money(amount: int) -> str:
    """Format cents as 1,234.50."""
    return f"{amount // CENTS:,}.{amount % CENTS:02}"


def feasible(rule: Rule, artists: int) -> None:
    """Check that the budget can be divided among so many artists.

    A floor above the cap raises a UsageError. No artists, floors that need more than the budget, or caps that leave
    some of it unpaid raise a RefusedError.
    """
    if not artists:
        raise RefusedError("there is no artist to pay", "Use a log whose tracks have artists.")
    if rule.cap is not None and rule.floor > rule.cap:
        raise UsageError(f"--floor {money(rule.floor)} is above --cap {money(rule.cap)}", "Lower it, or raise the cap.")
    short = artists * rule.floor - rule.budget
    if short > 0:
        problem = f"--floor {money(rule.floor)} for {artists:,} artists needs {money(short)} more than the budget"
        raise RefusedError(problem, f"Lower it to {money(rule.budget // artists)} at most, or raise the budget.")
    over = rule.budget - artists * rule.most
    if over > 0:
        problem = f"--cap {money(rule.most)} for {artists:,} artists leaves {money(over)} of the budget unpaid"
        raise RefusedError(problem, f"Raise it to {money(-(-rule.budget // artists))} at least, or lower the budget.")


def require_weight(weights: Floats) -> None:
    """Check that an artist has a weight, else raise a RefusedError: equal parts for all would follow no forecast."""
    if len(weights) and not weights.any():
        problem = f"the budget cannot be divided by the forecasts: those of all {len(weights):,} artists are 0 s"
        raise RefusedError(problem, "See `pozytywka predict weekly`; a longer log or a lower --cut may help.")


def payouts(rule: Rule, weights: Floats) -> Cents:
    """Return each artist's part of the budget in cents, (artists,), which sum to the budget.

    The parts are in proportion to the weights, except where the floor or the cap applies; the difference is shared by
    the others in the same proportion. If all artists with a weight have the cap, those without share the rest in equal
    parts. Fractions of a cent go by largest remainder (Hamilton's method): all parts are rounded down, and the cents
    left over go one each to the largest remainders, of equal ones to the larger weight, then to the first artist. A
    weight that is negligible relative to the largest counts as zero; one that is negative or not finite raises a
    RefusedError. For other errors see `feasible`.
    """
    feasible(rule, len(weights))
    if bad := int((~(np.isfinite(weights) & (weights >= 0))).sum()):
        problem = f"{bad:,} of {len(weights):,} artists have a forecast that is not a number of seconds"
        raise RefusedError(problem, "Train weekly again, or return to an older version: `pozytywka models rollback`.")
    exact = _exact(rule, weights)
    rounded = np.floor(exact)
    order = np.lexsort((-weights, rounded - exact))
    rounded[order[: rule.budget - int(rounded.sum())]] += 1
    return rounded.astype(np.int64)


def _exact(rule: Rule, weights: Floats) -> Floats:
    """Return the parts before rounding: (artists,), in cents."""
    relative = weights / (weights.max() or 1.0)
    relative = np.where(relative >= NEGLIGIBLE, relative, 0)
    positive = relative > 0
    others = int((~positive).sum())
    over = rule.budget - int(positive.sum()) * rule.most - others * rule.floor
    if over >= 0:  # every artist with a weight has the cap
        return np.where(positive, rule.most, rule.floor + over / max(others, 1))
    return np.clip(_level(rule, relative) * relative, rule.floor, rule.most)


def _level(rule: Rule, weights: Floats) -> float:
    """Return the cents for one unit of weight at which all parts sum to the budget, by bisection."""
    ordered = np.sort(weights)  # sums then have the same bits for any order of the artists
    low, high = 0.0, rule.most / float(ordered[ordered > 0][0])
    while low < (middle := (low + high) / 2) < high:
        paid = np.clip(middle * ordered, rule.floor, rule.most).sum()
        low, high = (middle, high) if paid <= rule.budget else (low, middle)
    return low
