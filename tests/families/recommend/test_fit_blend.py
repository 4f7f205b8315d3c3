"""The weights of the blend."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime, minimize

from pozytywka_cli.dataset.splits import user_folds
from pozytywka_cli.families.recommend.features.outcomes import Outcomes
from pozytywka_cli.families.recommend.features.signals import ALL, NEW
from pozytywka_cli.families.recommend.models import choices as module
from pozytywka_cli.families.recommend.models.choices import Choices, conditional_logit, drawn_choices, fit_weights
from pozytywka_cli.families.recommend.models.completion import Completion, by_predictor
from pozytywka_cli.families.recommend.models.fit_blend import FOLDS, FittedBlend, completion_weights, fit_blend
from pozytywka_cli.families.recommend.models.lists import Ranker, Wish
from pozytywka_cli.families.recommend.models.scorers import Popular

from .trained import Skips, signals_of
from .worlds import divided, fans, noise


def choices_of(users: int, options: int, weights: list[float], seed: int = 0) -> Choices:
    """Each user chooses one to four different options, one after the other, by a conditional logit."""
    random = np.random.default_rng(seed)
    signals = random.normal(size=(users, options, len(weights)))
    worth = signals @ weights + random.gumbel(size=(users, options))
    rank = np.argsort(np.argsort(-worth, axis=1), axis=1)
    chosen = rank < random.integers(1, 5, size=(users, 1))
    starts = np.arange(users + 1) * options
    return Choices(signals.reshape(-1, len(weights)), chosen.ravel(), starts, np.arange(users) % FOLDS)


def loss(choices: Choices, weights: np.ndarray, penalty: float) -> float:
    """The penalised negative log likelihood, user by user, as it is defined."""
    total = penalty / 2 * float(weights @ weights)
    for first, last in zip(choices.starts[:-1], choices.starts[1:], strict=True):
        scores, chosen = choices.signals[first:last] @ weights, choices.chosen[first:last]
        logs = scores[chosen] - np.log(np.exp(scores).sum())
        total -= logs.sum() / np.sqrt(chosen.sum())
    return total


@pytest.mark.parametrize("penalty", [0.1, 10.0])
def test_the_weights_have_the_least_loss(penalty: float):
    """The slope of the loss there is 0, by finite differences; users may have different numbers of options."""
    made = choices_of(30, 40, [1.0, -0.5, 0.0])
    kept = np.random.default_rng(1).random(len(made.chosen)) < 0.7
    user = np.repeat(np.arange(30), 40)
    kept |= made.chosen
    starts = np.concatenate([[0], np.cumsum(np.bincount(user[kept]))])
    uneven = Choices(made.signals[kept], made.chosen[kept], starts, made.folds)
    found = conditional_logit(uneven.signals, uneven.chosen, uneven.starts, penalty)
    slope = approx_fprime(found, lambda weights: loss(uneven, weights, penalty), 1e-6)
    assert slope == pytest.approx(np.zeros(3), abs=2e-2)
    assert loss(uneven, found, penalty) <= minimize(lambda w: loss(uneven, w, penalty), found).fun + 1e-4


def test_the_gradient_is_that_of_the_loss(monkeypatch: pytest.MonkeyPatch):
    """What the optimiser is told, against finite differences, at weights that are far from the best."""
    told = []
    monkeypatch.setattr(
        module, "minimize", lambda function, start, **more: told.append(function) or minimize(function, start, **more)
    )
    made = choices_of(20, 15, [1.0, -1.0])
    conditional_logit(made.signals, made.chosen, made.starts, 3.0)
    (function,) = told
    for weights in np.random.default_rng(0).normal(size=(5, 2)) * 3:
        value, gradient = function(weights)
        assert value == pytest.approx(loss(made, weights, 3.0))
        assert gradient == pytest.approx(approx_fprime(weights, lambda one: function(one)[0], 1e-7), rel=1e-4, abs=1e-4)


def test_planted_weights_are_found():
    """With many choices and nearly no penalty; the bound is four standard errors or so."""
    planted = [1.0, -0.5, 0.0]
    found = fit_weights(choices_of(1500, 50, planted), ("x", "y", "z"), 1e-6)
    assert list(found) == ["x", "y", "z"]
    assert list(found.values()) == pytest.approx(planted, abs=0.1)


def test_a_sample_of_what_was_not_chosen_gives_about_the_same():
    """A fifth of the others, drawn uniformly, beside everything that was chosen (McFadden, 1978)."""
    made = choices_of(1500, 200, [1.0, -0.5])
    kept = made.chosen | (np.random.default_rng(2).random(len(made.chosen)) < 0.2)
    starts = np.concatenate([[0], np.cumsum(np.add.reduceat(kept.astype(int), made.starts[:-1]))])
    sampled = Choices(made.signals[kept], made.chosen[kept], starts, made.folds)
    every, some = (list(fit_weights(one, ("x", "y"), 1e-6).values()) for one in (made, sampled))
    assert some == pytest.approx(every, abs=0.1)


@settings(deadline=None, max_examples=10)
@given(scale=st.floats(0.01, 100), shift=st.floats(-10, 10))
def test_the_unit_of_a_signal_does_not_matter(scale: float, shift: float):
    """Twice as large values weigh half as much."""
    made = choices_of(40, 20, [1.0, -0.5])
    other = replace(made, signals=made.signals * [scale, 1] + [shift, 0])
    one, two = (list(fit_weights(choices, ("x", "y"), 10.0).values()) for choices in (made, other))
    assert [two[0] * scale, two[1]] == pytest.approx(one, rel=1e-2, abs=1e-3)


def test_a_signal_that_is_the_same_everywhere_weighs_nothing():
    """And nothing does where nobody chose anything."""
    made = choices_of(40, 20, [1.0, -0.5])
    made.signals[:, 1] = 7.0
    found = fit_weights(made, ("x", "y"), 10.0)
    assert found["x"] > 0.3
    assert found["y"] == 0
    assert fit_weights(replace(made, chosen=np.zeros_like(made.chosen)), ("x", "y"), 10.0) == {"x": 0.0, "y": 0.0}


def test_a_user_who_plays_much_does_not_decide_alone():
    """One who chose 100 tracks counts as ten who chose one: the likelihood is divided by the root."""
    signals = np.random.default_rng(0).normal(size=(220, 1))
    chosen = np.zeros(220, bool)
    chosen[:100], chosen[200] = True, True
    one = Choices(signals, chosen, np.array([0, 200, 220]), np.zeros(2, np.int64))
    assert loss(one, np.zeros(1), 0.0) == pytest.approx(10 * np.log(200) + np.log(20))
    found = conditional_logit(one.signals, one.chosen, one.starts, 1.0)
    assert approx_fprime(found, lambda weights: loss(one, weights, 1.0), 1e-6) == pytest.approx([0], abs=1e-3)


@given(folds=st.lists(st.integers(0, 3), min_size=1, max_size=6), lengths=st.data())
def test_choices_without_a_fold_are_those_of_the_other_users(folds, lengths):
    """In their order; where there are no others, everybody's."""
    sizes = [lengths.draw(st.integers(1, 4)) for _ in folds]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    owner = np.repeat(np.arange(len(folds)), sizes)
    made = Choices(owner[:, None].astype(float), owner % 2 == 0, starts, np.array(folds))
    for fold in range(4):
        found = made.without(fold)
        users = [user for user, own in enumerate(folds) if own != fold] or list(range(len(folds)))
        assert found.folds.tolist() == [folds[user] for user in users]
        parts = np.split(found.signals[:, 0], found.starts[1:-1])
        assert [part.tolist() for part in parts] == [[user] * sizes[user] for user in users]
        assert found.starts[-1] == len(found.signals) == len(found.chosen)


