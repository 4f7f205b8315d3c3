"""Answers about pairs: fallbacks, decisions and what moved them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.skip import VARIANTS
from pozytywka_cli.families.skip.features.history import rate
from pozytywka_cli.families.skip.features.play_features import user_rate
from pozytywka_cli.families.skip.models.baselines import shifted
from pozytywka_cli.families.skip.predict import candidates, default_pairs, load, predict

from .trained import planted, trained
from .worlds import MOMENT, START, at, saved


def test_unknown_users_and_tracks_have_their_fallbacks(tmp_path: Path):
    """A track that nobody knows gets the user's running rate, and a stranger what is usual."""
    given = planted()
    version = saved(trained("advanced").model, tmp_path)
    pairs = pl.DataFrame({"user_id": [1, 99, 1, 98, None], "track_id": ["t1", "t1", "gone", "t2", "gone"]})
    found = predict(version, given, pairs)
    assert found.columns == ["user_id", "track_id", "at", "probability", "played_to_end", "reason"]
    assert found["reason"].to_list() == ["model", "unknown user", "unknown track", "unknown user", "unknown track"]
    assert found["user_id"].to_list() == pairs["user_id"].to_list()
    usual = given.plays["skipped"].mean()
    assert found["played_to_end"].to_list() == [chance <= usual for chance in found["probability"]]
    assert found["probability"][2] == user_rate(candidates(given, pairs)[2], given, usual)[0]
    assert [found["probability"][row] for row in (1, 3, 4)] == [usual] * 3
    assert found["played_to_end"][4]


def test_who_is_known_is_for_the_variant_to_say(tmp_path: Path):
    """A model of genres knows users by the users table, one of plays by the log as well."""
    given = replace(planted(), users=planted().users.filter(pl.col("user_id") != 1))
    pairs = pl.DataFrame({"user_id": [1, 2], "track_id": ["t1", "t1"]})
    for variant, reason in (("forest", "unknown user"), ("simple", "unknown user"), ("advanced", "model")):
        version = saved(trained(variant).model, tmp_path / variant)
        assert predict(version, given, pairs)["reason"].to_list() == [reason, "model"]


def test_without_any_play_a_pair_needs_its_moment(tmp_path: Path):
    """There is no last play that it could follow."""
    version, given = saved(trained("advanced").model, tmp_path), replace(planted(), plays=planted().plays.clear())
    pairs = pl.DataFrame({"user_id": [1], "track_id": ["t1"], "at": [None]}, schema_overrides={"at": MOMENT})
    with pytest.raises(RefusedError, match="there are no plays"):
        predict(version, given, pairs)
    assert predict(version, given, pairs.with_columns(at=START))["reason"].to_list() == ["model"]


@pytest.mark.parametrize("skip_rate", [n / 1000 for n in range(1, 1000, 7)])
def test_where_nothing_is_known_every_model_gives_the_same_number(skip_rate: float):
    """To the last bit, or rounding would decide what is told."""
    assert rate(np.zeros(1), np.zeros(1), 5.0, skip_rate)[0] == shifted(np.zeros(1), skip_rate)[0] == skip_rate


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


def explained(variant: str, folder: Path) -> pl.DataFrame:
    """A hundred pairs with what moved them."""
    return predict(saved(trained(variant).model, folder), planted(), default_pairs(planted()).head(100), explain=True)


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_explanation_changes_no_answer_and_names_up_to_three_inputs(variant: str, tmp_path: Path):
    """The strongest first; a constant has none."""
    found = explained(variant, tmp_path)
    plain = predict(saved(trained(variant).model, tmp_path / "again"), planted(), default_pairs(planted()).head(100))
    assert found.drop("because").equals(plain)
    for moved in found["because"]:
        effects = [abs(one["effect"]) for one in moved]
        assert effects == sorted(effects, reverse=True)
        assert 0 not in effects
        assert len(moved) <= 3
    # genres tell nothing of this service's skips, so that `simple` is the constant
    most = {"constant": 0, "simple": 0, "user-rate": 1, "forest": 2, "legacy": 2}.get(variant, 3)
    assert found["because"].list.len().max() == most


def test_a_logistic_regression_is_moved_by_weights_times_values(tmp_path: Path):
    """An input at its training mean again: its share of the log-odds is gone."""
    version = saved(trained("logistic").model, tmp_path)
    pairs = default_pairs(planted()).head(20)
    model, asked = load(version), candidates(planted(), pairs)
    weights = next(model.members.children()).linear.weight.detach().numpy()[0]
    scaled = model.reader.inputs(asked, planted())[0].numpy()
    names = list(model.reader.mean)
    probability = model.predict_proba(asked, planted())
    odds = np.log(probability / (1 - probability))
    for row, moved in enumerate(predict(version, planted(), pairs, explain=True)["because"]):
        for one in moved:
            place = names.index(one["input"])
            without = 1 / (1 + np.exp(-(odds[row] - weights[place] * scaled[row, place])))
            assert one["effect"] == pytest.approx(probability[row] - without, abs=1e-6)
            raw = scaled[row, place] * model.reader.deviation[names[place]] + model.reader.mean[names[place]]
            assert one["value"] == pytest.approx(raw, abs=1e-4)


def test_an_unknown_track_is_explained_by_the_user_s_rate(tmp_path: Path):
    """For that is what it gets."""
    pairs = pl.DataFrame({"user_id": [1], "track_id": ["gone"]})
    found = predict(saved(trained("advanced").model, tmp_path), planted(), pairs, explain=True)
    (moved,) = found["because"][0]
    assert moved["input"] == "user_rate"
    assert moved["value"] == found["probability"][0]
