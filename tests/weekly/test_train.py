"""Training, measuring, saving and predicting."""

from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from pozytywka_cli.artifacts import Draft, Origin, Store, Trained, Version
from pozytywka_cli.dataset.service import Service
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.records import Progress, Row, silent
from pozytywka_cli.settings import WeeklySettings
from pozytywka_cli.weekly import BASELINE, VARIANTS
from pozytywka_cli.weekly.baselines import Linear, Mean
from pozytywka_cli.weekly.evaluate import evaluate
from pozytywka_cli.weekly.features import Series, pooled_ratio, series
from pozytywka_cli.weekly.learn import learn
from pozytywka_cli.weekly.measure import figures, rmse, rolling, split
from pozytywka_cli.weekly.predict import load, predict
from pozytywka_cli.weekly.train import train

from .worlds import MONDAY, compound_poisson, series_of, service_from

SETTINGS = WeeklySettings(epochs=2, patience=2, hidden=8)
METRICS = {"RMSE", "MAE", "WAPE", "MASE", "RMSSE", "pinball", "coverage"}


@cache
def noise(weeks: int, artists: int = 12) -> Service:
    """Artists with noise around levels of their own."""
    random = np.random.default_rng(4)
    return service_from(random.gamma(5, 1, (artists, weeks)) * random.uniform(20, 400, (artists, 1)))


def trained(service: Service, variant: str = "lstm", seed: int = 0) -> Trained:
    return train(service, SETTINGS, variant=variant, seed=seed, device="cpu", report=silent)


def evaluated(service: Service) -> list[Row]:
    return evaluate(service, SETTINGS, seed=0, device="cpu", report=silent).rows


def saved(folder: Path, draft: Draft) -> Version:
    store = Store(folder)
    version = store.save(Origin("weekly", draft.variant, {}, 0, "cpu", None, []), draft)
    return store.load("weekly", version.name)


def planted(artists: int, weeks: int, seed: int) -> Series:
    """Poisson counts at each artist's rate × exp(g), g an AR(1) of .95 with a standard deviation of .4."""
    random = np.random.default_rng(seed)
    signal = random.normal(0, 0.4, (artists, 1))
    for _ in range(weeks - 1):
        step = random.normal(0, 0.4 * np.sqrt(1 - 0.95**2), (artists, 1))
        signal = np.hstack([signal, 0.95 * signal[:, -1:] + step])
    return compound_poisson(random.uniform(5, 60, (artists, 1)) * np.exp(signal), seed)


def test_the_lstm_beats_the_mean_where_there_is_signal():
    """On an AR(1) of .95 it has at most .70 of its RMSE, at the wanted coverage."""
    divided = split(planted(300, 90, seed=1), 8)
    settings = WeeklySettings(epochs=15)
    learned = learn(divided.past, settings, 26, stop_after=None, seed=0, device="cpu", report=silent)
    ours, mean = rolling(learned.model, divided), rolling(Mean(pooled_ratio(divided.past)), divided)
    assert rmse(ours, divided) < 0.70 * rmse(mean, divided)
    figure = {row.metric: row.value for row in figures("lstm", divided.protocol, ours, divided)}
    assert 0.75 < figure["coverage"] < 0.85


def test_on_noise_the_lstm_stays_with_the_mean():
    """Where no model can beat the mean, it is at most 1 % worse."""
    rates = np.random.default_rng(0).uniform(5, 60, (200, 1)) * np.ones((1, 70))
    divided = split(compound_poisson(rates, seed=5), 8)
    learned = learn(divided.past, WeeklySettings(epochs=5), 26, stop_after=None, seed=0, device="cpu", report=silent)
    mean = rolling(Mean(pooled_ratio(divided.past)), divided)
    assert rmse(rolling(learned.model, divided), divided) <= 1.01 * rmse(mean, divided)


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_forecast_uses_the_week_that_it_forecasts(variant: str):
    """With the test weeks altered from the third on, the first three forecasts are the same bit for bit."""
    history = series(noise(40))
    altered = replace(history, listened=history.listened.copy(), squares=history.squares.copy())
    altered.listened[:, 34:] = 1e6
    altered.squares[:, 34:] = 1e12

    def forecasts(given: Series) -> np.ndarray:
        divided = split(given, 8)
        if variant == "lstm":
            model = learn(divided.past, SETTINGS, 24, stop_after=None, seed=0, device="cpu", report=silent).model
        else:
            model = Linear() if variant == "linear" else Mean(pooled_ratio(divided.past))
        return rolling(model, divided).quantiles

    one, other = forecasts(history), forecasts(altered)
    assert one[:, :3].tobytes() == other[:, :3].tobytes()
    assert one[:, 3:].tobytes() != other[:, 3:].tobytes()


