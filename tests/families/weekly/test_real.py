"""The forecasts on the real editions."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pozytywka_cli.dataset.loading import load
from pozytywka_cli.families.weekly.evaluate import evaluate
from pozytywka_cli.families.weekly.series import series
from pozytywka_cli.families.weekly.train import train
from pozytywka_cli.families.weekly.trends import verdicts
from pozytywka_cli.records import silent
from pozytywka_cli.settings import WeeklySettings

pytestmark = pytest.mark.real


def test_the_lstm_ties_the_mean_on_noise_and_beats_what_follows_noise(real: Path, tmp_path: Path) -> None:
    """Its RMSE on 2024 as a multiple of each baseline's, and its intervals, as the study requires."""
    dataset = load(real / "pozytywka-2024", tmp_path / "plays.parquet", lambda _: None)
    rows = [
        row
        for row in evaluate(dataset, WeeklySettings(), seed=0, device="cpu", report=silent).rows
        if "top" not in row.protocol
    ]
    found = {row.variant: row.value for row in rows if row.metric == "RMSE of lstm ÷ its"}
    most = {"mean": 1.005, "AutoETS": 1.0, "SES": 0.99, "mean4": 0.92, "linear": 0.87, "linear-all": 0.99, "last": 0.73}
    assert {variant for variant, limit in most.items() if found[variant] > limit} == set()
    (coverage,) = (row.value for row in rows if (row.variant, row.metric) == ("lstm", "coverage"))
    assert 0.78 <= coverage <= 0.83


def test_twelve_weeks_get_the_mean_and_a_note(real: Path, tmp_path: Path) -> None:
    """2023 has 12 full weeks, too few for the LSTM."""
    dataset = load(real / "pozytywka-2023", tmp_path / "plays.parquet", lambda _: None)
    made = train(dataset, WeeklySettings(), variant="lstm", seed=0, device="cpu", report=silent).model
    assert made.variant == "mean"
    assert any("only 12 full weeks of plays" in note for note in made.notes)


def test_on_the_real_editions_hardly_an_artist_rises_or_falls(real: Path, tmp_path: Path) -> None:
    """One in a hundred at most, in 2023 and 2024; well-heard ones whose last 4 weeks are tripled all rise."""
    for edition in ("pozytywka-2023", "pozytywka-2024"):
        history = series(load(real / edition, tmp_path / f"{edition}.parquet", lambda _: None))
        assert (verdicts(history) != "steady").mean() <= 0.01
    tripled = np.argsort(-history.listened.sum(axis=1))[:300:5]
    times = np.ones_like(history.listened)
    times[tripled, -4:] = 3
    risen = replace(history, listened=history.listened * times, squares=history.squares * times)
    assert (verdicts(risen)[tripled] == "rising").all()
