"""Predictions for requests: single ones and batches, fallbacks, decisions and explanations."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError, UsageError
from pozytywka_cli.families.skip import FAMILY, predict
from pozytywka_cli.families.skip.features.play_features import user_rate
from pozytywka_cli.families.skip.features.play_log import PlayLog
from pozytywka_cli.families.skip.features.rates import rate
from pozytywka_cli.families.skip.models.model import shifted
from pozytywka_cli.families.skip.predict import SkipPredictor

from .trained import VARIANTS, personas, trained
from .worlds import MOMENT, START, at, saved

SCHEMA = {"user_id": pl.Int64, "track_id": pl.String, "at": MOMENT, "session_id": pl.Int64}


def opened(variant: str, folder: Path, dataset: Dataset | None = None) -> SkipPredictor:
    """The predictor of a variant on that dataset, or on another one."""
    return SkipPredictor.open(saved(trained(variant).model, folder), personas() if dataset is None else dataset)


@pytest.fixture(scope="module")
def predictors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SkipPredictor]:
    """A predictor of each variant."""
    return {variant: opened(variant, tmp_path_factory.mktemp(variant)) for variant in VARIANTS}


REQUESTS = st.lists(
    st.tuples(
        st.sampled_from([*range(31), None]),
        st.sampled_from([*(f"t{number}" for number in range(81)), "unknown"]),
        st.one_of(st.none(), st.integers(-100, 9 * 7200).map(at)),
        st.one_of(st.none(), st.integers(0, 8)),
    ),
    min_size=1,
    max_size=20,
)


@pytest.mark.parametrize("variant", VARIANTS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=REQUESTS)
def test_a_single_request_gets_the_answer_of_the_batch_and_of_the_whole_log(
    variant: str, predictors: dict[str, SkipPredictor], rows: list[tuple[int | None, str, datetime | None, int | None]]
):
    """Bit for bit: alone, in a batch, and computed from the plays of all users instead of the request's own."""
    predictor, requests = predictors[variant], pl.DataFrame(rows, SCHEMA, orient="row")
    batch = predictor.predict(requests)
    alone = pl.concat([predictor.predict(requests[row]) for row in range(len(requests))])
    assert alone.equals(batch)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PlayLog, "history_of", lambda log, _: log.history)
        assert predictor.predict(requests).equals(batch)


@pytest.mark.parametrize("variant", VARIANTS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=REQUESTS)
def test_the_state_changes_no_answer(
    variant: str, predictors: dict[str, SkipPredictor], rows: list[tuple[int | None, str, datetime | None, int | None]]
):
    """Bit for bit: with the state from the first request on, alone or in a batch, and without it."""
    predictor, requests = predictors[variant], pl.DataFrame(rows, SCHEMA, orient="row")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predict, "WORTHWHILE", np.inf)
        expected = predictor.explain(requests)
        patch.setattr(predict, "WORTHWHILE", 0)
        assert predictor.explain(requests).equals(expected)
        assert pl.concat([predictor.explain(requests[row]) for row in range(len(requests))]).equals(expected)


def test_many_requests_without_a_moment_build_the_state_once(tmp_path: Path):
    """A few do not, nor do those with a moment."""
    predictor = opened("advanced", tmp_path)
    few = predictor.default_requests().head(predict.WORTHWHILE - 1)
    predictor.predict(few)
    predictor.predict(predictor.default_requests().with_columns(at=START))
    assert "state" not in vars(predictor)
    predictor.predict(few.head(1))
    state = predictor.state
    predictor.predict(few)
    assert predictor.state is state


def test_a_request_reads_only_the_plays_of_its_user(predictors: dict[str, SkipPredictor]):
    """So that its cost does not grow with the log."""
    log = predictors["advanced"].log
    assert log.history_of(pl.Series([3, 5, 3, 99, None])).equals(log.history.filter(pl.col("user_id").is_in([3, 5])))
    assert log.history_of(pl.Series([99])).is_empty()


def test_unknown_users_and_tracks_have_their_fallbacks(predictors: dict[str, SkipPredictor]):
    """An unknown track gets the user's skip rate so far, and an unknown user the rate of all plays."""
    predictor = predictors["advanced"]
    requests = pl.DataFrame({"user_id": [1, 99, 1, 98, None], "track_id": ["t1", "t1", "gone", "t2", "gone"]})
    answers = predictor.predict(requests)
    assert answers.columns == ["user_id", "track_id", "at", "probability", "played_to_end", "reason", "method"]
    assert answers["reason"].to_list() == ["model", "unknown user", "unknown track", "unknown user", "unknown track"]
    assert answers["user_id"].to_list() == requests["user_id"].to_list()
    usual = personas().plays["skipped"].mean()
    assert answers["played_to_end"].to_list() == [probability <= usual for probability in answers["probability"]]
    assert answers["probability"][2] == user_rate(predictor.candidates(requests)[2], predictor.log, usual)[0]
    assert [answers["probability"][row] for row in (1, 3, 4)] == [usual] * 3
    assert answers["played_to_end"][4]


def test_the_variant_decides_which_users_are_known(tmp_path: Path):
    """A model of genres knows users by the users table, one of plays by the log as well."""
    dataset = replace(personas(), users=personas().users.filter(pl.col("user_id") != 1))
    requests = pl.DataFrame({"user_id": [1, 2], "track_id": ["t1", "t1"]})
    for variant, reason in (("forest", "unknown user"), ("simple", "unknown user"), ("advanced", "model")):
        predictor = opened(variant, tmp_path / variant, dataset)
        assert predictor.predict(requests)["reason"].to_list() == [reason, "model"]