def test_artists_first_heard_in_the_test_weeks_are_not_measured():
    """Nobody knew of them; the weeks themselves stay."""
    listened = np.ones((3, 12))
    listened[1, :8] = 0
    divided = split(series_of(listened), 8)
    assert (divided.start, divided.protocol) == (8, "rolling 4 weeks")
    assert divided.series.artist_ids == ["artist 00000", "artist 00002"]


@pytest.mark.parametrize("weeks", [1, 3])
def test_under_four_full_weeks_every_verb_refuses(weeks: int, tmp_path: Path):
    """Training, evaluating and predicting give the same sentence."""
    version = saved(tmp_path, trained(noise(4)).model)
    service = noise(weeks)
    for verb in (lambda: trained(service), lambda: evaluated(service), lambda: predict(version, service)):
        with pytest.raises(RefusedError) as caught:
            verb()
        assert caught.value.message == f"only {weeks} full weeks of plays; weekly needs at least 4"
        assert caught.value.hint.startswith("Give it a longer log")
        assert caught.value.exit_code == 3


@pytest.mark.parametrize("weeks", [4, 12, 19])
def test_from_4_to_19_weeks_the_mean_stands_in(weeks: int):
    """Its note says so with the number of weeks, and there is no gate."""
    found = trained(noise(weeks))
    assert (found.model.variant, found.model.gate, found.baseline.variant) == ("mean", None, BASELINE)
    assert found.model.notes == [
        f"fallback: the mean of all history, for there are only {weeks} full weeks of plays; the LSTM needs at least 20"
    ]
    assert {row.protocol for row in found.model.metrics} == {f"rolling {min(8, weeks // 3)} weeks"}
    assert "lstm" not in {row.variant for row in evaluated(noise(weeks))}


@pytest.mark.parametrize(("weeks", "window"), [(20, 6), (25, 9), (41, 25)])
def test_from_20_weeks_the_lstm_serves_with_a_window_as_long_as_they_allow(weeks: int, window: int):
    """At least 8 weeks must be left to learn to forecast."""
    found = trained(noise(weeks)).model
    assert found.variant == "lstm"
    assert found.notes == [f"only {weeks} full weeks of plays: the LSTM reads {window} weeks, not 26"]


def test_with_42_weeks_the_whole_window_is_read():
    """And nothing needs a note."""
    assert trained(noise(42)).model.notes == []


def test_a_log_that_begins_with_a_gap_is_refused():
    """Without a level before the test weeks nothing can be measured."""
    listened = np.zeros((2, 12))
    listened[:, 10:] = 100
    with pytest.raises(RefusedError, match="nothing was listened to in the 8 full weeks from 2025-01-06"):
        trained(service_from(listened), "mean")


def test_training_measures_the_model_beside_the_mean():
    """With every metric, intervals for RMSE and MAE, and a gate of half a percent of the mean's RMSE."""
    found = trained(noise(40))
    figure = {(row.variant, row.metric): row for row in found.model.metrics}
    assert set(figure) == {(variant, metric) for variant in ("lstm", "mean") for metric in METRICS}
    assert {(row.family, row.protocol) for row in found.model.metrics} == {("weekly", "rolling 8 weeks")}
    gate = found.model.gate
    assert gate is not None
    assert gate.value == pytest.approx(figure["lstm", "RMSE"].value)
    assert gate.baseline == pytest.approx(figure["mean", "RMSE"].value)
    assert gate.margin == pytest.approx(0.005 * gate.baseline)
    assert gate.difference == pytest.approx(gate.value - gate.baseline)
    low, high = figure["lstm", "RMSE"].low, figure["lstm", "RMSE"].high
    assert low is not None
    assert high is not None
    assert low < figure["lstm", "RMSE"].value < high


def test_linear_and_mean_are_trained_as_the_lstm_is():
    """The mean is its own baseline and has no gate."""
    linear, mean = trained(noise(40), "linear"), trained(noise(40), "mean")
    assert linear.model.gate is not None
    assert (linear.model.variant, linear.baseline.variant) == ("linear", "mean")
    assert (mean.model.variant, mean.model.gate) == ("mean", None)


def test_evaluation_shows_every_variant_on_both_protocols():
    """Each metric, and each RMSE as a multiple of the mean's."""
    rows = evaluated(noise(40))
    variants = {"lstm", "mean", "linear", "last week", "mean of last 4"}
    protocols = {"rolling 8 weeks", "rolling 8 weeks, top 200"}
    expected = {(v, p, m) for v in variants for p in protocols for m in METRICS | {"RMSE ÷ mean"}}
    assert {(row.variant, row.protocol, row.metric) for row in rows} == expected
    assert {row.value for row in rows if row.metric == "RMSE ÷ mean" and row.variant == "mean"} == {1}


