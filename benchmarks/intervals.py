"""How many of the 95 % intervals hold the truth, on simulated plays of users who differ in habits and in activity."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from scipy.special import expit

from benchmarks.figure import Figure
from pozytywka_cli.evaluation import Floats, Interval, Ints, log_loss, paired_difference
from pozytywka_cli.families.skip.metrics import Predictions, measure

USERS = (5, 10, 20, 50, 200)
FEW = 20  # below, the intervals may miss the level by more
SAMPLES = 4000
POPULATION = 20_000  # users
POPULATIONS = ((0.0, 0.8), (0.8, 0.8), (1.0, 0.8), (1.0, 1.1))  # spreads of users' log plays and of their log-odds


class Plays(NamedTuple):
    """Plays in the order of users: `ends` (users,) are the places after a user's last one; all else is (plays,)."""

    ends: Ints
    skipped: Floats
    probability: Floats
    errors: Floats
    other_errors: Floats

    def of(self, users: Ints) -> tuple[Ints, Ints]:
        """Return the places of the plays of these users, and the number of the user, from 0, of each play."""
        sizes = np.diff(self.ends, prepend=0)[users]
        user = np.repeat(np.arange(len(users)), sizes)
        return np.arange(len(user)) + np.repeat(self.ends[users] - np.cumsum(sizes), sizes), user


def measured(_: Path) -> Iterator[Figure]:
    """Yield the coverage of every statistic by number of users."""
    for activity, habits in POPULATIONS:
        chance = np.random.default_rng(0)
        population = _population(activity, habits, chance)
        truth = _statistics(population, np.arange(POPULATION))
        name = f"correlation {_correlation(population):.2f}, sd of log plays {activity}"
        for users in USERS:
            for statistic, (share, below, above) in _coverage(population, truth, users, chance).items():
                detail = f"{share:.3f}; all of it below the truth {below:.3f}, above {above:.3f}"
                bound = 0.02 if users >= FEW else 0.05
                yield Figure(f"{users} users, {name}: {statistic}", abs(share - 0.95), bound, detail)


def _population(activity: float, habits: float, chance: np.random.Generator) -> Plays:
    """Draw users whose habits the model knows in part; its errors and another model's have scales of their own."""
    plays = np.exp(chance.normal(3.5, activity, POPULATION)).astype(np.int64).clip(3, 3000)
    habit, scale = chance.normal(0, habits, POPULATION), np.exp(chance.normal(0, 0.4, POPULATION))
    known = 0.6 * habit + chance.normal(0, 0.4 * habits, POPULATION)
    user = np.repeat(np.arange(POPULATION), plays)
    track = chance.normal(0, 0.7, len(user))
    skipped = chance.random(len(user)) < expit(-0.8 + habit[user] + track)
    errors = chance.normal(0, scale[user])
    other = 0.9 * errors + chance.normal(0, 0.5, len(user)) + chance.normal(0, 0.4, POPULATION)[user]
    return Plays(np.cumsum(plays), skipped, expit(-0.8 + known[user] + 0.9 * track), errors, other)


def _statistics(population: Plays, users: Ints) -> dict[str, Interval]:
    """Return every statistic of the plays of these users, with its interval."""
    places, user = population.of(users)
    skipped, probability, errors, other = (column[places] for column in population[1:])
    plays = pl.DataFrame({"user_id": user, "skipped": skipped})
    rows = measure("", "", plays, Predictions(probability, np.full(len(user), 0.35)))
    found = {row.metric: Interval(row.value, row.low, row.high) for row in rows if row.low is not None}
    losses = (log_loss(skipped, one) for one in (probability, np.full(len(user), 0.35)))
    found["log_loss_difference"] = paired_difference(*losses, user)
    return found | {"rmse_difference": paired_difference(errors**2, other**2, user, root=True)}


def _coverage(
    population: Plays, truth: dict[str, Interval], users: int, chance: np.random.Generator
) -> dict[str, tuple[float, float, float]]:
    """Return by statistic the shares of intervals that hold the truth, that lie below it, and above it."""
    below, above = Counter[str](), Counter[str]()
    for _ in range(SAMPLES):
        found = _statistics(population, chance.integers(POPULATION, size=users))
        for name, one in found.items():
            value = truth[name].value
            below[name] += one.below(value)
            above[name] += one.low is not None and one.low > value
    return {
        name: (1 - (below[name] + above[name]) / SAMPLES, below[name] / SAMPLES, above[name] / SAMPLES)
        for name in truth
    }


def _correlation(population: Plays) -> float:
    """Return the intra-class correlation of skips: 1 less the variance within users ÷ all of it."""
    user = np.repeat(np.arange(POPULATION), np.diff(population.ends, prepend=0))
    plays, skips = np.bincount(user), np.bincount(user, weights=population.skipped)
    within = (skips * (1 - skips / plays)).sum() / (len(user) - POPULATION)
    return float(1 - within / population.skipped.var())
