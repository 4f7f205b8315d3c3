"""Past skip rates of a user along the audio attributes of tracks: how often were similar tracks skipped?"""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pozytywka_cli.evaluation import Floats
from pozytywka_cli.families.skip.features.history import Past, rate

Codes = NDArray[np.uint8]

ATTRIBUTES = ("danceability", "duration_ms", "valence", "energy", "acousticness", "popularity", "tempo", "speechiness")
SIDED = ATTRIBUTES[:3]
BINS = 24  # quantiles of the tracks table; pairs of them are the 12 bins that are smoothed
BANDWIDTH = 0.8  # of those 12 bins
NEAR_PRIOR, SIDE_PRIOR = 3.0, 2.0  # plays at the user's own rate


def edges(values: pl.Series) -> list[float]:
    """Return the 23 quantiles that cut `values` into 24 equal parts; none where all are null."""
    known = values.drop_nulls().to_numpy()
    return [float(edge) for edge in np.quantile(known, np.arange(1, BINS) / BINS)] if len(known) else []


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
    near_prior, side_prior = smoothing * NEAR_PRIOR, smoothing * SIDE_PRIOR
    for name, (bins, own) in codes.items():
        (near,) = _rates(past, bins // 2, own // 2, [_gaussian()], near_prior, own_rate)
        rates[f"near_{name}"] = near
        if name in SIDED:
            rates[f"below_{name}"], rates[f"above_{name}"] = _rates(past, bins, own, _sides(), side_prior, own_rate)
    return rates


def _gaussian() -> Floats:
    """Return weights by own bin and by bin, (13, 12); the last row is that of an unknown attribute: all zero."""
    own, other = np.arange(BINS // 2 + 1)[:, None], np.arange(BINS // 2)
    return np.exp(-(((own - other) / BANDWIDTH) ** 2) / 2) * (own < BINS // 2)


def _sides() -> list[Floats]:
    """Return the same weights for the bins up to one's own and for those from it on, (25, 24)."""
    own, other = np.arange(BINS + 1)[:, None], np.arange(BINS)
    return [(side & (own < BINS)).astype(np.float64) for side in (other <= own, other >= own)]


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
