"""Past skip rates of a user along the audio attributes of tracks, and a line through them."""

from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Floats, Ints
from pozytywka_cli.families.skip.features.history import Past, rate

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

# weights by own bin of 12, of which the 13th is unknown and has none, and by bin: (13, 12)
_own = np.arange(BINS // 2 + 1)[:, None]
GAUSSIAN = np.exp(-(((_own - np.arange(BINS // 2)) / BANDWIDTH) ** 2) / 2) * (_own < BINS // 2)


def edges(values: pl.Series) -> list[float]:
    """Return the 23 quantiles that cut `values` into 24 equal parts; none where all are null."""
    known = values.drop_nulls().to_numpy()
    return np.quantile(known, np.arange(1, BINS) / BINS).tolist() if len(known) else []


def codes(values: pl.Series, cuts: list[float]) -> Codes:
    """Return each value's bin from 0 (values at an edge belong to the bin above), or 24 where it is null: (values,)."""
    bins = np.searchsorted(cuts, values.cast(pl.Float64).fill_null(0).to_numpy(), side="right")
    return np.where(values.is_null().to_numpy(), BINS, bins).astype(np.uint8)


def attribute_rates(
    past: Past, codes: Mapping[str, tuple[Codes, Codes]], own_rate: Floats, smoothing: float
) -> dict[str, Floats]:
    """Return past skip rates near each row's attributes, and on either side of the first three: (rows,) each.

    Known plays weigh as a Gaussian of their distance in bins, or 1 on one side and 0 on the other, beside a few plays
    (`smoothing` times as many) at the user's own rate (the estimate of Nadaraya and Watson, 1964, with a prior).
    `codes` are each attribute's bins, of all plays, (log,), and of the rows, (rows,).
    """
    rates = {}
    # weights by own bin, of which the last one is unknown and has none, and by bin: twice (25, 24)
    own, other = np.arange(BINS + 1)[:, None], np.arange(BINS)
    sides = [(side & (own < BINS)).astype(np.float64) for side in (other <= own, other >= own)]
    for name, (bins, row_bins) in codes.items():
        near = _rates(past, bins // 2, row_bins // 2, [GAUSSIAN], smoothing * NEAR_PRIOR, own_rate)
        rates[f"near_{name}"] = near[0]
        if name in SIDED:
            both = _rates(past, bins, row_bins, sides, smoothing * SIDE_PRIOR, own_rate)
            rates[f"below_{name}"], rates[f"above_{name}"] = both
    return rates


def _rates(past: Past, bins: Codes, own: Codes, kernels: list[Floats], weight: float, own_rate: Floats) -> list[Floats]:
    """Return a smoothed skip rate for each kernel, (rows,); sums go bin by bin, in the same way for every row."""
    plays, skips = np.zeros((2, len(kernels), len(own)))
    for number in range(kernels[0].shape[1]):
        here = bins == number
        counts = past.count(here), past.skips(here)
        for kernel, play_sum, skip_sum in zip(kernels, plays, skips, strict=True):
            near = kernel[own, number]
            play_sum += near * counts[0]
            skip_sum += near * counts[1]
    return [rate(skip_sum, play_sum, weight, own_rate) for play_sum, skip_sum in zip(plays, skips, strict=True)]


def rates_of_counts(counts: Ints, users: Ints, own: Codes, own_rate: Floats, weight: float) -> Floats:
    """Return the rates near rows' attributes as `attribute_rates` does, from counts by pairs of bins: (rows, 8).

    `counts` are known plays and skips, (users, 8, 12, 2); `own` are the rows' bins, (rows, 8), of these users, (rows,),
    and `own_rate` is that of the row's user, (rows,).
    """
    # by cumsum, which adds bin by bin, as `_rates` does
    sums = (GAUSSIAN[own // 2][..., None] * counts[users]).cumsum(2)[:, :, -1]
    return rate(sums[..., 1], sums[..., 0], weight, own_rate[:, None])


def sides_of_counts(counts: Ints, users: Ints, own: Codes, own_rate: Floats, weight: float) -> Floats:
    """Return the rates on either side of rows' attributes as `attribute_rates` does, from counts by bin: (rows, 3, 2).

    `counts` are known plays and skips, (users, 3, 24, 2); the rest is as in `rates_of_counts`.
    """
    up_to = np.zeros((*counts.shape[:2], BINS + 1, 2), np.int64)
    counts.cumsum(2, out=up_to[:, :, 1:])
    row, attribute, known = users[:, None], np.arange(counts.shape[1]), own < BINS
    below = up_to[row, attribute, np.minimum(own + 1, BINS)]
    above = up_to[row, attribute, BINS] - up_to[row, attribute, own]
    sums = np.stack([below, above], axis=2) * known[..., None, None]
    return rate(sums[..., 1], sums[..., 0], weight, own_rate[:, None, None])


def steps(values: pl.Series, cuts: list[float]) -> Ints:
    """Return how far each value is above the mean of the tracks table: (values,).

    In sixteenths of a standard deviation, up to 4 deviations; mean and deviation are those of the quantiles in `cuts`.
    0 where the value is null or the quantiles do not vary.
    """
    if np.ptp(cuts or [0.0]) == 0:
        return np.zeros(len(values), np.int64)
    deviations = (values.cast(pl.Float64) - float(np.mean(cuts))) / float(np.std(cuts))
    return (STEPS * deviations).clip(-FARTHEST, FARTHEST).round().fill_null(0).cast(pl.Int64).to_numpy()


def slope_effect(past: Past, steps: Sequence[tuple[Ints, Ints]], own_rate: Floats, smoothing: float) -> Floats:
    """Return the log-odds of a skip at each row's attributes minus those of `own_rate`: (rows,); see `Line`.

    `steps` are those of each attribute, of all plays, (log,), and of the rows, (rows,).
    """
    known = [np.full(len(past.skipped), STEPS), *(of_log for of_log, _ in steps)]
    products = [past.count(known[one] * known[other]) for one, other in PAIRS]
    skips = [past.skips(known[slope]) for slope in range(1, len(PRIORS))]
    line = Line(products, np.array(skips), own_rate, smoothing)
    return line.effect(slice(None), np.stack([of_rows for _, of_rows in steps], axis=1))


class Line:
    """One step of Fisher scoring from `own_rate` towards the user's logistic regression of skips on a level and slopes.

    The slopes are those of the first three attributes (Nelder and Wedderburn, 1972): a line by least squares, over the
    variance of a single skip. The level has the prior plays of `own_rate`, so the line passes through that rate at the
    mean of all these plays.

    products: sums over known plays of the products of `PAIRS` of the level, 16, and the steps: 10 times (users,)
    skips: sums of the steps of known plays that were skipped: (3, users)
    """

    def __init__(self, products: Sequence[Ints] | Ints, skips: Ints, own_rate: Floats, smoothing: float) -> None:
        self.own_rate = own_rate
        gram, above = np.empty((*PRIORS.shape, len(own_rate))), np.zeros((len(PRIORS), len(own_rate)))
        for (one, other), product in zip(PAIRS, products, strict=True):
            gram[one, other] = gram[other, one] = product + smoothing * PRIORS[one, other]
        above[1:] = skips - own_rate * (np.asarray(products[1 : len(PRIORS)]) // STEPS)
        self._line = np.linalg.solve(np.moveaxis(gram, 2, 0), above.T[:, :, None])[:, :, 0]

    def effect(self, users: Ints | slice, steps: Ints) -> Floats:
        """Return what the line adds at these steps, (rows, 3), for rows of these users, (rows,): (rows,)."""
        line, own_rate = self._line[users], self.own_rate[users]
        effect = line[:, 0] * STEPS
        for slope in range(1, len(PRIORS)):
            effect = effect + line[:, slope] * steps[:, slope - 1]
        return np.asarray(effect / (own_rate * (1 - own_rate)))
