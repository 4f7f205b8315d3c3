"""Fuzzy search: the strings closest to a misspelt one, pruned by length and letters."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli.catalogue import names
from pozytywka_cli.catalogue.string_table import StringIndex, letter_bits

CUTOFF = 0.6
BANDS = np.arange(9, -1, -1) / 10  # lower ends of the bands of similarity that are searched one after the other


def best_match(keys: StringIndex, key: str) -> int | None:
    """Return the row of the key that a misspelt one most likely stands for; None if none is close enough.

    A key with two letters swapped comes first, even if another one is closer: few names are a swap apart.
    """
    if _too_long(keys, key):
        return None
    swaps = (f"{key[:at]}{second}{first}{key[at + 2 :]}" for at, (first, second) in enumerate(pairwise(key)))
    if swapped := [row for candidate in swaps for row in keys.find(candidate)]:
        return min(swapped)
    return next(iter(_closest(keys, names.typo_readings(key), 1, CUTOFF)), None)


def suggestions(index: StringIndex, readings: Sequence[str]) -> list[int]:
    """Return the rows of the three strings closest to any reading that share something with it, closest first."""
    if _too_long(index, readings[0]):
        return []
    return [row for row, similarity in _closest(index, readings, names.SUGGESTIONS, 0).items() if similarity > 0]


def _too_long(index: StringIndex, string: str) -> bool:
    """Return whether a string is so long that its similarity to every indexed one is below the cutoff."""
    return CUTOFF * len(string) > int(index.table["length"].max(initial=0))


def _closest(index: StringIndex, readings: Sequence[str], n: int, cutoff: float) -> dict[int, float]:
    """Return rows and similarities of the `n` strings closest to any reading, best first, then by row."""
    similarities: dict[int, float] = {}
    for reading in readings:
        for row, similarity in nearest(index, reading, n, cutoff):
            similarities[row] = max(similarity, similarities.get(row, 0))
    return dict(sorted(similarities.items(), key=lambda item: (-item[1], item[0]))[:n])


def nearest(index: StringIndex, string: str, n: int, cutoff: float = 0) -> list[tuple[int, float]]:
    """Return rows and similarities (`cutoff` to 1) of the `n` most similar strings, best first, then by row.

    A similarity is 1 - distance / length of the longer string. The distance counts letters added, removed, replaced and
    swapped, none edited twice (optimal string alignment: Boytsov, 2011). The result is that of a full scan: only
    strings that cannot be as similar as the last one of the result are skipped.
    """
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    bounds, upper, best = _upper_bounds(index, string), np.inf, list[tuple[int, float]]()
    for lower in BANDS:
        rows = np.flatnonzero((bounds >= lower) & (bounds < upper))
        scored = process.extract(
            string, index.take(rows), scorer=OSA.normalized_similarity, limit=n, score_cutoff=cutoff
        )
        best += [(int(rows[place]), similarity) for _, similarity, place in scored]
        best = sorted(best, key=lambda item: (-item[1], item[0]))[:n]
        if lower <= cutoff or (len(best) == n and best[-1][1] >= lower):
            break
        upper = lower
    return best


def _upper_bounds(index: StringIndex, string: str) -> NDArray[np.float64]:
    """Return the highest similarity (n,) that each string can have, from its length and letters.

    An edit adds, removes or replaces one code point, or swaps two: it changes the length by at most one, and adds and
    removes at most one letter.
    """
    length, letters = index.table["length"].astype(np.int64), index.table["letters"]
    (own,) = letter_bits([string])
    edits = np.abs(length - len(string))
    for missing in (letters & ~own, own & ~letters):
        np.maximum(edits, np.bitwise_count(missing), out=edits)
    bounds: NDArray[np.float64] = 1 - edits / np.maximum(length, max(len(string), 1))
    return bounds
