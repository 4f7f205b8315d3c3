"""How often a user skipped tracks that are like this one: past skip rates along the tracks' audio attributes."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.families.skip.features.history import Floats, Past, rate

Codes = NDArray[np.uint8]

ATTRIBUTES = (
    "danceability",
    "duration_ms",
    "valence",
    "energy",
    "acousticness",
    "popularity",
    "tempo",
    "speechiness",
)
SIDED = ATTRIBUTES[:3]
BINS = 24  # quantiles of the catalogue; two by two they are the 12 that are smoothed
BANDWIDTH = 0.8  # of those 12
NEAR_PRIOR, SIDE_PRIOR = 3.0, 2.0  # plays at the user's own rate


def edges(values: pl.Series) -> list[float]:
    """The 23 quantiles that cut `values` into 24 equal parts; none where all are null."""
    known = values.drop_nulls().to_numpy()
    return [float(edge) for edge in np.quantile(known, np.arange(1, BINS) / BINS)] if len(known) else []


def codes(values: pl.Series, cuts: list[float]) -> pl.Series:
    """Each value's bin from 0 (values at an edge lie above it), or 24 where it is null."""
    found = pl.Series(np.searchsorted(cuts, values.cast(pl.Float64).fill_null(0).to_numpy(), side="right"))
    return pl.select(pl.when(values.is_null()).then(BINS).otherwise(found).cast(pl.UInt8)).to_series()


def taste(log: pl.DataFrame, rows: pl.DataFrame, past: Past, own_rate: Floats, smoothing: float) -> dict[str, Floats]:
    """Past skip rates near each row's attributes, and on either side of the first three: each (asked,).

    Known plays weigh as a Gaussian of their distance in bins, or 1 on one side and 0 on the other, beside a few plays
    (`smoothing` times as many) at the user's own rate (the estimate of Nadaraya and Watson, 1964, with a prior).
    """
    found = {}
    near_prior, side_prior = smoothing * NEAR_PRIOR, smoothing * SIDE_PRIOR
    for name in ATTRIBUTES:
        bins, own = (frame[f"{name}_code"].to_numpy() for frame in (log, rows))
        (near,) = _rates(past, bins // 2, own // 2, [_gaussian()], near_prior, own_rate)
        found[f"near_{name}"] = near
        if name in SIDED:
            found[f"below_{name}"], found[f"above_{name}"] = _rates(past, bins, own, _sides(), side_prior, own_rate)
    return found


def _gaussian() -> Floats:
    """Weights by own bin and by bin, (13, 12); the last row is of an unknown attribute, to which nothing is near."""
    own, other = np.arange(BINS // 2 + 1)[:, None], np.arange(BINS // 2)
    return np.exp(-(((own - other) / BANDWIDTH) ** 2) / 2) * (own < BINS // 2)


def _sides() -> list[Floats]:
    """The same for bins up to one's own and for those from it on, (25, 24)."""
    own, other = np.arange(BINS + 1)[:, None], np.arange(BINS)
    return [(side & (own < BINS)).astype(np.float64) for side in (other <= own, other >= own)]


def _rates(past: Past, bins: Codes, own: Codes, kernels: list[Floats], weight: float, own_rate: Floats) -> list[Floats]:
    """One smoothed skip rate for each kernel, (asked,); sums go bin by bin, the same way for every row."""
    plays, skips = np.zeros((2, len(kernels), len(own)))
    for number in range(kernels[0].shape[1]):
        here = bins == number
        counts = past.count(here), past.skips(here)
        for kernel, play_sum, skip_sum in zip(kernels, plays, skips, strict=True):
            near = kernel[own, number]
            play_sum += near * counts[0]
            skip_sum += near * counts[1]
    return [rate(skip_sum, play_sum, weight, own_rate) for play_sum, skip_sum in zip(plays, skips, strict=True)]
