"""Training, measuring, saving and predicting."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from pozytywka_cli.artifacts import Trained
from pozytywka_cli.dataset.service import Service, load
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.records import Progress, Row, silent
from pozytywka_cli.settings import SkipSettings
from pozytywka_cli.skip import VARIANTS
from pozytywka_cli.skip.evaluate import evaluate
from pozytywka_cli.skip.features import user_rate
from pozytywka_cli.skip.measure import Ranked, enough, figures, time_split
from pozytywka_cli.skip.predict import candidates, default_pairs, predict
from pozytywka_cli.skip.train import train

from .worlds import MOMENT, START, at, listeners, saved

QUICK = SkipSettings(epochs=6, learning_rate=5e-3)


@cache
def planted() -> Service:
    """Half of the users skip what one can dance to, the others what one cannot."""
    return listeners(1, users=30, each=80, persona=True)


@cache
def trained(variant: str) -> Trained:
    """That service's model."""
    return train(planted(), QUICK, variant=variant, seed=0, device="cpu", report=silent)


def value(rows: list[Row], variant: str, metric: str) -> float:
    """One figure."""
    (found,) = (row.value for row in rows if (row.variant, row.metric) == (variant, metric))
    return found


def test_a_planted_taste_is_found():
    """The probability of a skip is .8 or .2: an AUC of .8 is the best there is; genres alone tell little."""
    rows = trained("advanced").model.metrics
    assert 0.72 < value(rows, "advanced", "AUC") < 0.84
    assert value(rows, "advanced", "log loss") < value(rows, "constant", "log loss") - 0.1
    assert trained("advanced").model.gate is not None
    assert trained("advanced").model.gate.passed
    assert trained("advanced").model.notes == []


@pytest.mark.parametrize("seed", range(2))
def test_coin_flips_are_not_told_worse_than_by_the_constant(seed: int):
    """There is nothing to learn; no model is worse than the constant by more than .001, or far from an AUC of .5."""
    given = listeners(seed, users=60, each=100, persona=False)
    rows = train(given, QUICK, variant="advanced", seed=seed, device="cpu", report=silent).model.metrics
    assert value(rows, "advanced", "log loss") <= value(rows, "constant", "log loss") + 0.001
    assert abs(value(rows, "advanced", "AUC") - 0.5) < 0.06


def test_a_network_that_never_beats_the_constant_is_the_constant(tmp_path: Path):
    """With a learning rate that wrecks it, the first weights are kept, and a note says so."""
    given = listeners(5, users=10, each=60, persona=False)
    wrecked = quick(learning_rate=5.0)
    draft = train(given, wrecked, variant="advanced", seed=0, device="cpu", report=silent).model
    assert draft.notes == [
        "the networks do not beat the constant on validation plays by more than chance: the model is the constant"
    ]
    assert draft.gate is not None
    assert draft.gate.difference == 0
    found = predict(saved(draft, tmp_path), given, default_pairs(given))
    assert found["probability"].n_unique() == 1
    assert found["probability"][0] == pytest.approx(given.plays["skipped"].mean())


def quick(**changes: float) -> SkipSettings:
    """Quick settings with changes."""
    return msgspec.structs.replace(QUICK, **changes)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_seed_gives_the_same_files_and_predictions(variant: str, tmp_path: Path):
    """Bit for bit, in whatever order the plays come; a batch predicts as its pairs one by one."""
    given = planted()
    shuffled = replace(given, plays=given.plays.sample(fraction=1, shuffle=True, seed=3))
    again = train(shuffled, QUICK, variant=variant, seed=0, device="cpu", report=silent)
    assert again.model.metrics == trained(variant).model.metrics
    assert again.model.epochs == trained(variant).model.epochs
    first, second = (
        saved(draft, tmp_path / name) for name, draft in (("1", trained(variant).model), ("2", again.model))
    )
    written = {name for name in first.manifest.files if name.endswith((".json", ".safetensors"))}
    assert "model.json" in written
    assert all(first.manifest.files[name] == second.manifest.files[name] for name in written)
    pairs = default_pairs(given).head(700)
    whole = predict(first, given, pairs)
    assert whole.equals(predict(second, given, pairs))
    for row in (0, 1, 350, 699):
        assert predict(first, given, pairs[row]).equals(whole[row])