def test_metrics_agree_with_numbers_worked_out_by_hand():
    """Two artists, two test weeks, forecast by the mean; the second artist never changed before and has no scale."""
    history = series_of(np.array([[1.0, 3, 1, 3, 2, 2], [5, 5, 5, 5, 5, 9]]))
    divided = split(history, 8)
    rows = figures("mean", divided.protocol, rolling(Mean(0.0), divided), divided)
    figure = {row.metric: row.value for row in rows}
    assert figure["RMSE"] == pytest.approx(2.0)
    assert figure["MAE"] == pytest.approx(1.0)
    assert figure["WAPE"] == pytest.approx(4 / 18)
    assert figure["MASE"] == pytest.approx(0.0)
    assert figure["RMSSE"] == pytest.approx(0.0)


def test_figures_without_a_scale_are_left_out():
    """Constant series that fall silent have no one-week error, and no listening to divide by."""
    listened = np.full((2, 12), 7.0)
    listened[:, 8:] = 0
    divided = split(series_of(listened), 8)
    rows = figures("mean", divided.protocol, rolling(Mean(200.0), divided), divided)
    assert {row.metric for row in rows} == METRICS - {"MASE", "RMSSE", "WAPE"}


@pytest.mark.parametrize("variant", VARIANTS)
def test_train_save_load_predict_gives_the_same_bytes(variant: str, tmp_path: Path):
    """Two runs of one seed write the same files, and predict what the model in memory does."""
    service = noise(40)
    folders = [tmp_path / "one", tmp_path / "other"]
    versions = [saved(folder, trained(service, variant).model) for folder in folders]
    files = ["metrics.json", "model.json", *(["weights.safetensors"] if variant == "lstm" else [])]
    for name in files:
        assert (versions[0].folder / name).read_bytes() == (versions[1].folder / name).read_bytes()
    predictions = [predict(version, service) for version in versions]
    assert predictions[0].equals(predictions[1])
    again = load(versions[0]).forecast(series(service))
    assert again.mean.tobytes() == predictions[0]["mean"].to_numpy().tobytes()


def test_another_seed_gives_another_network(tmp_path: Path):
    """The seed decides the weights."""
    one, other = (saved(tmp_path / str(seed), trained(noise(40), seed=seed).model) for seed in (0, 1))
    name = "weights.safetensors"
    assert (one.folder / name).read_bytes() != (other.folder / name).read_bytes()


def test_the_served_network_is_fitted_on_all_weeks_for_the_epochs_found(tmp_path: Path):
    """Progress shows both fits; the record holds the measured one's epochs, and every figure is valid JSON."""
    seen: list[Progress] = []
    found = train(noise(40), SETTINGS, variant="lstm", seed=0, device="cpu", report=seen.append)
    assert {step.stage for step in seen} == {"weekly lstm"}
    first = len(found.model.epochs)
    best = min(found.model.epochs, key=lambda record: record["validation_loss"])["epoch"]
    assert [step.done for step in seen[:first]] == list(range(first))
    assert [step.done for step in seen[first:]] == list(range(1, int(best) + 1))
    content = (saved(tmp_path, found.model).folder / "metrics.json").read_bytes()
    assert "null" not in str(msgspec.json.decode(content)["epochs"])


def test_a_prediction_is_of_the_week_after_the_last_full_one(tmp_path: Path):
    """One row an artist, sorted, in seconds, with last week beside it."""
    service = noise(40)
    found = predict(saved(tmp_path, trained(service).model), service)
    assert found.schema == {
        "artist_id": pl.String,
        "name": pl.String,
        "week": pl.Date,
        "mean": pl.Float64,
        "q10": pl.Float64,
        "q90": pl.Float64,
        "last_week": pl.Float64,
        "method": pl.String,
    }
    assert found["artist_id"].to_list() == sorted(service.artists["id"])
    assert found["name"][0] == "The artist 000"
    assert found["week"].unique().to_list() == [MONDAY + timedelta(weeks=40)]
    assert found["method"].unique().to_list() == ["lstm"]
    np.testing.assert_array_equal(found["last_week"], series(service).listened[:, -1])
    assert (found["q10"] <= found["q90"]).all()


def test_an_artist_that_is_new_since_training_is_forecast_too(tmp_path: Path):
    """The model is global: a new artist is read from its zero-filled history, and a silent one is not listed."""
    version = saved(tmp_path, trained(noise(40)).model)
    listened = np.full((2, 42), 500.0)
    listened[1, :41] = 0
    service = service_from(listened)
    silent_one = pl.DataFrame({"id": ["silent"], "name": ["Nobody"]})
    found = predict(version, replace(service, artists=pl.concat([service.artists, silent_one])))
    assert found["artist_id"].to_list() == ["artist 000", "artist 001"]
    assert 0 < found["mean"][1] < 500


def test_a_prediction_does_not_depend_on_the_other_artists(tmp_path: Path):
    """Predicting from one artist's plays alone gives that artist the same bytes."""
    service = noise(40)
    version = saved(tmp_path, trained(service).model)
    together = predict(version, service)
    for artist in together["artist_id"]:
        alone = service.plays.filter(pl.col("track_id") == f"track of {artist}")
        assert predict(version, replace(service, plays=alone)).equals(together.filter(pl.col("artist_id") == artist))
