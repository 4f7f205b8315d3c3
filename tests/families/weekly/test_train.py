"""Training, measuring, saving and predicting."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from pozytywka_cli.errors import RefusedError, UnavailableError, UsageError
from pozytywka_cli.families.weekly import BASELINE, VARIANTS, exponential_smoothing, lstm_training
from pozytywka_cli.families.weekly.lstm import LstmParameters
from pozytywka_cli.families.weekly.predict import load, predict
from pozytywka_cli.families.weekly.series import Series, series
from pozytywka_cli.families.weekly.train import train
from pozytywka_cli.learning import Tensors
from pozytywka_cli.records import Progress

from .trained import METRICS, SETTINGS, evaluated, noise, saved, trained
from .worlds import MONDAY, service_from

TRAINABLE = tuple(variant for variant in VARIANTS if variant != "seasonal")


@pytest.mark.parametrize("weeks", [1, 3])
def test_under_four_full_weeks_every_verb_refuses(weeks: int, tmp_path: Path):
    """Training, evaluating and predicting give the same sentence."""
    version = saved(tmp_path, trained(noise(4)).model)
    dataset = noise(weeks)
    for verb in (lambda: trained(dataset), lambda: evaluated(dataset), lambda: predict(version, dataset)):
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
    assert "lstm" not in {row.variant for row in evaluated(noise(weeks)).rows}


@pytest.mark.parametrize(("weeks", "window"), [(20, 12), (25, 17), (33, 25)])
def test_from_20_weeks_the_lstm_serves_with_a_window_as_long_as_they_allow(weeks: int, window: int):
    """Beside it, 8 weeks must be left to learn to forecast."""
    found = trained(noise(weeks)).model
    assert found.variant == "lstm"
    assert found.notes == [f"only {weeks} full weeks of plays: the LSTM reads {window} weeks, not 26"]


def test_with_34_weeks_the_whole_window_is_read():
    """And nothing needs a note."""
    assert trained(noise(34)).model.notes == []


@pytest.mark.parametrize("variant", ["lstm", "mean"])
def test_what_serves_is_fitted_on_all_weeks(variant: str, tmp_path: Path):
    """The last week alone changes the served model and the baseline, but nothing of what was measured before it."""
    listened = np.random.default_rng(4).gamma(5, 40, (12, 40))
    altered = listened.copy()
    altered[:, -1] *= 3
    made = [trained(service_from(weeks), variant) for weeks in (listened, altered)]
    assert made[0].model.epochs == made[1].model.epochs
    for number, draft in enumerate(("model", "baseline")):
        one, other = (saved(tmp_path / f"{number}{i}", getattr(found, draft)) for i, found in enumerate(made))
        assert (one.folder / "model.json").read_bytes() != (other.folder / "model.json").read_bytes()


def test_the_served_network_has_a_window_of_its_own(monkeypatch: pytest.MonkeyPatch):
    """Of 26 weeks: what is measured learns from 18 and reads 10 of them, what serves learns from all and reads 18."""
    seen = recorded_origins(monkeypatch)
    assert trained(noise(26)).model.notes == ["only 26 full weeks of plays: the LSTM reads 18 weeks, not 26"]
    assert seen == [range(10, 16), range(16, 18), range(18, 26)]


def recorded_origins(monkeypatch: pytest.MonkeyPatch) -> list[range]:
    """The origins that networks learn from and are stopped by, in the order in which they are asked for."""
    seen, make = [], lstm_training.examples

    def examples(history: Series, parameters: LstmParameters, origins: range) -> Tensors:
        seen.append(origins)
        return make(history, parameters, origins)

    monkeypatch.setattr(lstm_training, "examples", examples)
    return seen


@pytest.mark.parametrize(
    ("horizon", "test_weeks", "weeks"), [(1, 8, 20), (1, 13, 20), (2, 2, 20), (3, 8, 29), (13, 8, 64), (13, 13, 69)]
)
def test_the_fewest_weeks_leave_enough_to_learn_from(
    horizon: int, test_weeks: int, weeks: int, monkeypatch: pytest.MonkeyPatch
):
    """Six origins at least, whose weeks ahead end before those of the validation; with a week less the mean stands in.

    Neither does what stops the training reach the test weeks.
    """
    seen = recorded_origins(monkeypatch)
    found = trained(noise(weeks), horizon=horizon, test_weeks=test_weeks, epochs=1)
    learned, stopped, _ = seen
    assert found.model.variant == "lstm"
    assert len(learned) >= 6
    assert learned[-1] + horizon <= stopped[0]
    assert stopped[-1] + horizon == weeks - horizon + 1 - min(test_weeks, (weeks - horizon + 1) // 3)
    note = f"there are only {weeks - 1} full weeks of plays; the LSTM needs at least {weeks}"
    short = trained(noise(weeks - 1), horizon=horizon, test_weeks=test_weeks)
    assert (short.model.variant, short.model.notes) == ("mean", [f"fallback: the mean of all history, for {note}"])


@pytest.mark.parametrize("variant", ["legacy-lstm", "AutoETS"])
def test_a_variant_that_needs_fewer_weeks_gets_what_it_needs(variant: str):
    """With 13 weeks ahead and at most 13 test weeks: of 35 weeks 24 are left, 11 and 13 ahead; of 14, ten."""
    needed = {"legacy-lstm": 35 + 12, "AutoETS": 14 + 12}[variant]
    for weeks in (needed - 1, needed):
        found = trained(noise(weeks, 3), variant, horizon=13, test_weeks=13).model
        assert found.variant == (variant if weeks == needed else "mean")


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


@pytest.mark.parametrize("variant", TRAINABLE)
def test_train_save_load_predict_gives_the_same_bytes(variant: str, tmp_path: Path):
    """Two runs of one seed write the same files, and predict what the model in memory does."""
    dataset = noise(40)
    folders = [tmp_path / "one", tmp_path / "other"]
    versions = [saved(folder, trained(dataset, variant).model) for folder in folders]
    for name in versions[0].manifest.files:
        assert (versions[0].folder / name).read_bytes() == (versions[1].folder / name).read_bytes()
    predictions = [predict(version, dataset) for version in versions]
    assert predictions[0].equals(predictions[1])
    again = load(versions[0]).forecast(series(dataset))
    assert again.mean.tobytes() == predictions[0]["mean"].to_numpy().tobytes()
    assert predictions[0]["method"].unique().to_list() == [variant]


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


def test_what_is_measured_was_fitted_before_the_test_weeks():
    """With the last weeks altered, every epoch of it has the same losses, to the bit; the figures differ."""
    listened = np.random.default_rng(4).gamma(5, 40, (12, 40))
    altered = listened.copy()
    altered[:, 32:] *= 50
    one, other = (trained(service_from(weeks), "lstm").model for weeks in (listened, altered))
    assert one.epochs == other.epochs
    assert one.metrics != other.metrics


def test_a_prediction_is_of_the_week_after_the_last_full_one(tmp_path: Path):
    """One row an artist, sorted, in seconds, with last week beside it."""
    dataset = noise(40)
    found = predict(saved(tmp_path, trained(dataset).model), dataset)
    assert found.schema == {
        "artist_id": pl.String,
        "name": pl.String,
        "week": pl.Date,
        "mean": pl.Float64,
        "q10": pl.Float64,
        "q90": pl.Float64,
        "last_week": pl.Float64,
        "change": pl.Float64,
        "recent": pl.Float64,
        "usual": pl.Float64,
        "verdict": pl.String,
        "method": pl.String,
    }
    assert found["artist_id"].to_list() == sorted(dataset.artists["id"])
    assert found["name"][0] == "The artist 000"
    assert found["week"].unique().to_list() == [MONDAY + timedelta(weeks=40)]
    assert found["method"].unique().to_list() == ["lstm"]
    np.testing.assert_array_equal(found["last_week"], series(dataset).listened[:, -1])
    assert (found["q10"] <= found["q90"]).all()


def test_a_prediction_by_hand(tmp_path: Path):
    """Change is the forecast against the last 4 weeks; usual are the weeks between the first and those."""
    version = saved(tmp_path, trained(noise(40), "mean").model)
    listened = np.array([[200.0] * 4 + [400] * 4, [0.0] * 4 + [8, 9, 7, 6], [8.0] * 4 + [0] * 4])
    found = predict(version, service_from(listened))
    assert found["mean"].to_list() == [300, 3.75, 4]
    assert found["last_week"].to_list() == [400, 6, 0]
    assert found["recent"].to_list() == [400, 7.5, 0]
    assert found["usual"].to_list() == [200, None, 8]
    assert found["change"].to_list() == [-0.25, -0.5, None]


def test_every_week_ahead_has_its_artist_s_verdict(tmp_path: Path):
    """One that fell silent is falling, three weeks ahead as in the next."""
    version = saved(tmp_path, trained(noise(44), "mean", horizon=3).model, horizon=3)
    listened = np.full((2, 44), 9000.0)
    listened[0, -4:] = 0
    listened[0, -1] = 1000
    assert predict(version, service_from(listened))["verdict"].to_list() == ["falling"] * 3 + ["steady"] * 3


def test_an_artist_that_is_new_since_training_is_forecast_too(tmp_path: Path):
    """The model is global: a new artist is read from its zero-filled history, and a silent one is not listed."""
    version = saved(tmp_path, trained(noise(40)).model)
    listened = np.full((2, 42), 500.0)
    listened[1, :41] = 0
    dataset = service_from(listened)
    silent_one = pl.DataFrame({"id": ["silent"], "name": ["Nobody"]})
    found = predict(version, replace(dataset, artists=pl.concat([dataset.artists, silent_one])))
    assert found["artist_id"].to_list() == ["artist 000", "artist 001"]
    assert 0 < found["mean"][1] < 500


def test_a_prediction_does_not_depend_on_the_other_artists(tmp_path: Path):
    """Predicting from one artist's plays alone gives that artist the same bytes."""
    dataset = noise(40)
    version = saved(tmp_path, trained(dataset).model)
    together = predict(version, dataset)
    for artist in together["artist_id"]:
        alone = dataset.plays.filter(pl.col("track_id") == f"track of {artist}")
        assert predict(version, replace(dataset, plays=alone)).equals(together.filter(pl.col("artist_id") == artist))


