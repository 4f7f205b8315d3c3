"""Training: the gate, fallbacks, and what a version is fitted to."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from pozytywka_cli.artifacts import Draft
from pozytywka_cli.errors import RefusedError, UnavailableError
from pozytywka_cli.families.weekly import FAMILY, evaluate
from pozytywka_cli.families.weekly.models import baselines, fit_lstm
from pozytywka_cli.families.weekly.models.fit import load
from pozytywka_cli.families.weekly.models.lstm_inputs import LstmParameters
from pozytywka_cli.families.weekly.series import Series, series
from pozytywka_cli.families.weekly.splits import split
from pozytywka_cli.records import Progress

from .trained import METRICS, evaluated, noise, predicted, run, saved, trained
from .worlds import dataset_from

TRAINABLE = tuple(variant for variant in FAMILY.variants if variant != "seasonal")


@pytest.mark.parametrize("weeks", [1, 3])
def test_under_four_full_weeks_every_verb_refuses(weeks: int, tmp_path: Path):
    """Training, evaluating and predicting refuse alike, with the number of weeks."""
    version = saved(tmp_path, trained(noise(4)).model)
    dataset = noise(weeks)
    for verb in (lambda: trained(dataset), lambda: evaluated(dataset), lambda: predicted(version, dataset)):
        with pytest.raises(RefusedError) as caught:
            verb()
        assert f"only {weeks} full weeks of plays; weekly needs at least 4" in caught.value.message
        assert caught.value.exit_code == 3


@pytest.mark.parametrize("weeks", [4, 12, 19])
def test_from_4_to_19_weeks_the_mean_is_the_fallback(weeks: int):
    """A field and a note with the number of weeks tell so, and there is no gate."""
    found = trained(noise(weeks))
    assert (found.model.variant, found.model.gate, found.baseline.variant) == ("mean", None, "mean")
    assert (found.model.fallback_for, found.baseline.fallback_for) == ("lstm", None)
    assert f"only {weeks} full weeks of plays; lstm needs at least 20" in found.model.notes[0]
    assert {row.protocol for row in found.model.metrics} == {f"rolling {min(8, weeks // 3)} weeks"}
    assert "lstm" not in {row.variant for row in evaluated(noise(weeks)).rows}


def test_with_20_weeks_the_lstm_reads_fewer_than_the_settings_say():
    """Beside its window, 8 weeks must be left for training and validation."""
    found = trained(noise(20)).model
    assert (found.variant, found.limited) == ("lstm", True)
    assert "reads 12 weeks, not 13" in found.notes[0]


def test_from_21_weeks_the_whole_window_is_read():
    """And nothing is limited."""
    assert not trained(noise(21)).model.limited


@pytest.mark.parametrize("variant", ["lstm", "mean"])
def test_the_version_is_fitted_on_all_weeks(variant: str, tmp_path: Path):
    """A change of the last week changes the model and the baseline, but no epoch of the measured model."""
    listened = np.random.default_rng(4).gamma(5, 40, (12, 40))
    altered = listened.copy()
    altered[:, -1] *= 3
    made = [trained(dataset_from(weeks), variant) for weeks in (listened, altered)]
    assert made[0].model.epochs == made[1].model.epochs
    for number, draft in enumerate(("model", "baseline")):
        one, other = (saved(tmp_path / f"{number}{i}", getattr(found, draft)) for i, found in enumerate(made))
        assert (one.folder / "model.json").read_bytes() != (other.folder / "model.json").read_bytes()


def test_the_final_network_has_a_window_and_a_validation_of_its_own(monkeypatch: pytest.MonkeyPatch):
    """Of 26 weeks: the measured network reads 10 weeks of 18, the final one 13 of all.

    As neither improves on the mixture on noise, the widths of intervals are fitted to training weeks, too.
    """
    seen = recorded_origins(monkeypatch)
    trained(noise(26))
    assert seen[:3] == [range(10, 16), range(16, 18), range(10, 18)]
    assert seen[3:] == [range(13, 22), range(22, 26), range(13, 26)]


def test_the_widths_of_intervals_are_fitted_to_half_a_year(monkeypatch: pytest.MonkeyPatch):
    """Where nothing was trained on it: the mixture's few parameters hardly learn these weeks."""
    seen = recorded_origins(monkeypatch)
    trained(noise(60), epochs=1)
    assert (seen[2], seen[5]) == (range(26, 52), range(34, 60))


def recorded_origins(monkeypatch: pytest.MonkeyPatch) -> list[range]:
    """The origins of training and validation, in the order in which their examples are made."""
    seen, make = [], fit_lstm.examples

    def examples(history: Series, parameters: LstmParameters, origins: range) -> fit_lstm.Examples:
        seen.append(origins)
        return make(history, parameters, origins)

    monkeypatch.setattr(fit_lstm, "examples", examples)
    return seen


