"""Choosing tracks within budgets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pozytywka_cli.errors import RefusedError, UsageError
from pozytywka_cli.planning.placement import Budgets, budgets, chosen, descending, fill, place
from pozytywka_cli.planning.storage import Storage
from tests.planning.cache_worlds import RATES, storage_of


@st.composite
def knapsacks(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, float]:
    """Values and costs of some tracks, and a budget."""
    count = draw(st.integers(1, 12))
    numbers = st.floats(0.01, 10) | st.integers(1, 4).map(float)
    values, costs = (np.array(draw(st.lists(numbers, min_size=count, max_size=count))) for _ in range(2))
    return values, costs, draw(st.floats(0.01, 30))


def best_value(values: np.ndarray, costs: np.ndarray, budget: float) -> float:
    """The highest value of all subsets within the budget."""
    subsets = (np.arange(2 ** len(values))[:, None] >> np.arange(len(values))) & 1
    return float((subsets @ values)[subsets @ costs <= budget].max())


@given(knapsacks())
def test_the_budget_is_kept_and_the_value_is_the_best_but_for_one_track(case):
    """Compared with every subset; and no track that is left out would still fit."""
    values, costs, budget = case
    taken = chosen(values, costs, budget)
    spent = costs[taken].sum()
    assert spent <= budget * (1 + 1e-12)
    best = best_value(values, costs, budget)
    assert values[taken].sum() <= best * (1 + 1e-12)
    fitting = costs <= budget
    assert values[taken].sum() >= best - values[fitting].max(initial=0) - 1e-9
    assert values[taken].sum() >= best / 2 - 1e-9
    assert not (costs[~taken] <= budget - spent - 1e-9).any()


@given(knapsacks())
def test_the_order_of_the_tracks_decides_ties_only(case):
    """Reversed, tracks of the same value and cost may be taken, but of the same total."""
    values, costs, budget = case
    one, other = chosen(values, costs, budget), chosen(values[::-1], costs[::-1], budget)[::-1]
    if len(np.unique(values)) == len(values) and len(np.unique(values / costs)) == len(values):
        np.testing.assert_array_equal(one, other)


def test_the_first_of_equal_tracks_is_taken():
    """So that the same data give the same plan."""
    assert chosen(np.ones(4), np.ones(4), 2.5).tolist() == [True, True, False, False]


def test_a_small_budget_takes_one_valuable_track_in_place_of_a_cheap_one():
    """By value per cost alone the cheap one would be taken, and leave no room."""
    assert chosen(np.array([1.1, 10.0]), np.array([1.0, 10.0]), 10.0).tolist() == [False, True]


def test_tracks_without_value_are_left_out():
    """An oracle keeps nothing that nobody plays; a free track costs nothing."""
    assert chosen(np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.0, 0.0]), 9.0).tolist() == [False, True, True]


def test_what_does_not_fit_is_passed_over():
    """A smaller track after it may still fit."""
    assert fill(np.array([0, 1, 2]), np.array([3.0, 4.0, 2.0]), 5.0).tolist() == [True, False, True]
    assert not fill(np.array([0]), np.array([3.0]), 2.0).any()
    assert descending(np.array([1.0, 3.0, 3.0])).tolist() == [1, 2, 0]


@given(st.integers(0, 100), st.floats(0.3, 40), st.floats(0, 20))
def test_every_track_has_one_class_within_its_budget(seed, fast, medium):
    """FAST and MEDIUM keep their budgets; without one nothing is in MEDIUM."""
    random = np.random.default_rng(seed)
    storage = storage_of(random.integers(50_000, 70_000, 30).tolist())
    values = random.gamma(1, 1, 30)
    classes = place(values, storage, Budgets(fast, medium))
    for name, budget in (("FAST", fast), ("MEDIUM", medium)):
        assert storage.costs(name)[classes == name].sum() <= budget * (1 + 1e-12)
    assert set(classes) <= set(RATES)
    assert medium or "MEDIUM" not in classes
    cheaper = (classes == "FAST").sum()
    assert cheaper == (place(values, storage, Budgets(fast)) == "FAST").sum()


def test_the_best_tracks_are_in_fast_and_the_next_in_medium():
    """With room for one track in each."""
    storage = storage_of([100_000] * 4)
    classes = place(np.array([1.0, 4.0, 3.0, 2.0]), storage, Budgets(0.5, 0.25))
    assert classes.tolist() == ["SLOW", "FAST", "MEDIUM", "SLOW"]


@pytest.mark.parametrize(
    ("rates", "limits", "message"),
    [
        (RATES, Budgets(0.3), "no room for any track"),
        ({"SLOW": 1e-6}, Budgets(1), "FAST has a daily_cost"),
        ({"FAST": 1e-6}, Budgets(1), "SLOW has a daily_cost"),
        ({"FAST": 1e-6, "SLOW": 1e-6}, Budgets(1, 1), "MEDIUM has a daily_cost"),
        (RATES | {"FAST": 0.0}, Budgets(1), "FAST cost nothing"),
    ],
)
def test_what_cannot_be_planned_is_refused(rates, limits, message):
    """A budget without room, and classes whose costs are unknown or nothing."""
    storage = storage_of([100_000] * 3)
    with pytest.raises(RefusedError, match=message) as caught:
        place(np.ones(3), Storage(storage.tracks, rates), limits)
    assert caught.value.hint


def test_budgets_are_read():
    """As numbers; MEDIUM may be 0."""
    assert budgets("12", "0") == Budgets(12.0, 0.0)
    assert budgets("0.05", "1.5") == Budgets(0.05, 1.5)


@pytest.mark.parametrize("text", ["", "ten", "-1", "nan", "inf", "1e3", "1,000", ".5", "1" * 400])
def test_what_is_no_cost_is_refused(text):
    """With the flag and the text."""
    with pytest.raises(UsageError, match="--medium-budget"):
        budgets("1", text)
    with pytest.raises(UsageError, match="--fast-budget"):
        budgets(text, "1")


def test_a_budget_of_nothing_is_refused():
    """There would be nothing to place."""
    with pytest.raises(UsageError, match="--fast-budget 0"):
        budgets("0", "1")
