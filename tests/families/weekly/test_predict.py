"""The predictor: forecasts of the artists that are requested."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.errors import RefusedError, UsageError
from pozytywka_cli.families.weekly.predict import WeeklyPredictor
from pozytywka_cli.families.weekly.series import series
from pozytywka_cli.families.weekly.shared_move import shared_move

from .trained import noise, opened, predicted, saved, trained
from .worlds import MONDAY, dataset_from


def test_a_prediction_is_of_the_week_after_the_last_full_one(tmp_path: Path):
    """One row for each artist, sorted, in seconds, with last week beside it."""
    dataset = noise(40)
    found = predicted(saved(tmp_path, trained(dataset).model), dataset)
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
        "trend": pl.String,
        "method": pl.String,
    }
    assert found["artist_id"].to_list() == sorted(dataset.artists["id"])
    assert found["name"][0] == "The artist 000"
    assert found["week"].unique().to_list() == [MONDAY + timedelta(weeks=40)]
    assert found["method"].unique().to_list() == ["lstm"]
    np.testing.assert_array_equal(found["last_week"], series(dataset).listened[:, -1])
    assert (found["q10"] <= found["q90"]).all()


def test_a_prediction_by_hand(tmp_path: Path):
    """Change is relative to the last 4 weeks; usual are the weeks between the first and those."""
    version = saved(tmp_path, trained(noise(40), "mean").model)
    listened = np.array([[200.0] * 4 + [400] * 4, [0.0] * 4 + [8, 9, 7, 6], [8.0] * 4 + [0] * 4])
    found = predicted(version, dataset_from(listened))
    assert found["mean"].to_list() == [300, 3.75, 4]
    assert found["last_week"].to_list() == [400, 6, 0]
    assert found["recent"].to_list() == [400, 7.5, 0]
    assert found["usual"].to_list() == [200, None, 8]
    assert found["change"].to_list() == [-0.25, -0.5, None]


def test_every_week_ahead_has_the_trend_of_its_artist(tmp_path: Path):
    """One that fell silent is falling, three weeks ahead as in the next."""
    version = saved(tmp_path, trained(noise(44), "mean", horizon=3).model, horizon=3)
    listened = np.full((2, 44), 9000.0)
    listened[0, -4:] = 0
    listened[0, -1] = 1000
    assert predicted(version, dataset_from(listened))["trend"].to_list() == ["falling"] * 3 + ["steady"] * 3


def test_an_artist_that_is_new_since_training_is_forecast_too(tmp_path: Path):
    """One model is used for all artists: a new one has a zero-filled history; one without plays is not listed."""
    version = saved(tmp_path, trained(noise(40)).model)
    listened = np.full((2, 42), 500.0)
    listened[1, :41] = 0
    dataset = dataset_from(listened)
    silent_one = pl.DataFrame({"id": ["silent"], "name": ["Nobody"]})
    found = predicted(version, replace(dataset, artists=pl.concat([dataset.artists, silent_one])))
    assert found["artist_id"].to_list() == ["artist 000", "artist 001"]
    assert 0 < found["mean"][1] < 500


def test_a_prediction_of_the_mean_does_not_depend_on_the_other_artists(tmp_path: Path):
    """Predicting from one artist's plays alone gives that artist the same bytes."""
    dataset = noise(40)
    version = saved(tmp_path, trained(dataset, "mean").model)
    together = predicted(version, dataset)
    for artist in together["artist_id"]:
        alone = dataset.plays.filter(pl.col("track_id") == f"track of {artist}")
        assert predicted(version, replace(dataset, plays=alone)).equals(together.filter(pl.col("artist_id") == artist))


@pytest.mark.parametrize("variant", ["lstm", "mixture"])
def test_an_artist_is_expected_to_move_with_the_others(variant: str, tmp_path: Path):
    """Where all grow alike, one of few plays is forecast higher than from its own plays alone."""
    growth = 1.02 ** np.arange(40)
    listened = np.random.default_rng(1).gamma(20, 50, (40, 40)) * growth
    listened[0] = 300 * np.roll(np.tile([0.2, 1.8, 0.5, 1.5], 10), 1) * growth
    dataset = dataset_from(listened)
    version = saved(tmp_path, trained(dataset, variant).model)
    alone = replace(dataset, plays=dataset.plays.filter(pl.col("track_id") == "track of artist 000"))
    assert predicted(version, dataset)["mean"][0] > 1.02 * predicted(version, alone)["mean"][0]


