"""A budget divided among artists by weight, to the cent."""

import re
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.errors import RefusedError, UsageError

Floats = NDArray[np.float64]
Cents = NDArray[np.int64]

CENTS = 100
LARGEST = 10**11  # of an amount: beyond it doubles no longer hold every cent safely
VANISHING = 1e-100  # of the largest weight: to pay a cent for much less, one unit would cost more than doubles hold


@dataclass(frozen=True)
class Rule:
    """How next week's budget is divided; amounts are in cents, `premium` and `cut` are shares.

    No artist gets less than the `floor` or more than the `cap` (None: no limit). A rising artist's weight grows by the
    premium, a falling one's shrinks by the cut.
    """

    budget: int
    floor: int = 0
    cap: int | None = None
    premium: float = 0.0
    cut: float = 0.0

    @property
    def most(self) -> int:
        """What one artist can get."""
        return self.budget if self.cap is None else self.cap

    def weights(self, forecast: Floats, verdicts: NDArray[np.str_]) -> Floats:
        """The weight of each artist: (artists,), in the forecast's unit."""
        factors = np.select([verdicts == "rising", verdicts == "falling"], [1 + self.premium, 1 - self.cut], 1.0)
        return np.asarray(forecast * factors)


def cents(amount: str, name: str) -> int:
    """An amount of money like 1000 or 12.50 in cents; `name` is the flag that it was given with.

    Raises:
        UsageError: it is no amount of zero or more, has more than two decimals, or is too large.
    """
    if not re.fullmatch(r"[0-9]+(\.[0-9]{1,2})?", amount):
        raise UsageError(f"{name} {amount!r} is no amount of money", "Write it like 1000 or 12.50.")
    if Decimal(amount) > LARGEST:
        raise UsageError(f"{name} {amount} is too much", f"Give {LARGEST:,} at most.")
    return int(Decimal(amount) * CENTS)


def percentage(text: str, name: str) -> float:
    """A percentage from 0% to 100% as a share; `name` is the flag that it was given with.

    Raises:
        UsageError: it is none.
    """
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?%", text) or float(text[:-1]) > 100:
        raise UsageError(f"{name} {text!r} is no percentage from 0% to 100%", "Write it like 5%.")
    return float(text[:-1]) / 100


def money(amount: int) -> str:
    """Cents as 1,234.50."""
    return f"{amount // CENTS:,}.{amount % CENTS:02}"


def feasible(rule: Rule, artists: int) -> None:
    """Check that the budget can be divided among so many artists.

    Raises:
        UsageError: the floor is above the cap.
        RefusedError: there are no artists, the floors need more than the budget, or the caps leave some of it over.
    """
    if not artists:
        raise RefusedError("there is no artist to pay", "Give it a log whose tracks have artists.")
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


def payouts(rule: Rule, weights: Floats) -> Cents:
    """Each artist's part of the budget in cents: (artists,); they sum to the budget.

    In proportion to the weights, but for those whom the floor lifts or the cap holds; what that costs or leaves is
    shared by the others in the same proportion. What is left when all with a weight have the cap, those without share
    in equal parts. Parts of a cent go by largest remainder (Hamilton's method): all are rounded down, and the cents
    left go one each to the largest parts cut off, of equals to the larger weight, then to the first artist. A weight
    that vanishes beside the largest counts as none.

    Raises:
        UsageError, RefusedError: see `feasible`; or a weight is no number from zero on.
    """
    feasible(rule, len(weights))
    if bad := int((~(np.isfinite(weights) & (weights >= 0))).sum()):
        problem = f"{bad:,} of {len(weights):,} artists have a forecast that is no number of seconds"
        raise RefusedError(problem, "Train weekly again, or let an older version serve: `pozytywka models rollback`.")
    exact = _exact(rule, _relative(weights))
    whole = np.floor(exact)
    left = rule.budget - int(whole.sum())
    order = np.lexsort((-weights, whole - exact))
    whole[order[:left]] += 1
    return whole.astype(np.int64)


def _relative(weights: Floats) -> Floats:
    """Each weight ÷ the largest; 0 where it vanishes beside that."""
    largest = weights.max()
    found = weights / largest if largest > 0 else weights
    return np.where(found >= VANISHING, found, 0)


def _exact(rule: Rule, weights: Floats) -> Floats:
    """The parts before they are rounded: (artists,), in cents."""
    known = weights > 0
    over = rule.budget - int(known.sum()) * rule.most - int((~known).sum()) * rule.floor
    if over >= 0:  # every artist with a weight has the cap
        return np.where(known, rule.most, rule.floor + over / max(int((~known).sum()), 1))
    return np.clip(_level(rule, weights) * weights, rule.floor, rule.most)


def _level(rule: Rule, weights: Floats) -> float:
    """The cents for one unit of weight at which floors, caps and all between them sum to the budget, by bisection."""
    ordered = np.sort(weights)  # so that the order of the artists does not change the last bit of a sum
    low, high = 0.0, rule.most / float(ordered[ordered > 0][0])
    while low < (middle := (low + high) / 2) < high:
        paid = np.clip(middle * ordered, rule.floor, rule.most).sum()
        low, high = (middle, high) if paid <= rule.budget else (low, middle)
    return low
