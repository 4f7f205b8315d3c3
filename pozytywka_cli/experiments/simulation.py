"""Simulate experiments on the service's own units: how often the analysis errs, and how often it finds an effect.

Units keep what they did; only their arms are drawn, again for each experiment. So nothing that the analysis finds is
true, unless an effect was added.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.experiments.estimation import Difference, difference, sample_ratio
from pozytywka_cli.experiments.moments import VALUE, WEIGHT, Floats, Moments, fill, from_sums, of_units
from pozytywka_cli.experiments.power import detectable, spread

LEAST_UNITS = 20
AT_ONCE = 20_000_000  # arms that are drawn at a time, which bounds the memory
POWERS = (0.5, 0.8, 0.9)
METHODS = {"plain": False, "cuped": True}


Flags = NDArray[np.bool_]


class Simulated(NamedTuple):
    """The share of simulated experiments in which a check rejects, beside what was computed, if anything was."""

    metric: str
    check: str
    share: float
    expected: float | None


def simulate(metric: str, looks: Floats, runs: int, seed: int, alpha: float = 0.05) -> Iterator[Simulated]:
    """Yield the errors and the power of all methods on a metric.

    Args:
        metric: its name.
        looks: see `play_totals.totals`: (looks, units, 4).
        runs: how many experiments, each of which assigns every unit to an arm with probability ½.
        seed: of the random numbers.
        alpha: the level of the tests.

    Raises:
        RefusedError: there are too few units.
    """
    units = looks.shape[1]
    if units < LEAST_UNITS:
        problem = f"{units} units are too few to simulate experiments with; {LEAST_UNITS} are needed"
        raise RefusedError(problem, "Take more days (--days).")
    arms = np.random.default_rng(seed).random((runs, units)) < 0.5
    pair = _moments(fill(looks[-1]), arms)
    for method, adjusted in METHODS.items():
        yield Simulated(metric, f"{method}: error", _rejected(difference(*pair, adjusted=adjusted), alpha), alpha)
    at_looks = _at_looks(looks, arms)
    for method in METHODS:
        errors = [(found.p_value() < alpha, _left(found, count, units, alpha)) for count, found in at_looks[method]]
        tested, left = (np.any(columns, axis=0).mean() for columns in zip(*errors, strict=True))
        yield Simulated(metric, f"{method}: error of the confidence sequence, {len(looks)} looks", float(left), alpha)
        yield Simulated(metric, f"{method}: error of a test at each of {len(looks)} looks", float(tested), alpha)
    yield from _powers(metric, fill(looks[-1]), pair, alpha)


def _powers(metric: str, rows: Floats, pair: tuple[Moments, Moments], alpha: float) -> Iterator[Simulated]:
    """Yield how often effects are found that the power formula says are found in half, 80 % and 90 % of experiments."""
    for method, adjusted in METHODS.items():
        found_spread = spread(of_units(rows), adjusted=adjusted)
        for wanted in POWERS:
            effect = detectable(found_spread, len(rows), alpha, wanted)
            found = difference(pair[0], _with_effect(pair[1], effect), adjusted=adjusted)
            yield Simulated(metric, f"{method}: power", _rejected(found, alpha), wanted)


def _with_effect(moments: Moments, effect: float) -> Moments:
    """Return the moments of units each of whose values is larger by effect × weight."""
    change = np.eye(moments.mean.shape[-1])
    change[VALUE, WEIGHT] = effect
    return Moments(moments.count, moments.mean @ change.T, change @ moments.covariance @ change.T)


def _at_looks(looks: Floats, arms: Flags) -> dict[str, list[tuple[Floats, Difference]]]:
    """Return by method the number of units at each look, and the difference: (experiments,) each."""
    found: dict[str, list[tuple[Floats, Difference]]] = {method: [] for method in METHODS}
    for rows in looks:
        is_exposed = ~np.isnan(rows[:, VALUE])
        if is_exposed.sum() < LEAST_UNITS:
            continue
        control, treatment = _moments(fill(rows[is_exposed]), arms[:, is_exposed])
        for method, adjusted in METHODS.items():
            count = control.count + treatment.count
            found[method].append((count, difference(control, treatment, adjusted=adjusted)))
    return found


def _left(found: Difference, count: Floats, planned: int, alpha: float) -> Flags:
    """Return whether 0 lies outside of the confidence sequence: (experiments,)."""
    low, high = found.sequence(count, planned, alpha)
    outside: Flags = (low > 0) | (high < 0)
    return outside


def _rejected(found: Difference, alpha: float) -> float:
    return float((found.p_value() < alpha).mean())


def _moments(rows: Floats, arms: Flags) -> tuple[Moments, Moments]:
    """Return the moments of both arms of each experiment.

    Args:
        rows: (units, 4).
        arms: whether a unit is in the treatment, (experiments, units).
    """
    centre = rows.mean(axis=0)
    around = rows - centre
    products = (around[:, :, None] * around[:, None, :]).reshape(len(rows), -1)
    columns = np.hstack([np.ones((len(rows), 1)), around, products])
    step = max(1, AT_ONCE // len(rows))
    treated = np.vstack(
        [arms[start : start + step].astype(np.float64) @ columns for start in range(0, len(arms), step)]
    )
    size = rows.shape[1]

    def arm(sums: Floats) -> Moments:
        shape = (len(sums), size, size)
        return from_sums(sums[:, 0], sums[:, 1 : size + 1], sums[:, size + 1 :].reshape(shape)).shifted(centre)

    return arm(columns.sum(axis=0) - treated), arm(treated)


def old_way(counts: Floats, sums: Floats, squares: Floats, runs: int, seed: int, alpha: float = 0.05) -> float:
    """Return the share of null experiments that a t-test over plays rejects.

    It takes every play for an observation of its own, although plays of one user are alike.

    Args:
        counts: plays of each user, (users,).
        sums: of a value of the plays.
        squares: of its square.
        runs: experiments; each gives users new ids, and divides them by `id % 2`.
        seed: of the random numbers.
        alpha: the level of the test.
    """
    chance, users = np.random.default_rng(seed), len(counts)
    odd = np.array([chance.permutation(users) % 2 for _ in range(runs)], dtype=np.float64)
    columns = np.column_stack([counts, sums, squares])
    first = odd @ columns
    (n, s, q), (m, t, r) = first.T, (columns.sum(axis=0) - first).T
    freedom = n + m - 2
    pooled = ((q - s**2 / n) + (r - t**2 / m)) / freedom
    statistic = np.abs(s / n - t / m) / np.sqrt(pooled * (1 / n + 1 / m))
    return float((2 * stdtr(freedom, -statistic) < alpha).mean())


def mismatches(units: int, share: float, runs: int, seed: int) -> float:
    """Return how often the check of sample ratios finds (p < .001) that an arm gets such a share in place of half."""
    counts = np.random.default_rng(seed).binomial(units, share, runs)
    found = [sample_ratio(np.array([count, units - count], dtype=np.float64), np.ones(2)) < 0.001 for count in counts]
    return float(np.mean(found))