@pytest.fixture(scope="module")
def outcomes() -> Outcomes:
    """What users with favourite artists played in the last 30 days."""
    return divided(fans(), 60)


@pytest.mark.parametrize("new", [True, False])
def test_users_choose_among_all_tracks_that_could_be_recommended(outcomes: Outcomes, new: bool):
    """Where these are few, all of them: what was played later to its end is chosen, and with `new` nothing heard."""
    signals, history = signals_of(outcomes.history), outcomes.history
    folds = user_folds(history.users, FOLDS)
    found = drawn_choices(outcomes, signals, folds, new=new, seed=0)
    rows = outcomes.users(new=new)
    assert found.folds.tolist() == folds[rows].tolist()
    for place, row in enumerate(rows):
        own = slice(found.starts[place], found.starts[place + 1])
        wanted = outcomes.targets(new=new)[[row]].toarray()[0] > 0
        possible = history.eligible.copy()
        if new:
            possible[history.profile(row).heard] = False
        assert found.chosen[own].sum() == (wanted & possible).sum()
        assert len(found.chosen[own]) == possible.sum()
        names = NEW if new else ALL
        ((expected,),) = signals.of([history.profile(row)], ["artist"])
        column = found.signals[own, names.index("artist")]
        assert column[found.chosen[own]].tolist() == expected[np.flatnonzero(wanted & possible)].tolist()