def test_progress_is_reported_over_all_networks():
    """Epoch 0 has no training loss."""
    seen: list[Progress] = []
    train(
        listeners(2, users=4, each=60, persona=True), QUICK, variant="simple", seed=0, device="cpu", report=seen.append
    )
    assert {step.stage for step in seen} == {"skip simple"}
    assert all(step.done <= step.total == 3 * QUICK.epochs for step in seen if step.loss is None)
    assert seen[0].loss is None
    assert seen[1].loss is not None


def test_the_forest_says_how_many_plays_it_saw():
    """More plays than allowed are drawn at random."""
    given = listeners(2, users=5, each=60, persona=True)
    few = quick(forest_rows=100)
    draft = train(given, few, variant="forest", seed=0, device="cpu", report=silent).model
    assert draft.notes == ["the forest was fitted on 100 of 300 plays, drawn at random"]
    assert trained("forest").model.notes == []


def test_every_variant_stands_beside_its_baselines():
    """One protocol, the same metrics for all, with intervals that hold the figure."""
    rows = evaluate(planted(), QUICK, seed=0, device="cpu", report=silent).rows
    assert [row.variant for row in rows if row.metric == "AUC"] == [*VARIANTS, "user rate"]
    assert {row.metric for row in rows} == {"log loss", "AUC", "accuracy", "balanced accuracy", "Brier", "ECE"}
    assert {(row.family, row.protocol) for row in rows} == {("skip", "time")}
    assert all(row.low <= row.value <= row.high for row in rows if row.low is not None and row.high is not None)
    assert value(rows, "constant", "AUC") == 0.5
    ours = {(row.variant, row.metric): row.value for row in rows}
    assert all(ours[row.variant, row.metric] == row.value for row in trained("advanced").model.metrics)


def test_the_time_split_tests_on_the_last_fifth_and_stops_on_the_last_eighth_before_it():
    """No play is in two parts, and each part is later than the one before."""
    plays = planted().plays
    split = time_split(plays)
    parts = [plays.filter(flags)["started_at"] for flags in (split.fitting, split.validation, split.test)]
    assert sum(map(len, parts)) == len(plays)
    assert parts[0].max() < parts[1].min() <= parts[1].max() < parts[2].min()
    assert split.test.mean() == pytest.approx(0.2, abs=0.06)


def test_figures_are_what_scikit_learn_says():
    """Weights of resamples included, and ties of probabilities."""
    from sklearn.metrics import balanced_accuracy_score, brier_score_loss, log_loss, roc_auc_score

    generator = np.random.default_rng(0)
    probability = generator.integers(1, 20, 400) / 20
    plays = pl.DataFrame({"user_id": np.arange(400) % 7, "skipped": generator.random(400) < probability})
    skipped = plays["skipped"].to_numpy()
    rows = figures("x", "time", plays, probability)
    assert value(rows, "x", "AUC") == pytest.approx(roc_auc_score(skipped, probability))
    assert value(rows, "x", "log loss") == pytest.approx(log_loss(skipped, probability))
    assert value(rows, "x", "Brier") == pytest.approx(brier_score_loss(skipped, probability))
    assert value(rows, "x", "balanced accuracy") == pytest.approx(balanced_accuracy_score(skipped, probability >= 0.5))
    weights = generator.integers(0, 4, 400).astype(np.float64)
    expected = roc_auc_score(skipped, probability, sample_weight=weights)
    assert Ranked.of(skipped, probability).auc(weights) == pytest.approx(expected)


def test_test_plays_of_one_kind_have_no_auc():
    """The other figures stand."""
    plays = pl.DataFrame({"user_id": [1, 2], "skipped": [False, False]})
    assert {row.metric for row in figures("x", "time", plays, np.array([0.3, 0.4]))} == {
        "log loss",
        "accuracy",
        "Brier",
        "ECE",
    }