def test_without_any_play_a_request_needs_its_moment(tmp_path: Path):
    """There is no last play that it could follow."""
    predictor = opened("advanced", tmp_path, replace(personas(), plays=personas().plays.clear()))
    requests = pl.DataFrame({"user_id": [1], "track_id": ["t1"], "at": [None]}, schema_overrides={"at": MOMENT})
    with pytest.raises(RefusedError, match="no plays"):
        predictor.predict(requests)
    assert predictor.predict(requests.with_columns(at=START))["reason"].to_list() == ["model"]
    assert predictor.default_requests().is_empty()
    assert predictor.predict(predictor.default_requests()).is_empty()


def test_a_predictor_needs_a_dataset(tmp_path: Path):
    """The message names the option."""
    with pytest.raises(UsageError) as refused:
        FAMILY.open(saved(trained("constant").model, tmp_path), None)
    assert "--data-dir" in refused.value.hint


@pytest.mark.parametrize("skip_rate", [n / 1000 for n in range(1, 1000, 7)])
def test_without_information_every_model_predicts_the_same_number(skip_rate: float):
    """To the last bit, or rounding would decide whether a skip is predicted."""
    assert rate(np.zeros(1), np.zeros(1), 5.0, skip_rate)[0] == shifted(np.zeros(1), skip_rate)[0] == skip_rate


def test_without_a_moment_a_candidate_starts_when_its_user_s_plays_have_ended(predictors: dict[str, SkipPredictor]):
    """With one it starts there; that of an unknown user starts with the log's last play."""
    plays = personas().plays
    last = plays["started_at"].max()
    requests = pl.DataFrame(
        {"user_id": [1, 1, 99], "track_id": ["t1"] * 3, "at": [None, START, None]}, schema_overrides={"at": MOMENT}
    )
    rows = predictors["advanced"].candidates(requests)
    play = plays.filter((pl.col("user_id") == 1) & (pl.col("started_at") == last))
    ended = play.select(pl.col("started_at") + pl.duration(milliseconds="listened_ms")).item()
    assert rows["started_at"].to_list() == [ended, START, last]
    assert rows["session_id"].null_count() == 3
    assert not rows["advertisement_before"].any()


def test_requests_without_a_column_are_refused(predictors: dict[str, SkipPredictor]):
    """The column is named."""
    with pytest.raises(RefusedError, match="track_id"):
        predictors["advanced"].predict(pl.DataFrame({"user_id": [1]}))


def test_default_requests_are_the_pairs_of_the_last_28_days(tmp_path: Path):
    """Each once, sorted."""
    dataset = personas()
    pairs = dataset.plays.select("user_id", "track_id").unique().sort("user_id", "track_id")
    old = dataset.plays.head(3).with_columns(started_at=pl.lit(at(-29 * 86_400), MOMENT), track_id=pl.lit("old"))
    longer = replace(dataset, plays=pl.concat([old, dataset.plays]))
    for number, each in enumerate((dataset, longer)):
        assert opened("constant", tmp_path / str(number), each).default_requests().equals(pairs)


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_explanation_changes_no_answer_and_names_up_to_three_inputs(
    variant: str, predictors: dict[str, SkipPredictor]
):
    """The one with the largest effect first; a constant has none."""
    predictor = predictors[variant]
    requests = predictor.default_requests().head(100)
    answers = predictor.explain(requests)
    assert answers.drop("because").equals(predictor.predict(requests))
    for inputs in answers["because"]:
        effects = [abs(one["effect"]) for one in inputs]
        assert effects == sorted(effects, reverse=True)
        assert 0 not in effects
        assert len(inputs) <= 3
    # genres carry no information about the skips of this dataset, so that `simple` is the constant
    most = {"constant": 0, "simple": 0, "user-rate": 1, "forest": 2, "legacy": 2}.get(variant, 3)
    assert answers["because"].list.len().max() == most


def test_effects_of_a_logistic_regression_are_weights_times_values(predictors: dict[str, SkipPredictor]):
    """With an input at its training mean, its share of the log-odds is gone."""
    predictor = predictors["logistic"]
    requests = predictor.default_requests().head(20)
    model = predictor.model
    rows = predictor.candidates(requests)
    weights = model.members[0].weights["linear.weight"][0]
    inputs = model.reader.open(predictor.log)(rows)
    scaled, names = inputs[0], list(model.reader.mean)
    probability = model.predict_proba(inputs, predictor.log.knows(rows))
    odds = np.log(probability / (1 - probability))
    for row, largest in enumerate(predictor.explain(requests)["because"]):
        for one in largest:
            place = names.index(one["input"])
            without = 1 / (1 + np.exp(-(odds[row] - weights[place] * scaled[row, place])))
            assert one["effect"] == pytest.approx(probability[row] - without, abs=1e-6)
            raw = scaled[row, place] * model.reader.deviation[names[place]] + model.reader.mean[names[place]]
            assert one["value"] == pytest.approx(raw, abs=1e-4)


def test_an_unknown_track_is_explained_by_the_user_s_rate(predictors: dict[str, SkipPredictor]):
    """That is the prediction that it gets."""
    answers = predictors["advanced"].explain(pl.DataFrame({"user_id": [1], "track_id": ["gone"]}))
    (one,) = answers["because"][0]
    assert one["input"] == "user_rate"
    assert one["value"] == answers["probability"][0]