def test_of_many_users_and_tracks_some_are_drawn(outcomes: Outcomes, monkeypatch: pytest.MonkeyPatch):
    """Different ones by seed; all that was chosen is kept."""
    monkeypatch.setattr(module, "MOST_USERS", 7)
    monkeypatch.setattr(module, "MOST_TRACKS", 30)
    signals, folds = signals_of(outcomes.history), np.arange(24)
    one, other = (drawn_choices(outcomes, signals, folds, new=True, seed=seed) for seed in (0, 1))
    for found in (one, other):
        assert len(found.folds) == 7
        assert (np.add.reduceat(~found.chosen, found.starts[:-1]) == 30).all()
    assert one.folds.tolist() != other.folds.tolist()
    targets = outcomes.targets(new=True)[one.folds].multiply(outcomes.history.eligible)
    assert np.add.reduceat(one.chosen.astype(int), one.starts[:-1]).tolist() == targets.sum(axis=1).ravel().tolist()[0]


@pytest.fixture(scope="module")
def fitted(outcomes: Outcomes) -> FittedBlend:
    """The blend of these users, with a skip model that knows nothing of them."""
    signals = signals_of(outcomes.history)
    return fit_blend(outcomes, signals, Completion(by_predictor(Skips()), signals.history.tracks), penalty=10.0, seed=0)


def test_the_artist_decides_where_users_have_favourite_artists(fitted: FittedBlend):
    """For new tracks and for all; every signal has a weight."""
    for weights, names in zip(fitted.weights, (NEW, ALL), strict=True):
        assert list(weights.signals) == list(names)
        assert weights.signals["artist"] > 0.3
        assert weights.completion == 0


@pytest.mark.parametrize("row", range(4))
def test_no_user_is_measured_with_weights_that_the_own_plays_made(outcomes: Outcomes, fitted: FittedBlend, row: int):
    """If a user plays other tracks later, the user's own list stays, though the weights change."""
    history, later = outcomes.history, outcomes.split.later
    own = later["user_id"] == int(history.users[row])
    other = later.with_columns(track_id=later["track_id"].shuffle(seed=1).zip_with(own, later["track_id"]))
    changed = replace(outcomes, split=replace(outcomes.split, later=other))
    again = fit_blend(changed, signals_of(history), None, penalty=10.0, seed=0)
    assert again.weights != fitted.weights
    wishes = [Wish(20, new) for new in (True, False)]
    one, two = (blend.measured.lists([history.profile(row)] * 2, wishes) for blend in (fitted, again))
    assert [found.first.tolist() for found in one] == [found.first.tolist() for found in two]


def test_the_blend_is_measured_in_folds(outcomes: Outcomes, fitted: FittedBlend):
    """Each has weights of its own."""
    scorer = fitted.measured.scorer
    for weights in (scorer.new, scorer.all):
        assert len({tuple(one.values()) for one in weights}) == FOLDS
    assert set(scorer.folds) == set(outcomes.history.users)


def deciding(user: int, track: str) -> float:
    """A chance of a skip that is known to be low for the tracks with even numbers."""
    return 0.05 if int(track[-1]) % 2 == 0 else 0.95


def picky() -> Outcomes:
    """Users play any tracks, and later only those with even numbers to their end."""
    data = noise()
    odd = data.plays["track_id"].str.slice(-1).cast(int) % 2 == 1
    return divided(replace(data, plays=data.plays.with_columns(skipped=odd)), 60)


def test_completion_weighs_what_it_tells():
    """A lot where it decides; nothing where it is the same for all tracks, or tells the opposite."""
    made = picky()
    plain = Ranker(made.history, Popular(made.history))
    chances = {"decides": deciding, "constant": lambda *_: 0.4, "opposite": lambda *pair: 1 - deciding(*pair)}
    weights = {
        name: completion_weights(made, plain, Completion(by_predictor(Skips(one)), made.history.tracks), 0)
        for name, one in chances.items()
    }
    assert min(weights["decides"]) > 0.3
    assert weights["constant"] == weights["opposite"] == (0, 0)


def test_noise_hardly_ever_weighs():
    """Chances of a skip that are drawn at random: at most one in twelve weights is not 0."""
    weights = []
    for seed in range(6):
        made, random = divided(noise(seed=seed), 60), np.random.default_rng(seed)
        skips = Skips(lambda *_, random=random: random.uniform(0.1, 0.6))
        plain = Ranker(made.history, Popular(made.history))
        weights += completion_weights(made, plain, Completion(by_predictor(skips), made.history.tracks), 0)
    assert np.count_nonzero(weights) <= 1