@pytest.mark.parametrize(
    ("plays", "message", "hint"),
    [
        (
            listeners(0, users=3, each=19, persona=True).plays,
            "only 57 plays by 3 users; skip needs at least 100 plays by 2 users",
            "Give it a longer log.",
        ),
        (
            listeners(0, users=1, each=120, persona=True).plays,
            "only 120 plays by 1 users; skip needs at least 100 plays by 2 users",
            "Give it a longer log.",
        ),
        (
            listeners(0, users=2, each=60, persona=True).plays.with_columns(skipped=False),
            "of 120 plays none was skipped: there is nothing to tell apart",
            "Give it a log with plays of both kinds.",
        ),
        (
            listeners(0, users=2, each=60, persona=True).plays.with_columns(skipped=True),
            "of 120 plays every one was skipped: there is nothing to tell apart",
            "Give it a log with plays of both kinds.",
        ),
    ],
)
def test_a_log_with_too_little_in_it_is_refused(plays: pl.DataFrame, message: str, hint: str):
    """It says what there is and what is needed."""
    with pytest.raises(RefusedError) as refused:
        train(replace(planted(), plays=plays), QUICK, variant="advanced", seed=0, device="cpu", report=silent)
    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_a_log_without_skips_before_its_last_fifth_is_refused():
    """The training part decides."""
    plays = planted().plays
    late = plays.with_columns(skipped=pl.col("skipped") & (pl.col("started_at") > at(7 * 7200)))
    with pytest.raises(
        RefusedError, match="of the 1800 plays before the log's last fifth 0 were skipped: there is noth"
    ):
        time_split(late)
    assert enough(late) is late
    with pytest.raises(RefusedError, match="all 2400 plays start at one moment; skip is measured on later plays"):
        time_split(plays.with_columns(started_at=pl.lit(START, MOMENT)))


def test_unknown_users_and_tracks_have_their_fallbacks(tmp_path: Path):
    """A track that nobody knows gets the user's running rate, and a stranger what the model makes of no history."""
    given = planted()
    version = saved(trained("advanced").model, tmp_path)
    pairs = pl.DataFrame({"user_id": [1, 99, 1, 98, None], "track_id": ["t1", "t1", "gone", "t1", "gone"]})
    found = predict(version, given, pairs)
    assert found.columns == ["user_id", "track_id", "at", "probability", "played_to_end", "reason"]
    assert found["reason"].to_list() == ["model", "unknown user", "unknown track", "unknown user", "unknown track"]
    assert found["played_to_end"].to_list() == [chance < 0.5 for chance in found["probability"]]
    assert found["user_id"].to_list() == pairs["user_id"].to_list()
    rate = given.plays["skipped"].mean()
    assert found["probability"][2] == user_rate(candidates(given, pairs)[2], given, rate)[0]
    assert found["probability"][4] == pytest.approx(rate)
    assert found["probability"][1] == found["probability"][3]


def test_without_a_moment_a_candidate_starts_when_its_user_s_plays_have_ended():
    """With one it is seen from there; an unknown user's starts with the log's last play."""
    given = planted()
    last = given.plays["started_at"].max()
    pairs = pl.DataFrame(
        {"user_id": [1, 1, 99], "track_id": ["t1"] * 3, "at": [None, START, None]}, schema_overrides={"at": MOMENT}
    )
    found = candidates(given, pairs)
    mine = given.plays.filter((pl.col("user_id") == 1) & (pl.col("started_at") == last))
    assert found["started_at"].to_list() == [ended(mine), START, last]
    assert found["session_id"].null_count() == 3
    assert not found["advertisement_before"].any()


def ended(play: pl.DataFrame) -> object:
    """When a single play had run its course."""
    return play.select(pl.col("started_at") + pl.duration(milliseconds="listened_ms")).item()


def test_pairs_without_a_column_are_refused():
    """The column is named."""
    with pytest.raises(RefusedError, match="the pairs have no column track_id"):
        candidates(planted(), pl.DataFrame({"user_id": [1]}))


def test_default_pairs_are_those_of_the_last_28_days():
    """Each once, sorted."""
    given = planted()
    assert default_pairs(given).equals(given.plays.select("user_id", "track_id").unique().sort("user_id", "track_id"))
    old = given.plays.head(3).with_columns(started_at=pl.lit(at(-29 * 86_400), MOMENT), track_id=pl.lit("old"))
    assert default_pairs(replace(given, plays=pl.concat([old, given.plays]))).equals(default_pairs(given))


@pytest.mark.real
def test_the_real_log_reaches_the_figures_of_the_study(real: Path, tmp_path: Path):
    """AUC at least .768 and log loss at most .525 on later plays; much more would be a leak."""
    given = load(real / "pozytywka-2023", tmp_path / "plays.parquet", lambda _: None)
    rows = train(given, SkipSettings(), variant="advanced", seed=0, device="cpu", report=silent).model.metrics
    assert 0.768 <= value(rows, "advanced", "AUC") <= 0.79
    assert value(rows, "advanced", "log loss") <= 0.525
    assert value(rows, "constant", "log loss") == pytest.approx(0.641, abs=0.001)
