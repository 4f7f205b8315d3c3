"""Simulate caches that decide play by play what they keep: least recently and least frequently used."""

from heapq import heapify, heappop, heappush
from typing import NamedTuple

import numpy as np

from pozytywka_cli.evaluation import Flags, Floats
from pozytywka_cli.planning.days import DailyPlays
from pozytywka_cli.planning.placement import descending, fill


class Simulated(NamedTuple):
    """Which plays a cache served, (plays,), and what its content cost when each of the days ended, (days,)."""

    served: Flags
    costs: Floats


class Cache:
    """A cache of tracks whose costs sum to at most a budget.

    Each play of a track that is not in it loads that track, unless it alone exceeds the budget; what was used least
    makes room: least often, if it goes by frequency, of equal ones longest ago, else longest ago.
    """

    def __init__(self, costs: Floats, budget: float, *, by_frequency: bool) -> None:
        self.costs, self.budget, self.by_frequency = costs.tolist(), budget, by_frequency
        self.plays, self.last = [0] * len(costs), [-1] * len(costs)
        self.moment, self.used = 0, 0.0
        self.content: set[int] = set()
        self.queue: list[tuple[int, int, int]] = []  # rank and track; a rank may have risen since

    def warm_up(self, tracks: list[int]) -> None:
        """Start with what plays of these tracks, in order, would keep: the most used ones that fit."""
        for track in tracks:
            self._note(track)
        ranks = np.array(self.last, np.float64)
        if self.by_frequency:
            ranks = np.array(self.plays) + (ranks + 1) / (self.moment + 1)
        order = descending(ranks)
        order = order[np.array(self.last)[order] >= 0]
        self.content = set(np.flatnonzero(fill(order, np.array(self.costs), self.budget)).tolist())
        self.used = sum(self.costs[track] for track in self.content)
        self.queue = [(*self._rank(track), track) for track in self.content]
        heapify(self.queue)

    def serve(self, track: int) -> bool:
        """Play a track; return whether it was in the cache."""
        self._note(track)
        if track in self.content:
            return True
        if self.costs[track] <= self.budget:
            while self.used + self.costs[track] > self.budget and self.content:
                self._evict()
            self.content.add(track)
            self.used += self.costs[track]
            heappush(self.queue, (*self._rank(track), track))
        return False

    def _note(self, track: int) -> None:
        self.plays[track] += 1
        self.last[track] = self.moment
        self.moment += 1

    def _rank(self, track: int) -> tuple[int, int]:
        return self.plays[track] if self.by_frequency else 0, self.last[track]

    def _evict(self) -> None:
        """Remove the track of the lowest rank; ranks only rise, so one that is still right is the lowest."""
        while True:
            *rank, track = heappop(self.queue)
            if tuple(rank) == self._rank(track):
                self.content.remove(track)
                self.used = self.used - self.costs[track] if self.content else 0.0
                return
            heappush(self.queue, (*self._rank(track), track))


def simulate(log: DailyPlays, days: range, costs: Floats, budget: float, *, by_frequency: bool) -> Simulated:
    """Play the log; return what a cache served in these days, (plays that start in them,), after all days before."""
    cache = Cache(costs, budget, by_frequency=by_frequency)
    cache.warm_up(log.track[log.rows(range(days.start))].tolist())
    served, spent = [], []
    for day in days:
        served += [cache.serve(track) for track in log.track[log.rows(range(day, day + 1))].tolist()]
        spent.append(cache.used)
    return Simulated(np.array(served, np.bool_), np.array(spent))
