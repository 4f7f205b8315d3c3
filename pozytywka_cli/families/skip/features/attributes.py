"""Past skip rates of a user along the audio attributes of tracks, and a line through them."""

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Floats, Ints
from pozytywka_cli.families.skip.features.rates import rate

Codes = NDArray[np.uint8]

ATTRIBUTES = ("danceability", "duration_ms", "valence", "energy", "acousticness", "popularity", "tempo", "speechiness")
SIDED = ATTRIBUTES[:3]
BINS = 24  # quantiles of the tracks table; pairs of them are the 12 bins that are smoothed
BANDWIDTH = 0.8  # of those 12 bins
NEAR_PRIOR, SIDE_PRIOR = 3.0, 2.0  # plays at the user's own rate
STEPS = 16  # in a standard deviation: whole numbers, because their sums are exact
FARTHEST = 4 * STEPS
LEVEL_PRIOR = 5.0  # plays of an average track: as many as the prior of the user's rate
SLOPE_PRIOR = 16.0  # plays one deviation away, skipped at the user's own rate
PRIORS = STEPS**2 * np.diag([LEVEL_PRIOR] + [SLOPE_PRIOR] * len(SIDED))
PAIRS = list(combinations_with_replacement(range(len(PRIORS)), 2))  # those of the level, 0, come first
PLACES = np.array([[PAIRS.index((min(one, two), max(one, two))) for two in range(4)] for one in range(4)])

# weights by own bin of 12, of which the 13th is unknown and has none, and by bin: (13, 12)
_own = np.arange(BINS // 2 + 1)[:, None]
GAUSSIAN = np.exp(-(((_own - np.arange(BINS // 2)) / BANDWIDTH) ** 2) / 2) * (_own < BINS // 2)


def rates_of_counts(counts: Ints, users: Ints, own: Codes, own_rate: Floats, weight: float) -> Floats:
    """Return the rates near rows' attributes as `attribute_rates` does, from counts by pairs of bins: (rows, 8).

    `counts` are known plays and skips, (users, 8, 12, 2); `own` are the rows' bins, (rows, 8), of these users, (rows,),
    and `own_rate` is that of the row's user, (rows,).
    """
    # by cumsum, which adds bin by bin, as `_rates` does
    sums = (GAUSSIAN[own // 2][..., None] * counts[users]).cumsum(2)[:, :, -1]
    return rate(sums[..., 1], sums[..., 0], weight, own_rate[:, None])


def up_to_bins(counts: Ints) -> Ints:
    """Return how many plays and skips, (users, 3, 24, 2), are below each bin, and at last of all: (users, 3, 25, 2)."""
    up_to = np.zeros((*counts.shape[:2], BINS + 1, 2), np.int64)
    counts.cumsum(2, out=up_to[:, :, 1:])
    return up_to


def sides_of_counts(up_to: Ints, users: Ints, own: Codes, own_rate: Floats, weight: float) -> Floats:
    """Return the rates on either side of rows' attributes as `attribute_rates` does, from counts by bin: (rows, 3, 2).

    `up_to` are known plays and skips, see `up_to_bins`: (users, 3, 25, 2); the rest is as in `rates_of_counts`.
    """
    row, attribute, known = users[:, None], np.arange(up_to.shape[1]), own < BINS
    below = up_to[row, attribute, np.minimum(own + 1, BINS)]
    above = up_to[row, attribute, BINS] - up_to[row, attribute, own]
    sums = np.concatenate([below[:, :, None], above[:, :, None]], axis=2) * known[..., None, None]
    return rate(sums[..., 1], sums[..., 0], weight, own_rate[:, None, None])


@dataclass(frozen=True)
class Line:
    """One step of Fisher scoring from `own_rate` towards the user's logistic regression of skips on a level and slopes.

    The slopes are those of the first three attributes (Nelder and Wedderburn, 1972): a line by least squares, over the
    variance of a single skip. The level has the prior plays of `own_rate`, so the line passes through that rate at the
    mean of all these plays.

    weights: of the level and the slopes: (users, 4)
    own_rate: (users,)
    """

    weights: Floats
    own_rate: Floats

    @classmethod
    def of(cls, products: Ints, skips: Ints, own_rate: Floats, smoothing: float) -> "Line":
        """Fit the lines of some users.

        products: sums over known plays of the products of `PAIRS` of the level, 16, and the steps: (users, 10)
        skips: sums of the steps of known plays that were skipped: (users, 3)
        """
        above = np.zeros((len(products), len(PRIORS), 1))
        above[:, 1:, 0] = skips - own_rate[:, None] * (products[:, 1 : len(PRIORS)] // STEPS)
        weights = np.linalg.solve(products[:, PLACES] + smoothing * PRIORS, above)[:, :, 0]
        return cls(weights.astype(np.float64, copy=False), own_rate)

    def effect(self, users: Ints | slice, steps: Ints) -> Floats:
        """Return what the line adds at these steps, (rows, 3), for rows of these users, (rows,): (rows,)."""
        weights, own_rate = self.weights[users], self.own_rate[users]
        effect = weights[:, 0] * STEPS
        for slope in range(1, len(PRIORS)):
            effect = effect + weights[:, slope] * steps[:, slope - 1]
        return np.asarray(effect / (own_rate * (1 - own_rate)))
