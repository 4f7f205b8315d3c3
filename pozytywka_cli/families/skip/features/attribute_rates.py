"""The bins of tracks' audio attributes, and past skip rates along them, from a log of plays."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from pozytywka_cli.evaluation import Floats, Ints
from pozytywka_cli.families.skip.features.attributes import (
    BINS,
    FARTHEST,
    GAUSSIAN,
    NEAR_PRIOR,
    PAIRS,
    PRIORS,
    SIDE_PRIOR,
    SIDED,
    STEPS,
    Codes,
    Line,
)
from pozytywka_cli.families.skip.features.history import Past
from pozytywka_cli.families.skip.features.rates import rate


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
    line = Line.of(np.stack(products, axis=1), np.stack(skips, axis=1), own_rate, smoothing)
    return line.effect(slice(None), np.stack([of_rows for _, of_rows in steps], axis=1))
