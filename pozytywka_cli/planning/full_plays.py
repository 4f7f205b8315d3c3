"""The probability that a play of a track goes to its end, from the plays of the weeks before."""

from collections.abc import Callable

import numpy as np
import polars as pl

from pozytywka_cli.evaluation import Floats, Ints, log_loss
from pozytywka_cli.families.predictor import Predictor
from pozytywka_cli.planning.days import DailyPlays

WINDOW = 56  # days
PRIORS = (1.0, 3.0, 10.0, 30.0, 100.0)  # plays

Chances = Callable[[Ints], Floats]  # of some plays, rows of the log: how likely each went to its end


def observed(log: DailyPlays) -> Chances:
    """Return what is known of plays without a model: whether they went to their end."""
    return lambda rows: log.full[rows].astype(np.float64)


def predicted(log: DailyPlays, predictor: Predictor) -> Chances:
    """Return what a skip model predicts for plays as they start."""

    def chances(rows: Ints) -> Floats:
        requests = log.plays[rows].select("user_id", "track_id", "session_id", at="started_at")
        return np.asarray(1 - predictor.predict(requests)["probability"].cast(pl.Float64).to_numpy())

    return chances


class FullPlays:
    """The chances of the plays that the probabilities of some days are estimated from.

    A track's probability is the mean over its plays that ended in the 56 days before, and over a prior of so many plays
    at the mean of all.
    """

    def __init__(self, log: DailyPlays, days: range, chances: Chances) -> None:
        self.log = log
        rows = np.flatnonzero((log.end >= days.start - WINDOW) & (log.end < days.stop - 1))
        self.rows = rows[np.argsort(log.end[rows], kind="stable")]
        self.ends = log.end[self.rows]
        self.chances = chances(self.rows) if len(rows) else np.zeros(0)

    def before(self, day: int, prior: float) -> Floats:
        """Return the probability of each track for a day, from the plays that had ended before it: (tracks,)."""
        part = slice(*np.searchsorted(self.ends, [day - WINDOW, day]))
        track, chances = self.log.track[self.rows[part]], self.chances[part]
        if not len(track):
            return np.ones(self.log.tracks)  # nothing tells one track from another
        sums = np.bincount(track, chances, minlength=self.log.tracks)
        plays = np.bincount(track, minlength=self.log.tracks)
        return np.asarray((sums + prior * chances.mean()) / (plays + prior))

    def choose(self, days: range) -> float:
        """Return the prior with the lowest log loss of the plays of these days; the largest where they have none."""

        def loss(prior: float) -> float:
            losses = [np.zeros(0)]
            for day in days:
                today = self.log.rows(range(day, day + 1))
                losses.append(log_loss(self.log.full[today], self.before(day, prior)[self.log.track[today]]))
            return float(np.concatenate(losses).sum())

        return min(reversed(PRIORS), key=loss)
