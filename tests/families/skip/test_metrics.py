"""Metrics of probabilities, and differences between variants."""

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.evaluation import SHARE, jackknife
from pozytywka_cli.families.skip import FAMILY
from pozytywka_cli.families.skip.metrics import Predictions, compare, measure, roc_auc

from .trained import value


def predictions(probability: np.ndarray, threshold: float = 0.5) -> Predictions:
    """Predictions with one threshold."""
    return Predictions(probability, np.full(len(probability), threshold))


def test_metrics_equal_scikit_learn_s():
    """With ties of probabilities."""
    from sklearn.metrics import balanced_accuracy_score, brier_score_loss, log_loss, roc_auc_score

    generator = np.random.default_rng(0)
    probability = generator.integers(1, 20, 400) / 20
    plays = pl.DataFrame({"user_id": np.arange(400) % 7, "skipped": generator.random(400) < probability})
    skipped = plays["skipped"].to_numpy()
    rows = measure("x", "time split", plays, predictions(probability, 0.4))
    assert value(rows, "x", "roc_auc") == pytest.approx(roc_auc_score(skipped, probability))
    assert value(rows, "x", "log_loss") == pytest.approx(log_loss(skipped, probability))
    assert value(rows, "x", "brier_score") == pytest.approx(brier_score_loss(skipped, probability))
    assert value(rows, "x", "balanced_accuracy") == pytest.approx(balanced_accuracy_score(skipped, probability > 0.4))


def test_plays_with_one_outcome_have_no_auc():
    """The other metrics are there."""
    plays = pl.DataFrame({"user_id": [1, 2], "skipped": [False, False]})
    rows = measure("x", "time split", plays, predictions(np.array([0.3, 0.4])))
    assert {row.metric for row in rows} == FAMILY.metrics.keys() - {"roc_auc", "balanced_accuracy", "calibration_slope"}


@pytest.mark.parametrize("users", [2, 7, 60])
def test_the_intervals_of_auc_and_balanced_accuracy_are_those_of_the_plays_without_each_user(users: int):
    """With ties within and between users, and users who skip everything."""
    generator = np.random.default_rng(users)
    user = generator.integers(users, size=400)
    skipped = generator.random(400) < np.where(user == 2, 1, 0.4)
    probability = np.round(generator.random(400) * 0.5 + 0.3 * skipped + 0.1, 1)
    plays = pl.DataFrame({"user_id": user, "skipped": skipped})
    rows = {row.metric: row for row in measure("x", "", plays, predictions(probability))}
    parts = [user != one for one in np.unique(user)]
    for name in ("roc_auc", "balanced_accuracy"):
        without = [
            value(measure("x", "", plays.filter(part), predictions(probability[part])), "x", name) for part in parts
        ]
        expected = jackknife(rows[name].value, np.array(without), np.bincount(user).astype(float), SHARE)
        assert (rows[name].value, rows[name].low, rows[name].high) == pytest.approx(expected)


def test_without_the_only_user_who_skips_there_is_no_auc():
    """So it has no interval, and neither has anything that one user played."""
    plays = pl.DataFrame({"user_id": [1, 1, 2, 2], "skipped": [True, False, False, False]})
    probability = np.array([0.6, 0.3, 0.4, 0.7])
    rows = {row.metric: row for row in measure("x", "time split", plays, predictions(probability))}
    assert (rows["roc_auc"].value, rows["roc_auc"].low, rows["roc_auc"].high) == (2 / 3, None, None)
    assert rows["log_loss"].low is not None
    alone = measure("x", "time split", plays.with_columns(user_id=pl.lit(1)), predictions(probability))
    assert {(row.low, row.high) for row in alone} == {(None, None)}


def test_constants_of_different_folds_are_no_better_or_worse_than_guessing():
    """Each is fitted on the plays of the other folds, so that it is low where there are many skips; ranked as they
    are, they would look worse than guessing."""
    skipped = np.array([True, True, False, False, False, True])
    constants = np.array([0.3, 0.3, 0.3, 0.6, 0.6, 0.6])
    assert roc_auc(skipped, Predictions(constants, constants), np.arange(6)).value == 0.5
    assert roc_auc(skipped, predictions(constants), np.arange(6)).value < 0.4


def test_plays_of_different_folds_are_ranked_by_their_log_odds_above_their_fold_s_rate():
    """A model that moves with its threshold, in log-odds, ranks as one model does."""
    from sklearn.metrics import roc_auc_score

    generator = np.random.default_rng(1)
    fold, skipped = np.arange(400) % 2, generator.random(400) < 0.4
    odds = generator.normal(size=400) + skipped
    rate = np.array([-0.5, 0.4])[fold]
    moved = Predictions(1 / (1 + np.exp(-odds - rate)), 1 / (1 + np.exp(-rate)))
    assert roc_auc(skipped, moved, np.arange(400) % 9).value == pytest.approx(roc_auc_score(skipped, odds))


def test_differences_are_from_the_default_variant():
    """By hand: two users with the same difference; two are too few to tell it from chance, as a row for each says."""
    plays = pl.DataFrame({"user_id": [1, 1, 2, 2], "skipped": [True, False, True, False]})
    made = {
        "default": predictions(np.array([0.8, 0.2, 0.8, 0.2])),
        "poor": predictions(np.array([0.4, 0.6, 0.4, 0.6])),
        "plain": predictions(np.full(4, 0.4)),
    }
    poor, least, plain, _ = compare("time split", plays, made, "default")
    assert (poor.variant, plain.variant) == ("poor", "plain")
    assert poor.metric == plain.metric == "log_loss_difference"
    assert (poor.value, poor.low, poor.high) == pytest.approx((-np.log(0.4) + np.log(0.8),) * 3)
    difference = (-np.log(0.4) - np.log(0.6)) / 2 + np.log(0.8)
    assert (plain.value, plain.low, plain.high) == pytest.approx((difference,) * 3)
    assert plain.p_value == 0.5
    assert (least.metric, least.value) == ("log_loss_difference_least_p_value", 0.5)
