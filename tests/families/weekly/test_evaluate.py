"""Evaluation: rolling origins, metrics, and comparisons of forecasts."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from pozytywka_cli.families.weekly import FAMILY, evaluate
from pozytywka_cli.families.weekly.forecast import Forecast
from pozytywka_cli.families.weekly.metrics import comparison, diebold_mariano, metrics, pinball_loss
from pozytywka_cli.families.weekly.models.baselines import Mean
from pozytywka_cli.families.weekly.models.fit import rolling_forecast
from pozytywka_cli.families.weekly.series import Series, series
from pozytywka_cli.families.weekly.splits import split
from pozytywka_cli.records import VALIDATION

from .trained import METRICS, evaluated, noise, run
from .worlds import dataset_from, series_of


@pytest.mark.parametrize("variant", FAMILY.variants)
@pytest.mark.parametrize("horizon", [1, 3])
def test_no_forecast_uses_the_week_that_it_forecasts(variant: str, horizon: int):
    """If the weeks from one test week on are altered, the forecasts of it and before are the same bit for bit."""
    history = series(noise(112))
    altered = replace(history, listened=history.listened.copy(), squares=history.squares.copy())
    altered.listened[:, 106:] = 1e6
    altered.squares[:, 106:] = 1e12

    def forecasts(given: Series) -> np.ndarray:
        divided = split(given, 8, horizon)
        others = FAMILY.variants.keys() - {variant}
        return evaluate.rolling_forecasts(divided, run(horizon=horizon), others)[variant].quantiles

    one, other = forecasts(history), forecasts(altered)
    for step in range(horizon):
        seen = 3 + step  # the first test week of which a forecast `step` weeks earlier has seen an altered week
        assert one[:, :seen, step].tobytes() == other[:, :seen, step].tobytes()
        assert one[:, seen:, step].tobytes() != other[:, seen:, step].tobytes()


def test_artists_first_played_in_the_test_weeks_are_not_measured():
    """They were unknown before; the weeks themselves are kept."""
    listened = np.ones((3, 12))
    listened[1, :8] = 0
    divided = split(series_of(listened), 8)
    assert (divided.start, divided.protocols[1]) == (8, "rolling 4 weeks")
    assert divided.series.artist_ids == ["artist 00000", "artist 00002"]


def test_evaluation_shows_every_variant_on_both_protocols():
    """Each metric, the ratio to the mean, the difference from the default with two p-values; what is left out."""
    found = evaluated(noise(40))
    variants = FAMILY.variants.keys() - {"seasonal"}
    protocols = {"rolling 8 weeks", "rolling 8 weeks, top 200"}
    expected = {(v, p, m) for v in variants for p in protocols for m in METRICS | {"rmse_ratio"}}
    expected |= {(v, p, "rmse_difference") for v in variants - {"lstm"} for p in protocols}
    same = {"lstm", "mixture"}  # on noise no network is shown to help, and equal errors cannot be tested
    expected |= {(v, p, "diebold_mariano_p_value") for v in variants - same for p in protocols}
    assert {(row.variant, row.protocol, row.metric) for row in found.rows} == expected
    assert {row.value for row in found.rows if row.metric == "rmse_ratio" and row.variant == "mean"} == {1}
    [note] = found.notes
    assert "seasonal is left out: only 40 full weeks" in note
    assert len(found.panels()) == 8


def test_evaluation_names_the_rival_that_training_would_choose():
    """In series that double in every other week the mean of 4 weeks, where the LSTM has not been trained for long.

    And shows what it is chosen by.
    """
    random = np.random.default_rng(2)
    doubling = random.gamma(100, 70, (40, 48)) * (1 + np.arange(48) % 2)
    found = FAMILY.evaluate(dataset_from(doubling), replace(run(), rivals=FAMILY.rivals))
    assert "mean4 serves in place of lstm" in found.notes[-1]
    compared = {row.variant: row.value for row in found.rows if row.protocol == VALIDATION}
    assert compared.keys() == {"lstm", *FAMILY.rivals}
    assert min(compared, key=compared.__getitem__) == "mean4"


def test_what_there_are_too_few_weeks_for_is_left_out():
    """Of 57 weeks, 13 are test weeks, forecast up to 13 weeks ahead: too few are left for the LSTM.

    The others are compared with the baseline in its place.
    """
    found = evaluated(noise(57, 3), horizon=13, test_weeks=13)
    assert "lstm is left out: only 57 full weeks of plays; lstm needs at least 69" in found.notes[0]
    assert "lstm" not in {row.variant for row in found.rows}
    assert "mean" not in {row.variant for row in found.rows if row.metric == "rmse_difference"}


def test_every_variant_is_compared_with_the_reference():
    """The difference of RMSE is negative where the variant is better, and has a p-value, for each week ahead."""
    divided = split(series_of(np.random.default_rng(0).uniform(0, 100, (40, 20))), 6, 2)
    off = {"lstm": 1.0, "legacy-lstm": 30.0, "mean": 20.0, "last": 10.0}
    sign = np.where(np.arange(40) % 2, 1, -1)[:, None, None]
    means = {name: divided.truth[..., None] + sign * [error, 2 * error] for name, error in off.items()}
    rows = comparison({name: Forecast(mean, mean[..., None]) for name, mean in means.items()}, "last", divided)
    found = {(row.variant, row.protocol): row for row in rows if row.metric == "rmse_difference"}
    ratios = {(row.variant, row.protocol): row.value for row in rows if row.metric == "rmse_ratio"}
    assert {variant for variant, _ in found} == {"lstm", "legacy-lstm", "mean"}
    assert found["lstm", "rolling 6 weeks, 1 ahead"].value == pytest.approx(-9)
    assert found["mean", "rolling 6 weeks, 2 ahead"].value == pytest.approx(20)
    assert found["lstm", "rolling 6 weeks, 2 ahead"].p_value == pytest.approx(1 / 5000, rel=0.01)
    assert ratios["legacy-lstm", "rolling 6 weeks, 2 ahead"] == pytest.approx(1.5)


def test_diebold_and_mariano_s_test_agrees_with_a_t_test_one_week_ahead():
    """With lag 0 and the correction for few weeks it is the t-test of a mean."""
    difference = np.array([3.0, -1, 4, 1, -5, 9, 2, 6])
    assert diebold_mariano(difference, 1) == pytest.approx(stats.ttest_1samp(difference, 0).pvalue)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_diebold_and_mariano_s_test_rejects_a_true_null_as_often_as_it_says(step: int):
    """Differences that overlap by `step` weeks are correlated; at 5 % some 5 % of 60 weeks are rejected."""
    noise = np.random.default_rng(step).normal(size=(2000, 60 + step - 1))
    overlapping = np.lib.stride_tricks.sliding_window_view(noise, step, axis=1).mean(axis=2)
    p = [diebold_mariano(row, step) for row in overlapping]
    assert 0.03 < np.mean([value is not None and value < 0.05 for value in p]) < 0.09


def test_no_variance_no_test():
    """A constant difference, or a single week, has no p-value."""
    assert diebold_mariano(np.ones(8), 1) is None
    assert diebold_mariano(np.array([2.0]), 1) is None


def test_metrics_agree_with_numbers_worked_out_by_hand():
    """Two artists, two test weeks, forecast by the mean; the second artist never changed and has no scale."""
    history = series_of(np.array([[1.0, 3, 1, 3, 2, 2], [5, 5, 5, 5, 5, 9]]))
    divided = split(history, 8)
    rows = metrics("mean", rolling_forecast(Mean(0.0), divided), divided)
    figure = {row.metric: row.value for row in rows}
    assert figure["rmse"] == pytest.approx(2.0)
    assert figure["mae"] == pytest.approx(1.0)
    assert figure["wape"] == pytest.approx(4 / 18)
    assert figure["mase"] == pytest.approx(0.0)
    assert figure["rmsse"] == pytest.approx(0.0)


def test_the_pinball_loss_by_hand():
    """10 % of 1.5 above the low quantile, half of .5 above the middle one, 10 % of .5 below the high one, averaged."""
    quantiles = np.array([[[1.0, 2, 3]]])
    assert pinball_loss(quantiles, np.array([[2.5]])) == pytest.approx((0.15 + 0.25 + 0.05) / 3)


def test_the_top_is_of_the_most_played_artists(monkeypatch: pytest.MonkeyPatch):
    """Their forecasts are compared with their own weeks: of three out of twelve."""
    monkeypatch.setattr(evaluate, "TOP", 3)
    history = series(noise(40))
    top = np.argsort(-history.listened[:, :32].sum(axis=1))[:3]
    off = [history.listened[top, :week].mean(axis=1) - history.listened[top, week] for week in range(32, 40)]
    rows = evaluated(noise(40)).rows
    [found] = [
        row.value
        for row in rows
        if (row.variant, row.protocol, row.metric) == ("mean", "rolling 8 weeks, top 3", "rmse")
    ]
    assert found == pytest.approx(np.sqrt(np.square(off).mean()))


def test_metrics_without_a_scale_are_left_out():
    """Constant series that fall silent have no one-week error, and no listening to divide by."""
    listened = np.full((2, 12), 7.0)
    listened[:, 8:] = 0
    divided = split(series_of(listened), 8)
    rows = metrics("mean", rolling_forecast(Mean(200.0), divided), divided)
    assert {row.metric for row in rows} == METRICS - {"mase", "rmsse", "wape"}
