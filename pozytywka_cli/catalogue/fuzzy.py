"""What was meant by a spelling that is none."""

from collections.abc import Sequence

from pozytywka_cli.catalogue import names
from pozytywka_cli.catalogue.string_index import Index

CUTOFF = 0.6


def misspelt(keys: Index, asked: str) -> int | None:
    """The row of the key that was most likely meant: with two letters swapped, else the nearest; None where none is."""
    if _too_long(keys, asked):
        return None
    # few names are a swap away, so one that is was meant, even where a longer one is nearer
    if swaps := [row for key in names.swapped(asked) for row in keys.find(key)]:
        return min(swaps)
    return next(iter(_nearest(keys, names.readings(asked), 1, CUTOFF)), None)


def suggested(index: Index, readings: Sequence[str]) -> list[int]:
    """Rows of the three nearest to any reading that have anything in common with it, the nearest first."""
    if _too_long(index, readings[0]):
        return []
    return [row for row, similarity in _nearest(index, readings, names.SUGGESTED, 0).items() if similarity > 0]


def _too_long(index: Index, asked: str) -> bool:
    """Whether the letters too many alone, an edit each, leave less than the cutoff of any similarity."""
    return CUTOFF * len(asked) > index.longest


def _nearest(index: Index, readings: Sequence[str], n: int, least: float) -> dict[int, float]:
    """Rows and similarities (`least` to 1) of the `n` strings nearest to any reading, best and first rows first."""
    found: dict[int, float] = {}
    for reading in readings:
        for row, similarity in index.nearest(reading, n, least):
            found[row] = max(similarity, found.get(row, 0))
    return {row: found[row] for row in sorted(found, key=lambda row: (-found[row], row))[:n]}