def test_a_version_for_three_weeks_predicts_up_to_three(tmp_path: Path):
    """A row for each artist and week; a nearer horizon gives the same first weeks, a farther one is refused."""
    dataset = noise(44)
    version = saved(tmp_path, trained(dataset, horizon=3).model, horizon=3)
    predictor = WeeklyPredictor.open(version, dataset)
    requests = predictor.default_requests()
    three, one = predictor.predict(requests), predictor.predict(requests.with_columns(horizon=1))
    weeks = [MONDAY + timedelta(weeks=44 + step) for step in range(3)]
    assert three["week"].to_list() == weeks * 12
    assert three.filter(pl.col("week") == weeks[0]).equals(one)
    with pytest.raises(UsageError, match="looks 3 weeks ahead, not 4") as caught:
        predictor.predict(requests.with_columns(horizon=4))
    assert "--horizon 4" in caught.value.hint


def test_the_mean_listen_of_a_week_can_be_forecast_instead(tmp_path: Path):
    """`dataset_from` makes two plays of each week, so that the mean listen is half of all listening."""
    dataset = noise(44)
    total = saved(tmp_path / "total", trained(dataset).model)
    mean = saved(tmp_path / "mean", trained(dataset, measure="mean").model, measure="mean")
    of_all, of_one = predicted(total, dataset), predicted(mean, dataset)
    np.testing.assert_allclose(of_one["last_week"], of_all["last_week"] / 2)
    assert (of_one["mean"] < of_all["mean"]).all()
    assert (of_one["q10"] <= of_one["q90"]).all()


def test_requests_are_answered_in_their_order_and_to_the_bit_as_in_a_batch(tmp_path: Path):
    """Also twice the same artist, each request with a horizon of its own."""
    predictor = opened(tmp_path, noise(44), horizon=3)
    batch = predictor.predict(predictor.default_requests())
    wanted = pl.DataFrame({"artist_id": ["artist 007", "artist 001", "artist 007"], "horizon": [2, None, 1]})
    found = predictor.predict(wanted)
    assert found["artist_id"].to_list() == ["artist 007"] * 2 + ["artist 001"] * 3 + ["artist 007"]
    parts = [batch.filter(pl.col("artist_id") == artist)[: weeks or 3] for artist, weeks in wanted.iter_rows()]
    assert found.equals(pl.concat(parts))


def test_an_artist_without_plays_is_refused(tmp_path: Path):
    """With its id; a horizon of no week is refused, too."""
    predictor = opened(tmp_path, noise(24), "mean")
    with pytest.raises(RefusedError, match=r"no plays .*'nobody'"):
        predictor.predict(pl.DataFrame({"artist_id": ["artist 001", "nobody"]}))
    with pytest.raises(UsageError, match="not 0"):
        predictor.predict(pl.DataFrame({"artist_id": ["artist 001"], "horizon": [0]}))


def test_artists_are_found_by_name(tmp_path: Path):
    """Up to case and punctuation, all of the same name; without a name by the id; else the nearest are named."""
    dataset = noise(24)
    names = ["Łona", "lóna!", None, *dataset.artists["name"][3:]]
    predictor = opened(tmp_path, replace(dataset, artists=dataset.artists.with_columns(name=pl.Series(names))), "mean")
    assert predictor.artist_ids("THE ARTIST 003") == ["artist 003"]
    assert predictor.artist_ids("artist 002") == ["artist 002"]
    assert predictor.artist_ids("LONA") == ["artist 001"]
    assert predictor.artist_ids("łóna") == ["artist 000"]
    assert predictor.artist_ids("løna") == ["artist 000", "artist 001"]
    with pytest.raises(RefusedError, match="Artist 00x") as refusal:
        predictor.artist_ids("Artist 00x")
    assert refusal.value.hint.count('"') == 6


def test_a_predictor_needs_a_dataset(tmp_path: Path):
    """Without plays there is nothing to forecast from."""
    with pytest.raises(RefusedError, match="plays"):
        WeeklyPredictor.open(saved(tmp_path, trained(noise(24), "mean").model), None)


def test_the_shared_move_is_that_of_all_artists(tmp_path: Path):
    """A twelfth more by each of 12 artists, beside the forecasts; the mean listen has no trend and none."""
    dataset = dataset_from(np.hstack([np.full((12, 40), 9000.0), np.full((12, 4), 9750.0)]))
    total = saved(tmp_path / "total", trained(noise(44), "mean").model)
    mean = saved(tmp_path / "mean", trained(noise(44), "mean", measure="mean").model, measure="mean")
    predictor = WeeklyPredictor.open(total, dataset)
    assert predictor.shared_move == shared_move(series(dataset))
    assert 1.03 < predictor.shared_move < 13 / 12
    assert WeeklyPredictor.open(mean, dataset).shared_move is None
