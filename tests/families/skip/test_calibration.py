"""Calibration of probabilities: by hand, by scikit-learn, and by refitting without each user."""

import numpy as np
import pytest
from scipy.special import expit, logit

from pozytywka_cli.families.skip.calibration import bias, error_if_calibrated, expected_calibration_error, slope


def drawn(users: int = 20, each: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log-odds (plays,), outcomes that have them, and the users of the plays."""
    chance, user = np.random.default_rng(0), np.repeat(np.arange(users), each)
    odds = chance.normal(-0.5, 1, len(user))
    return odds, chance.random(len(user)) < expit(odds), user


def test_the_bias_is_the_mean_probability_less_the_rate():
    """Best at 0, with an interval on both sides of it where the probabilities are right."""
    odds, outcome, user = drawn()
    found = bias(outcome, expit(odds), user)
    assert found.value == pytest.approx(expit(odds).mean() - outcome.mean())
    assert found.low < 0 < found.high
    assert bias(outcome, expit(odds) / 2, user).below(-0.1)


def test_the_calibration_error_by_hand():
    """Two bins: forecasts of .1 came true half the time, forecasts of .9 always."""
    outcome = np.array([True, False, True, True])
    assert expected_calibration_error(outcome, np.array([0.1, 0.1, 0.9, 0.9])) == pytest.approx((2 * 0.4 + 2 * 0.1) / 4)
    assert expected_calibration_error(np.array([True, False]), np.array([1.0, 0.0])) == 0


def test_the_error_of_perfect_probabilities_is_what_draws_from_them_have_on_average():
    """It is not 0, and it falls with the root of the number of plays."""
    probability = expit(drawn()[0])
    chance = np.random.default_rng(1)
    draws = chance.random((400, len(probability))) < probability
    expected = np.mean([expected_calibration_error(one, probability) for one in draws])
    assert error_if_calibrated(probability) == pytest.approx(expected, rel=0.03)
    assert error_if_calibrated(np.tile(probability, 4)) == pytest.approx(error_if_calibrated(probability) / 2)
    assert error_if_calibrated(np.array([0.0, 1.0])) == 0


def test_the_slope_is_scikit_learn_s():
    """Log-odds that are twice too large have half the slope."""
    from sklearn.linear_model import LogisticRegression

    odds, outcome, user = drawn()
    expected = LogisticRegression(C=np.inf, tol=1e-10).fit(odds[:, None], outcome).coef_[0, 0]
    usual = np.full(len(odds), 0.4)
    found = slope(outcome, expit(odds), usual, user)
    assert found.value == pytest.approx(expected, rel=1e-4)
    assert found.low < 1 < found.high
    twice = slope(outcome, expit(2 * odds), usual, user)
    assert twice == pytest.approx([one / 2 for one in found])


def test_its_interval_is_about_that_of_refits_without_each_user():
    """One step of Newton's method is close to them."""
    odds, outcome, user = drawn()
    usual = np.full(len(odds), 0.4)
    found = slope(outcome, expit(odds), usual, user)
    parts = [user != one for one in range(20)]
    without = [slope(outcome[part], expit(odds[part]), usual[part], user[part]).value for part in parts]
    error = np.sqrt(19 / 20 * ((np.array(without) - found.value) ** 2).sum())
    assert (found.high - found.low) / 2 == pytest.approx(2.093 * error, rel=0.01)


def test_folds_of_different_rates_are_no_forecasts():
    """Their rates enter as they are, and what a model adds to them has the slope."""
    odds, _, user = drawn(40, 100)
    rate = np.where(user % 2, 0.6, 0.2)
    outcome = np.random.default_rng(2).random(len(user)) < expit(logit(rate) + odds)
    found = slope(outcome, expit(logit(rate) + odds), rate, user)
    assert found.low < 1 < found.high
    assert slope(outcome, expit(logit(rate) + odds / 2), rate, user).value == pytest.approx(2 * found.value)


@pytest.mark.parametrize(
    ("probability", "threshold"),
    [
        (np.full(6, 0.3), np.full(6, 0.3)),
        (np.array([0.3] * 3 + [0.4] * 3), np.array([0.3] * 3 + [0.4] * 3)),
        (np.array([0.7, 0.1, 0.9, 0.2, 0.8, 0.3]), np.full(6, 0.5)),
    ],
    ids=["constant", "constant in each fold", "separated"],
)
def test_there_may_be_no_slope(probability: np.ndarray, threshold: np.ndarray):
    """Of constants, and of probabilities that tell skipped plays from others without an error."""
    assert slope(np.array([True, False] * 3), probability, threshold, np.arange(6)) is None