def test_a_version_for_three_weeks_predicts_up_to_three(tmp_path: Path):
    """A row for each artist and week; a nearer horizon gives the same first weeks, a farther one is refused."""
    dataset = noise(44)
    version = saved(tmp_path, trained(dataset, horizon=3).model, horizon=3)
    three, one = predict(version, dataset), predict(version, dataset, horizon=1)
    weeks = [MONDAY + timedelta(weeks=44 + step) for step in range(3)]
    assert three["week"].to_list() == weeks * 12
    assert three.filter(pl.col("week") == weeks[0]).equals(one)
    with pytest.raises(UsageError, match="looks 3 weeks ahead, not 4") as caught:
        predict(version, dataset, horizon=4)
    assert "--horizon 4" in caught.value.hint


def test_each_horizon_is_measured_on_the_same_weeks():
    """Each with a protocol of its own; the gate is of all of them."""
    found = trained(noise(44), horizon=3).model
    assert {row.protocol for row in found.metrics} == {f"rolling 8 weeks, {step} ahead" for step in (1, 2, 3)}
    assert found.gate is not None
    parts = [row.value for row in found.metrics if (row.variant, row.metric) == ("lstm", "RMSE")]
    assert found.gate.value == pytest.approx(np.sqrt(np.mean(np.square(parts))))


