"""Assignment of units to arms."""

import hashlib
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from pozytywka_cli.experiments.assignment import PLACES, Segment, assign, cut, fraction, place, recut

HALVES = cut({"control": Fraction(1), "treatment": Fraction(1)})
weights = st.lists(st.integers(0, 1000), min_size=4, max_size=4).filter(any)


def positive(numbers: list[int]) -> dict[str, Fraction]:
    return {f"arm {number}": Fraction(weight) for number, weight in enumerate(numbers) if weight}


def arm_at(segments: list[Segment]) -> list[tuple[int, str]]:
    """The end of each segment, with its arm."""
    ends, end = [], 0
    for segment in segments:
        end += segment.width
        ends.append((end, segment.arm))
    return ends


def moved(old: list[Segment], new: list[Segment]) -> int:
    """How many places change their arm."""
    bounds = sorted({0, *(end for end, _ in arm_at(old) + arm_at(new))})
    arms = [[next(arm for end, arm in arm_at(one) if start < end) for start in bounds[:-1]] for one in (old, new)]
    return sum(b - a for a, b, x, y in zip(bounds, bounds[1:], *arms, strict=False) if x != y)


def test_a_place_is_the_beginning_of_sha_256():
    """As any other program can compute it: `printf salt:101 | sha256sum` begins with baf94ab5."""
    digest = hashlib.sha256(b"salt:101").hexdigest()
    assert fraction("salt", "101") == (int(digest[:16], 16) >> 11) / 2**53
    assert place("salt", "101") == 6578555618048521


@given(st.text(), st.text())
def test_every_unit_has_a_place(salt, unit):
    """Also an empty one, and one of any alphabet."""
    unit = unit.encode("utf-8", "replace").decode()
    salt = salt.encode("utf-8", "replace").decode()
    assert 0 <= fraction(salt, unit) < 1


@given(weights)
def test_segments_fill_the_line_in_proportion(numbers):
    """To one place."""
    chosen = positive(numbers)
    segments = cut(chosen)
    assert sum(segment.width for segment in segments) == PLACES
    for segment in segments:
        assert abs(segment.width - chosen[segment.arm] / sum(chosen.values()) * PLACES) < 1


@given(st.lists(weights, min_size=2, max_size=5))
def test_new_weights_move_as_few_units_as_possible(changes):
    """No more places than the arms that grow gain, after any number of changes, and the shares are right."""
    segments = cut(positive(changes[0]))
    for numbers in changes[1:]:
        new = recut(segments, positive(numbers))
        shares = [
            {arm: sum(one.width for one in part if one.arm == arm) for arm in ("arm 0", "arm 1", "arm 2", "arm 3")}
            for part in (segments, new)
        ]
        assert shares[1] == dict.fromkeys(shares[1], 0) | {one.arm: one.width for one in cut(positive(numbers))}
        assert moved(segments, new) == sum(max(shares[1][arm] - shares[0][arm], 0) for arm in shares[0])
        segments = new


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1))
def test_a_unit_has_one_arm(units):
    """Whatever other units are asked for with it."""
    assert assign("salt", HALVES, units) == [assign("salt", HALVES, [unit])[0] for unit in units]


def test_arms_are_balanced_and_salts_independent():
    """Of 100,000 consecutive ids, half are in each arm, also among those whose arm under another salt is known."""
    units = [str(number) for number in range(100_000)]
    first, second = (assign(salt, HALVES, units) for salt in ("first", "second"))
    both = sum(one == other == "control" for one, other in zip(first, second, strict=True))
    assert abs(first.count("control") - 50_000) < 5 * 158  # five standard deviations
    assert abs(both - 25_000) < 5 * 137
