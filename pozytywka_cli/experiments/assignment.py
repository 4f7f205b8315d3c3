"""Assign units to arms by a hash, the same everywhere and for ever.

The line from 0 to 1 is cut into segments, each of which belongs to an arm. A unit's place on the line is a hash of the
experiment's salt and the unit, so that experiments with different salts are independent of each other.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

import msgspec

PLACES = 2**53  # on the line: as many as a double holds between 0 and 1 at even distances


class Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the line, of `width` places, whose units get `arm`."""

    arm: str
    width: int


def place(salt: str, unit: str) -> int:
    """Return the place of a unit, 0 to `PLACES` - 1: the first 53 bits of the SHA-256 of `salt:unit`."""
    digest = hashlib.sha256(f"{salt}:{unit}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 11


def fraction(salt: str, unit: str) -> float:
    """Return the place of a unit as a number in [0, 1)."""
    return place(salt, unit) / PLACES


def assign(salt: str, segments: Sequence[Segment], units: Iterable[str]) -> list[str]:
    """Return the arm of each unit."""
    starts, arms, end = [], [], 0
    for segment in segments:
        starts.append(end)
        arms.append(segment.arm)
        end += segment.width
    return [arms[bisect_right(starts, place(salt, unit)) - 1] for unit in units]


def cut(weights: Mapping[str, Fraction]) -> list[Segment]:
    """Cut the line into one segment for each arm, in proportion to positive weights."""
    return [Segment(arm, width) for arm, width in _widths(weights).items()]


def recut(segments: Sequence[Segment], weights: Mapping[str, Fraction]) -> list[Segment]:
    """Return segments in proportion to new weights which move as few units as possible.

    An arm that grows keeps all of its units. One that shrinks gives up the ends of its segments, no more than it must.
    An arm without a weight loses all of its units.
    """
    kept = _widths(weights)
    missing = dict(kept)
    for segment in segments:
        missing[segment.arm] = missing.get(segment.arm, 0) - segment.width
    wanting = {arm: places for arm, places in missing.items() if places > 0}
    result: list[Segment] = []
    for segment in segments:
        own = min(segment.width, kept.get(segment.arm, 0))
        kept[segment.arm] = kept.get(segment.arm, 0) - own
        parts = [Segment(segment.arm, own), *_given_away(segment.width - own, wanting)]
        for part in parts:
            _append(result, part)
    return result


def _given_away(width: int, wanting: dict[str, int]) -> Iterator[Segment]:
    """Divide a width among the arms that want places, in their order, and take it off what they want."""
    while width:
        arm, places = next(iter(wanting.items()))
        part = min(width, places)
        yield Segment(arm, part)
        width -= part
        wanting[arm] -= part
        if not wanting[arm]:
            del wanting[arm]


def _append(segments: list[Segment], part: Segment) -> None:
    """Append a segment; one of the same arm as the last is joined to it, and an empty one is left out."""
    if not part.width:
        return
    if segments and segments[-1].arm == part.arm:
        part = Segment(part.arm, segments.pop().width + part.width)
    segments.append(part)


def _widths(weights: Mapping[str, Fraction]) -> dict[str, int]:
    """Return the places of each arm, which sum to `PLACES`, by largest remainder."""
    total = sum(weights.values())
    exact = {arm: weight / total * PLACES for arm, weight in weights.items()}
    widths = {arm: int(places) for arm, places in exact.items()}
    by_remainder = sorted(exact, key=lambda arm: widths[arm] - exact[arm])
    for arm in by_remainder[: PLACES - sum(widths.values())]:
        widths[arm] += 1
    return widths
