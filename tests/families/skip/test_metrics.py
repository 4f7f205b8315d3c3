"""Metrics of probabilities, and what one model gains over another."""

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.families.skip.metrics import Answers, Ranked, figures, gains

from .trained import value


def answers(probability: np.ndarray, threshold: float = 0.5) -> Answers:
    """Answers with one threshold."""
    return Answers(probability, np.full(len(probability), threshold))


def test_figures_are_what_scikit_learn_says():
    """Weights of resamples included, and ties of probabilities."""
    from sklearn.metrics import balanced_accuracy_score, brier_score_loss, log_loss, roc_auc_score

    generator = np.random.default_rng(0)
    probability = generator.integers(1, 20, 400) / 20
    plays = pl.DataFrame({"user_id": np.arange(400) % 7, "skipped": generator.random(400) < probability})
    skipped = plays["skipped"].to_numpy()
    rows = figures("x", "time", plays, answers(probability, 0.4))
    assert value(rows, "x", "AUC") == pytest.approx(roc_auc_score(skipped, probability))
    assert value(rows, "x", "log loss") == pytest.approx(log_loss(skipped, probability))
    assert value(rows, "x", "Brier") == pytest.approx(brier_score_loss(skipped, probability))
    assert value(rows, "x", "balanced accuracy") == pytest.approx(balanced_accuracy_score(skipped, probability > 0.4))
    weights = generator.integers(0, 4, 400).astype(np.float64)
    expected = roc_auc_score(skipped, probability, sample_weight=weights)
    assert Ranked.of(skipped, answers(probability)).auc(weights) == pytest.approx(expected)


def test_test_plays_of_one_kind_have_no_auc():
    """The other figures stand."""
    plays = pl.DataFrame({"user_id": [1, 2], "skipped": [False, False]})
    assert {row.metric for row in figures("x", "time", plays, answers(np.array([0.3, 0.4])))} == {
        "log loss",
        "accuracy",
        "Brier",
        "ECE",
    }


def test_constants_of_different_folds_tell_nothing_apart():
    """Each is fitted on the others' plays, so that it is low where there are many skips; ranked as they are, they would
    look worse than guessing."""
    skipped = np.array([True, True, False, False, False, True])
    constants = np.array([0.3, 0.3, 0.3, 0.6, 0.6, 0.6])
    assert Ranked.of(skipped, Answers(constants, constants)).auc(np.ones(6)) == 0.5
    assert Ranked.of(skipped, answers(constants)).auc(np.ones(6)) < 0.4


def test_plays_of_different_folds_are_ranked_by_what_lies_above_each_fold_s_rate():
    """A model that moves with its threshold, in log-odds, ranks as one model does."""
    from sklearn.metrics import roc_auc_score

    generator = np.random.default_rng(1)
    fold, skipped = np.arange(400) % 2, generator.random(400) < 0.4
    odds = generator.normal(size=400) + skipped
    rate = np.array([-0.5, 0.4])[fold]
    moved = Answers(1 / (1 + np.exp(-odds - rate)), 1 / (1 + np.exp(-rate)))
    assert Ranked.of(skipped, moved).auc(np.ones(400)) == pytest.approx(roc_auc_score(skipped, odds))


def test_gains_are_over_the_baseline_with_the_lowest_log_loss():
    """By hand: two users, each better by the same; with two users a sign flip cannot tell that from chance."""
    plays = pl.DataFrame({"user_id": [1, 1, 2, 2], "skipped": [True, False, True, False]})
    given = {
        "model": answers(np.array([0.8, 0.2, 0.8, 0.2])),
        "poor": answers(np.array([0.4, 0.6, 0.4, 0.6])),
        "plain": answers(np.full(4, 0.4)),
    }
    rows = gains("time", plays, given, ("poor", "plain"))
    assert {row.variant for row in rows} == {"model"}
    difference = -np.log(0.8) - (-np.log(0.4) - np.log(0.6)) / 2
    (loss, p, accuracy, _) = rows
    assert [row.metric for row in rows] == [
        "log loss - plain",
        "p of log loss - plain",
        "accuracy - plain",
        "p of accuracy - plain",
    ]
    assert (loss.value, loss.low, loss.high) == pytest.approx((difference,) * 3)
    assert p.value == pytest.approx(0.5, abs=0.03)
    assert accuracy.value == 0.5
