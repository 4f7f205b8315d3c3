"""Replay past days: what the plan, simple rules, caches, the present placement and an oracle serve from FAST."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from pozytywka_cli.evaluation import SHARE, Flags, Floats, Ints, interval, mean_interval, paired_difference
from pozytywka_cli.planning.caching import simulate
from pozytywka_cli.planning.days import DailyPlays
from pozytywka_cli.planning.placement import chosen, descending, fill
from pozytywka_cli.planning.storage import FAST, Storage

PLAN, MOST_PLAYED, PRESENT, ORACLE = "the plan", "most played", "present placement", "oracle"
FREQUENCY, RECENCY = "least frequently used", "least recently used"


class Backtest(msgspec.Struct, frozen=True):
    """What a policy served from FAST over `days` days with so many plays; `…_low` and `…_high` bound 95 % intervals.

    plays_served, time_served: the share of plays, and of the time listened to, of tracks that were in FAST
    cost: the mean of what the tracks in FAST cost a day
    behind: the plan's share of plays minus this policy's
    """

    policy: str
    days: int
    plays: int
    plays_served: float
    plays_low: float | None
    plays_high: float | None
    time_served: float
    time_low: float | None
    time_high: float | None
    cost: float
    behind: float
    behind_low: float | None
    behind_high: float | None


@dataclass(frozen=True)
class Replay:
    """Some days of a log, and what was expected of each of them before it.

    expected: expected full plays of each track, (days, tracks)
    """

    log: DailyPlays
    storage: Storage
    days: range
    expected: Floats

    def backtest(self, budget: float) -> list[Backtest]:
        """Return what each policy serves within a budget of FAST, the present placement excepted."""
        plays = self.log.rows(self.days)
        users = self.log.plays["user_id"].to_numpy()[plays]
        policies = self.policies(budget)
        plan = policies[PLAN][0].astype(np.float64)
        return [
            _measured(policy, len(self.days), served.astype(np.float64), cost, plan, self.log.listened[plays], users)
            for policy, (served, cost) in policies.items()
        ]

    def policies(self, budget: float) -> dict[str, tuple[Flags, float]]:
        """Return for each policy which plays of these days it serves from FAST, (plays,), and its mean cost a day."""
        fast = self.storage.costs(FAST)
        found = {policy: (self._served(sets), _mean_cost(sets, fast)) for policy, sets in self.sets(budget).items()}
        for policy, by_frequency in ((FREQUENCY, True), (RECENCY, False)):
            served, costs = simulate(self.log, self.days, fast, budget, by_frequency=by_frequency)
            found[policy] = served, float(costs.mean())
        order = (PLAN, MOST_PLAYED, FREQUENCY, RECENCY, PRESENT, ORACLE)
        return {policy: found[policy] for policy in order}

    def sets(self, budget: float) -> dict[str, list[Flags]]:
        """Return which tracks are in FAST all day, (tracks,) for each day, by those policies that keep them all day."""
        fast = self.storage.costs(FAST)
        return {
            PLAN: [chosen(expected, fast, budget) for expected in self.expected],
            MOST_PLAYED: [fill(_by_count(counts), fast, budget) for counts in self._played_before()],
            PRESENT: [self.storage.are_in(FAST)] * len(self.days),
            ORACLE: [chosen(self.log.counts(day), fast, budget) for day in self.days],
        }

    def _played_before(self) -> list[Floats]:
        """Return for each day how many plays of each track had ended before it: (tracks,) each."""
        ended = [self.log.end < self.days.start, *(self.log.end == day for day in self.days[:-1])]
        counts = [np.bincount(self.log.track[plays], minlength=self.log.tracks) for plays in ended]
        return list(np.cumsum(counts, axis=0, dtype=np.float64))

    def _served(self, sets: list[Flags]) -> Flags:
        """Return which plays are of a track that is in the set of its day: (plays,)."""
        parts = [
            fast[self.log.track[self.log.rows(range(day, day + 1))]] for day, fast in zip(self.days, sets, strict=True)
        ]
        return np.concatenate(parts)


def _by_count(counts: Floats) -> Ints:
    order = descending(counts)
    return order[counts[order] > 0]


def _mean_cost(sets: list[Flags], costs: Floats) -> float:
    return float(np.mean([costs[taken].sum() for taken in sets]))


def _measured(
    policy: str, days: int, served: Floats, cost: float, plan: Floats, listened: Floats, users: Ints
) -> Backtest:
    time = interval(lambda sums: sums[..., 0] / sums[..., 1], [served * listened, listened], users, SHARE)
    shares = (*mean_interval(served, users, limits=SHARE), *time)
    return Backtest(policy, days, len(served), *shares, cost, *paired_difference(plan, served, users))


def answer(backtest: Sequence[Backtest]) -> str:
    """Return what the plan gains, in one sentence."""
    by_policy = {one.policy: one for one in backtest}
    plan, present, most = (by_policy[policy] for policy in (PLAN, PRESENT, MOST_PLAYED))
    way = "more" if most.behind >= 0 else "less"
    gain = f"{abs(100 * most.behind):.1f} points {way} than the tracks played most"
    if most.behind_low is not None and most.behind_high is not None:
        gain += f" (95 % interval of the difference: {100 * most.behind_low:+.1f} to {100 * most.behind_high:+.1f})"
    return (
        f"Over {plan.days} days the plan would have served {plan.plays_served:.1%} of {plan.plays:,} plays from FAST "
        f"for {plan.cost:,.2f} a day, {gain}; the present placement served {present.plays_served:.1%} for "
        f"{present.cost:,.2f} a day."
    )
