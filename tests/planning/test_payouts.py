"""Dividing a budget: to the cent, in proportion, within floor and cap."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_cli.errors import RefusedError, UsageError
from pozytywka_cli.planning.payouts import NEGLIGIBLE, Rule, cents, payouts, percentage

WEIGHT = st.one_of(st.just(0.0), st.floats(0, 1e300), st.floats(1e-6, 1e9), st.integers(1, 5).map(float))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Rule, np.ndarray]:
    """Weights of some artists, and a rule that can pay them."""
    weights = np.array(draw(st.lists(WEIGHT, min_size=1, max_size=40)))
    budget = draw(st.integers(1, 10**9))
    floor = draw(st.integers(0, budget // len(weights)))
    cap = draw(st.none() | st.integers(-(-budget // len(weights)), 2 * budget))
    return Rule(budget, floor, cap), weights


def paid(weights: list[float], budget: int, **limits: int) -> list[int]:
    return payouts(Rule(budget, **limits), np.array(weights)).tolist()


@given(cases())
def test_every_cent_of_the_budget_is_paid_within_floor_and_cap(case: tuple[Rule, np.ndarray]) -> None:
    """No more, no less, whatever the weights are."""
    rule, weights = case
    found = payouts(rule, weights)
    assert found.sum() == rule.budget
    assert found.min() >= rule.floor
    assert rule.cap is None or found.max() <= rule.cap


@given(cases())
def test_who_weighs_more_never_gets_less(case: tuple[Rule, np.ndarray]) -> None:
    """And equal weights differ by a cent at most."""
    rule, weights = case
    order = np.argsort(weights, kind="stable")
    found, ordered = payouts(rule, weights)[order], weights[order]
    steps = np.diff(found)
    assert (steps[np.diff(ordered) > 0] >= 0).all()
    assert (np.abs(steps[np.diff(ordered) == 0]) <= 1).all()


@given(cases(), st.randoms())
def test_the_order_of_the_artists_decides_nothing_but_a_tie(case: tuple[Rule, np.ndarray], random) -> None:
    """Shuffled artists get the same amounts."""
    rule, weights = case
    shuffled = weights.copy()
    random.shuffle(shuffled)
    assert sorted(payouts(rule, weights)) == sorted(payouts(rule, shuffled))


@given(cases())
def test_between_floor_and_cap_pay_is_in_proportion(case: tuple[Rule, np.ndarray]) -> None:
    """Cents per unit of weight are the same for all that do not vanish, but for rounding: one level fits them."""
    rule, weights = case
    found = payouts(rule, weights)
    weights = weights / max(weights.max(), np.finfo(float).tiny)
    between = (weights >= NEGLIGIBLE) & (found > rule.floor + 1) & (found < rule.most - 1)
    levels = (found[between] - 1) / weights[between], (found[between] + 1) / weights[between]
    assert max(levels[0], default=0) <= min(levels[1], default=1) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("weights", "budget", "limits", "expected"),
    [
        ([1, 2, 7], 1000, {}, [100, 200, 700]),
        ([1, 2, 7], 1000, {"cap": 500}, [167, 333, 500]),
        ([1, 1, 8], 1000, {"floor": 200}, [200, 200, 600]),
        ([1, 3, 8], 1000, {"floor": 200, "cap": 500}, [200, 300, 500]),
        ([1, 1, 1], 100, {}, [34, 33, 33]),
        ([0, 0, 0, 0], 100, {}, [25, 25, 25, 25]),
        ([0, 1, 0], 100, {"cap": 60}, [20, 60, 20]),
        ([0, 1], 100, {"floor": 10}, [10, 90]),
        ([5], 1, {}, [1]),
        ([1e-320, 1], 1000, {}, [0, 1000]),
        ([1e-310, 1e-310], 1000, {}, [500, 500]),
        ([1e-320, 1, 1], 1000, {"cap": 400}, [200, 400, 400]),
        ([1e-9, 1e9, 1e9], 1000, {"cap": 400}, [200, 400, 400]),
    ],
)
def test_small_divisions_by_hand(weights: list[float], budget: int, limits: dict[str, int], expected: list[int]):
    """Where the cap holds or the floor lifts, the others share the rest in the same proportion."""
    assert paid(weights, budget, **limits) == expected


def test_cents_go_by_the_largest_part_cut_off():
    """Of 1.00: 14.28…, 28.57… and 57.14… cents leave one, for the second."""
    assert paid([1, 2, 4], 100) == [14, 29, 57]


def test_premium_and_cut_change_weights_by_trend():
    """Rising by a tenth more, falling by a fifth less, steady as forecast."""
    rule = Rule(100, premium=0.1, cut=0.2)
    weights = rule.weights(np.array([10.0, 10.0, 10.0]), np.array(["rising", "steady", "falling"]))
    np.testing.assert_allclose(weights, [11, 10, 8])


@pytest.mark.parametrize(
    ("rule", "error", "message", "hint"),
    [
        (
            Rule(1000, floor=300, cap=200),
            UsageError,
            "--floor 3.00 is above --cap 2.00",
            "Lower it, or raise the cap.",
        ),
        (
            Rule(100_000, floor=33_334),
            RefusedError,
            "--floor 333.34 for 3 artists needs 0.02 more than the budget",
            "Lower it to 333.33 at most, or raise the budget.",
        ),
        (
            Rule(1000, cap=333),
            RefusedError,
            "--cap 3.33 for 3 artists leaves 0.01 of the budget unpaid",
            "Raise it to 3.34 at least, or lower the budget.",
        ),
    ],
)
def test_what_cannot_be_paid_is_refused_with_what_could(rule: Rule, error, message: str, hint: str):
    """And what the hint names can be paid."""
    with pytest.raises(error) as caught:
        payouts(rule, np.ones(3))
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_nobody_to_pay_is_said_so():
    """With a cap and without."""
    for cap in (None, 500):
        with pytest.raises(RefusedError, match="there is no artist to pay"):
            payouts(Rule(1000, cap=cap), np.array([]))


@pytest.mark.parametrize("weight", [np.nan, np.inf, -1.0])
def test_a_weight_that_is_no_amount_of_listening_is_refused(weight: float):
    """Nobody is paid by what a broken model says."""
    with pytest.raises(RefusedError, match="1 of 3 artists have a forecast that is not a number of seconds"):
        payouts(Rule(1000), np.array([1, weight, 2]))


@pytest.mark.parametrize(
    ("text", "expected"), [("1000", 100_000), ("12.50", 1250), ("0.01", 1), ("0", 0), ("100000000000", 10**13)]
)
def test_amounts_are_read_to_the_cent(text: str, expected: int):
    """Exactly, as decimals."""
    assert cents(text, "--budget") == expected


@pytest.mark.parametrize("text", ["", "ten", "-1", "0.001", "nan", "inf", "1e3", "1,000", "1_000", "1.", "١٠٠"])
def test_what_is_no_amount_is_refused(text: str):
    """With the flag and the text."""
    with pytest.raises(UsageError, match=r"--budget .* is not an amount of money"):
        cents(text, "--budget")


def test_an_amount_whose_cents_a_double_would_lose_is_refused():
    """With the largest there may be."""
    with pytest.raises(UsageError, match=r"--cap 100000000000\.01 is too much") as caught:
        cents("100000000000.01", "--cap")
    assert "100,000,000,000" in caught.value.hint


@pytest.mark.parametrize(("text", "expected"), [("0%", 0), ("5%", 0.05), ("2.5%", 0.025), ("100%", 1)])
def test_percentages_are_read(text: str, expected: float):
    """As shares."""
    assert percentage(text, "--cut") == pytest.approx(expected)


@pytest.mark.parametrize(
    "text", ["5", "-1%", "101%", "100.1%", "%", "nan%", "five%", "1e1%", "1_0%", " 5 %", "+5%", "٥%", ".5%"]
)
def test_what_is_no_percentage_is_refused(text: str):
    """With the flag and the text."""
    with pytest.raises(UsageError, match=r"--cut .* is not a percentage"):
        percentage(text, "--cut")
