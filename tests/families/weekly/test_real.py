"""The forecasts on the real editions."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.dataset.loading import load
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.weekly import FAMILY
from pozytywka_cli.families.weekly.series import WEEK, full_weeks, series
from pozytywka_cli.families.weekly.settings import WeeklySettings
from pozytywka_cli.families.weekly.trends import trends

pytestmark = pytest.mark.real

RUN = TrainingRun(WeeklySettings(), FAMILY.default)


def test_the_lstm_ties_the_mean_on_noise_and_beats_baselines_that_follow_noise(real: Path, tmp_path: Path) -> None:
    """Its RMSE on 2024, also relative to each other variant's, and its coverage, as the study requires."""
    dataset = load(real / "pozytywka-2024", tmp_path / "plays.parquet", lambda _: None)
    rows = [row for row in FAMILY.evaluate(dataset, RUN).rows if "top" not in row.protocol]
    rmse = {row.variant: row.value for row in rows if row.metric == "rmse"}
    most = {
        "mixture": 1.005,
        "mean": 1.005,
        "AutoETS": 1.0,
        "SES": 0.99,
        "mean4": 0.92,
        "linear": 0.87,
        "linear-all": 0.99,
        "last": 0.73,
    }
    assert {variant for variant, limit in most.items() if rmse["lstm"] / rmse[variant] > limit} == set()
    assert rmse["lstm"] <= 746
    (coverage,) = (row.value for row in rows if (row.variant, row.metric) == ("lstm", "coverage"))
    assert 0.77 <= coverage <= 0.84


def test_twelve_weeks_get_the_mean_as_fallback(real: Path, tmp_path: Path) -> None:
    """2023 has 12 full weeks, too few for the LSTM."""
    dataset = load(real / "pozytywka-2023", tmp_path / "plays.parquet", lambda _: None)
    model = FAMILY.train(dataset, RUN).model
    assert (model.variant, model.fallback_for) == ("mean", "lstm")
    assert "only 12 full weeks of plays" in model.notes[0]


def test_on_the_real_editions_hardly_an_artist_rises_or_falls(real: Path, tmp_path: Path) -> None:
    """At most 1 %, in 2023 and 2024; well-played ones whose last 4 weeks are tripled all rise."""
    for edition in ("pozytywka-2023", "pozytywka-2024"):
        history = series(load(real / edition, tmp_path / f"{edition}.parquet", lambda _: None))
        assert (trends(history) != "steady").mean() <= 0.01
    tripled = np.argsort(-history.listened.sum(axis=1))[:300:5]
    times = np.ones_like(history.listened)
    times[tripled, -4:] = 3
    risen = replace(history, listened=history.listened * times, squares=history.squares * times)
    assert (trends(risen)[tripled] == "rising").all()


@pytest.mark.parametrize(
    ("edition", "first", "weeks"), [("2023", date(2023, 1, 2), 12), ("2024", date(2022, 11, 28), 104)]
)
def test_a_log_that_stops_on_a_sunday_lacks_that_week(real: Path, tmp_path: Path, edition, first, weeks) -> None:
    """Cut off at 00:05, the week is not full; the whole log and one that stops at midnight have all weeks."""
    plays = load(real / f"pozytywka-{edition}", tmp_path / "plays.parquet", lambda _: None).plays
    assert full_weeks(plays) == [first + WEEK * week for week in range(weeks)]
    end = datetime.combine(first + WEEK * weeks, time(), UTC)
    for stop, fewer in ((end, 0), (end - timedelta(hours=23, minutes=55), 1)):
        assert len(full_weeks(plays.filter(pl.col("started_at") < stop))) == weeks - fewer