def test_a_horizon_of_13_needs_16_weeks_at_least():
    """Four, and as many more as it looks farther."""
    with pytest.raises(RefusedError, match="only 15 full weeks of plays; weekly needs at least 16 to look 13 weeks"):
        trained(noise(15), "mean", horizon=13)
    assert trained(noise(16), "mean", horizon=13).model.variant == "mean"


def test_seasonal_needs_two_years(tmp_path: Path):
    """Without them the mean stands in and says so; with them it is trained, and the LSTM reads the week of year."""
    short = trained(noise(103), "seasonal").model
    assert (short.variant, short.notes[0][-67:]) == (
        "mean",
        "there are only 103 full weeks of plays; seasonal needs at least 104",
    )
    farther = trained(noise(105), "seasonal", horizon=3).model
    assert farther.notes[0].endswith("there are only 105 full weeks of plays; seasonal needs at least 106")
    seasonal = saved(tmp_path / "seasonal", trained(noise(104), "seasonal").model)
    assert predict(seasonal, noise(104))["method"].unique().to_list() == ["seasonal"]
    for weeks, annual in ((103, b"false"), (104, b"true")):
        version = saved(tmp_path / str(weeks), trained(noise(weeks)).model)
        assert b'"annual": ' + annual in (version.folder / "model.json").read_bytes()


def test_the_mean_listen_of_a_week_can_be_forecast_instead(tmp_path: Path):
    """`service_from` makes two plays of each week, so that the mean listen is half of all listening."""
    dataset = noise(44)
    total = saved(tmp_path / "total", trained(dataset).model)
    mean = saved(tmp_path / "mean", trained(dataset, measure="mean").model, measure="mean")
    of_all, of_one = predict(total, dataset), predict(mean, dataset)
    np.testing.assert_allclose(of_one["last_week"], of_all["last_week"] / 2)
    assert (of_one["mean"] < of_all["mean"]).all()
    assert (of_one["q10"] <= of_one["q90"]).all()


@pytest.mark.parametrize("variant", exponential_smoothing.METHODS)
def test_without_the_extra_its_variants_are_refused(variant: str, monkeypatch: pytest.MonkeyPatch):
    """Asked for by name they exit 5; evaluate leaves them out and says so."""
    monkeypatch.setattr(exponential_smoothing, "available", lambda: False)
    with pytest.raises(UnavailableError, match=f"weekly {variant} needs statsforecast"):
        trained(noise(40), variant)
    found = evaluated(noise(40))
    assert variant not in {row.variant for row in found.rows}
    assert any(note.startswith(f"weekly {variant} is left out") and "[forecast]" in note for note in found.notes)