@pytest.mark.parametrize(
    ("horizon", "test_weeks", "weeks"), [(1, 8, 20), (1, 13, 20), (2, 2, 20), (3, 8, 29), (13, 8, 64), (13, 13, 69)]
)
def test_the_fewest_weeks_leave_enough_to_learn_from(
    horizon: int, test_weeks: int, weeks: int, monkeypatch: pytest.MonkeyPatch
):
    """At least six origins, whose weeks ahead end before those of the validation; with a week less the mean is used.

    The validation does not reach the test weeks.
    """
    seen = recorded_origins(monkeypatch)
    found = trained(noise(weeks), horizon=horizon, test_weeks=test_weeks, epochs=1)
    learned, stopped, *_ = seen
    assert found.model.variant == "lstm"
    assert len(learned) >= 6
    assert learned[-1] + horizon <= stopped[0]
    assert stopped[-1] + horizon == weeks - horizon + 1 - min(test_weeks, (weeks - horizon + 1) // 3)
    short = trained(noise(weeks - 1), horizon=horizon, test_weeks=test_weeks).model
    assert (short.variant, short.fallback_for) == ("mean", "lstm")
    assert f"lstm needs at least {weeks}" in short.notes[0]


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
        trained(dataset_from(listened), "mean")


def test_training_measures_the_model_beside_the_mean():
    """With every metric, intervals for RMSE and MAE, and a gate of half a percent of the mean's RMSE."""
    found = trained(noise(40))
    figure = {(row.variant, row.metric): row for row in found.model.metrics}
    assert set(figure) == {(variant, metric) for variant in ("lstm", "mean") for metric in METRICS}
    assert {(row.family, row.protocol) for row in found.model.metrics} == {("weekly", "rolling 8 weeks")}
    gate = found.model.gate
    assert gate is not None
    assert gate.value == pytest.approx(figure["lstm", "rmse"].value)
    assert gate.baseline == pytest.approx(figure["mean", "rmse"].value)
    assert gate.margin == pytest.approx(0.005 * gate.baseline)
    assert gate.difference == pytest.approx(gate.value - gate.baseline)
    low, high = figure["lstm", "rmse"].low, figure["lstm", "rmse"].high
    assert low is not None
    assert high is not None
    assert low < figure["lstm", "rmse"].value < high


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
    predictions = [predicted(version, dataset) for version in versions]
    assert predictions[0].equals(predictions[1])
    again = load(versions[0]).forecast(series(dataset))
    assert again.mean.tobytes() == predictions[0]["mean"].to_numpy().tobytes()
    assert predictions[0]["method"].unique().to_list() == [variant]


def test_another_seed_gives_another_network(tmp_path: Path):
    """The seed decides the weights."""
    one, other = (saved(tmp_path / str(seed), trained(noise(40), seed=seed).model) for seed in (0, 1))
    name = "weights.safetensors"
    assert (one.folder / name).read_bytes() != (other.folder / name).read_bytes()


def test_the_record_has_the_epochs_of_the_measured_network(tmp_path: Path):
    """Progress shows both fits, which are made alike; all losses are valid JSON."""
    seen: list[Progress] = []
    found = FAMILY.train(noise(40), run(report=seen.append))
    assert {step.stage for step in seen} == {"weekly lstm"}
    assert [step.done for step in seen] == [0, 1, 2] * 2
    assert [record["epoch"] for record in found.model.epochs] == [0, 1, 2]
    content = (saved(tmp_path, found.model).folder / "metrics.json").read_bytes()
    assert "null" not in str(msgspec.json.decode(content)["epochs"])


def test_what_is_predicted_is_what_was_evaluated(tmp_path: Path):
    """A version that was trained on the weeks before the test weeks predicts the first of them as `evaluate` did."""
    listened = np.random.default_rng(4).gamma(5, 40, (12, 40))
    divided = split(series(dataset_from(listened)), 8)
    others = FAMILY.variants.keys() - {"lstm"}
    expected = evaluate.rolling_forecasts(divided, run(), others)["lstm"]
    until = dataset_from(listened[:, : divided.start])
    found = predicted(saved(tmp_path, trained(until).model), until)
    np.testing.assert_array_equal(found["mean"], expected.mean[:, 0, 0])
    np.testing.assert_array_equal(found["q90"], expected.quantiles[:, 0, 0, 2])


def shifting(weeks: int, artists: int = 60) -> NDArray[np.float64]:
    """Artists that are listened to twice as long in every other week, which no filter of a level can know."""
    random = np.random.default_rng(2)
    levels, swing = random.uniform(5000, 9000, (artists, 1)), 1 + np.arange(weeks) % 2
    return random.gamma(100, 0.01, (artists, weeks)) * levels * swing


def test_a_network_that_is_shown_to_improve_on_the_mixture_is_used():
    """It knows what alternates; on noise nothing is added, and a note says so."""
    settings = {"epochs": 30, "patience": 30, "learning_rate": 0.01, "batch_size": 64}
    found = trained(dataset_from(shifting(40)), **settings).model
    mixture = trained(dataset_from(shifting(40)), "mixture").model
    assert found.notes == []
    assert value(found, "lstm") < 0.8 * value(mixture, "mixture")
    on_noise = trained(noise(40)).model
    assert ["not shown to be better" in note for note in on_noise.notes] == [True]
    assert value(on_noise, "lstm") == pytest.approx(value(trained(noise(40), "mixture").model, "mixture"), rel=1e-4)


def value(draft: Draft, variant: str, metric: str = "rmse", protocol: str = "rolling 8 weeks") -> float:
    """A metric of a draft."""
    keys = {(row.variant, row.metric, row.protocol): row.value for row in draft.metrics}
    return keys[variant, metric, protocol]


def test_a_rival_that_is_better_on_the_training_weeks_is_trained(tmp_path: Path):
    """In an alternating series the mean of 4 weeks, in place of the last week; the figures are among the metrics."""
    dataset = dataset_from(shifting(48))
    found = FAMILY.train(dataset, replace(run("last"), rivals=("mixture", "mean4"))).model
    assert (found.variant, found.chosen_over) == ("mean4", "last")
    assert "serves in place of last" in found.notes[0]
    compared = {variant: value(found, variant, "rmse", "validation") for variant in ("last", "mixture", "mean4")}
    assert min(compared, key=compared.__getitem__) == "mean4"
    assert predicted(saved(tmp_path, found), dataset)["method"].unique().to_list() == ["mean4"]


def test_a_rival_is_chosen_without_a_look_at_the_test_weeks():
    """Whatever was listened to in the last 8 weeks, the figures that it is chosen by are the same."""
    listened = shifting(48)
    altered = listened.copy()
    altered[:, 40:] *= 5
    rivals = replace(run("last"), rivals=("mixture", "mean4"))
    one, other = (FAMILY.train(dataset_from(weeks), rivals).model for weeks in (listened, altered))
    validation = [[row for row in draft.metrics if row.protocol == "validation"] for draft in (one, other)]
    assert len(validation[0]) == 3
    assert validation[0] == validation[1]


def test_no_rival_is_compared_where_the_weeks_are_too_few():
    """Of 27 weeks 19 are left, too few to be split again for an LSTM: it is trained."""
    found = FAMILY.train(noise(27), replace(run(), rivals=("mixture", "mean4"))).model
    assert (found.variant, found.chosen_over) == ("lstm", None)
    assert {row.protocol for row in found.metrics} == {"rolling 8 weeks"}


def test_the_measured_model_is_fitted_before_the_test_weeks():
    """If the last weeks are altered, every epoch has the same losses, to the bit; the metrics differ."""
    listened = np.random.default_rng(4).gamma(5, 40, (12, 40))
    altered = listened.copy()
    altered[:, 32:] *= 50
    one, other = (trained(dataset_from(weeks), "lstm").model for weeks in (listened, altered))
    assert one.epochs == other.epochs
    assert one.metrics != other.metrics


def test_each_horizon_is_measured_on_the_same_weeks():
    """Each has a protocol of its own; the gate tests all of them together."""
    found = trained(noise(44), horizon=3).model
    assert {row.protocol for row in found.metrics} == {f"rolling 8 weeks, {step} ahead" for step in (1, 2, 3)}
    assert found.gate is not None
    parts = [row.value for row in found.metrics if (row.variant, row.metric) == ("lstm", "rmse")]
    assert found.gate.value == pytest.approx(np.sqrt(np.mean(np.square(parts))))


def test_a_horizon_of_13_needs_16_weeks_at_least():
    """Four, and as many more as it looks farther."""
    with pytest.raises(RefusedError, match="only 15 full weeks of plays; weekly needs at least 16 to look 13 weeks"):
        trained(noise(15), "mean", horizon=13)
    assert trained(noise(16), "mean", horizon=13).model.variant == "mean"


def test_seasonal_needs_two_years(tmp_path: Path):
    """Without them the mean is the fallback; with them it is trained, and the LSTM reads the week of year."""
    short = trained(noise(103), "seasonal").model
    assert (short.variant, short.fallback_for) == ("mean", "seasonal")
    assert "seasonal needs at least 104" in short.notes[0]
    farther = trained(noise(105), "seasonal", horizon=3).model
    assert "seasonal needs at least 106" in farther.notes[0]
    seasonal = saved(tmp_path / "seasonal", trained(noise(104), "seasonal").model)
    assert predicted(seasonal, noise(104))["method"].unique().to_list() == ["seasonal"]
    for weeks, annual in ((103, b"false"), (104, b"true")):
        version = saved(tmp_path / str(weeks), trained(noise(weeks)).model)
        assert b'"annual": ' + annual in (version.folder / "model.json").read_bytes()


@pytest.mark.parametrize("variant", baselines.SMOOTHING_WEEKS)
def test_without_the_extra_its_variants_are_refused(variant: str, monkeypatch: pytest.MonkeyPatch):
    """Trained by name they exit 5; evaluate leaves them out and names the reason."""
    monkeypatch.setattr(baselines, "find_spec", lambda _: None)
    with pytest.raises(UnavailableError, match=f"weekly {variant} needs statsforecast"):
        trained(noise(40), variant)
    found = evaluated(noise(40))
    assert variant not in {row.variant for row in found.rows}
    assert any(f"{variant} is left out" in note and "[forecast]" in note for note in found.notes)
