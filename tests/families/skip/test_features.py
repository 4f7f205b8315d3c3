"""What is known at the moment a track starts."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pozytywka_cli.dataset.checking.validate import check
from pozytywka_cli.dataset.loading import load
from pozytywka_cli.dataset.transform import to_plays
from pozytywka_cli.families.skip.features.attribute_rates import steps
from pozytywka_cli.families.skip.features.attributes import SIDED
from pozytywka_cli.families.skip.features.parameters import FeatureParameters
from pozytywka_cli.families.skip.features.play_features import user_rate
from pozytywka_cli.families.skip.features.play_log import Index, PlayLog

from .worlds import MOMENT, PLAYS, at, dataset, features, parameters, tangle, tangled, timed, tracks

TRACKS = tracks(6)
ASKED = ("user_id", "session_id", "track_id", "started_at", "advertisement_before")

# two sessions of user 1 run at once; user 2 is somebody else
ROWS = pl.DataFrame(
    [
        (1, 1, "t0", at(0), False, False, False, 200_000),
        (1, 1, "t1", at(200), False, True, True, 30_000),
        (1, 2, "t3", at(220), False, False, False, 300_000),
        (1, 1, "t2", at(240), True, False, False, 200_000),
        (1, 1, "t4", at(300), False, True, False, 10_000),
        (1, 3, "t5", at(600), False, False, False, 300_000),
        (2, 1, "t0", at(100), False, True, True, 5_000),
    ],
    schema=PLAYS,
    orient="row",
)
LOG = timed(ROWS)
SMALL = dataset(LOG, TRACKS, bought={1: at(250)})


def small(column: str) -> list[float]:
    """One feature of the seven plays."""
    return features(LOG, SMALL, parameters(TRACKS))[column].to_list()


def exactly(values: object) -> object:
    """These values as 32-bit numbers."""
    return pytest.approx(values, rel=1e-6)


def test_the_user_s_rate_counts_outcomes_that_are_known_with_five_plays_of_prior():
    """A play of another session that still runs is not known, nor is a skip that is still to come."""
    known = [(0, 0), (0, 1), (0, 1), (1, 2), (1, 3), (2, 5), (0, 0)]
    assert small("user_rate") == exactly([(skips + 5 * 0.4) / (plays + 5) for skips, plays in known])
    assert small("user_plays") == exactly([np.log1p(plays) for _, plays in known])
    assert small("like_rate")[3:6] == exactly([(1 + 5 * 0.2) / 7, (1 + 5 * 0.2) / 8, (1 + 5 * 0.2) / 10])
    assert user_rate(LOG, PlayLog.of(SMALL), 0.4) == exactly([(skips + 2) / (plays + 5) for skips, plays in known])


def test_the_moving_average_takes_plays_as_they_became_known_and_starts_at_the_prior():
    """Its weights halve every 15 plays; the play of the other session was known last."""
    kept, average = 0.5 ** (1 / 15), 0.4
    for skipped in (0, 1, 0, 1, 0):
        average = kept * average + (1 - kept) * skipped
    assert small("moving_average")[5] == exactly(average)
    assert small("moving_average")[0] == exactly(0.4)
    assert small("previous_skipped") == exactly([0.4, 0, 0, 1, 0, 0, 0.4])
    assert small("previous_liked") == exactly([0.2, 0, 0, 1, 0, 0, 0.2])


def test_the_last_eight_plays_are_eight():
    """Of ten plays, all skipped but the last eight, none counts as skipped; two plays of prior."""
    rows = [(1, 1, "t0", at(200.0 * n), False, n < 2, False, 100_000 if n < 2 else 200_000) for n in range(11)]
    log = pl.DataFrame(rows, schema=PLAYS, orient="row")
    columns = features(log, dataset(log, TRACKS), parameters(TRACKS))["last_8"].to_list()
    assert columns[10] == exactly(2 * 0.4 / 10)
    assert columns[9] == exactly((1 + 2 * 0.4) / 10)
    assert columns[1] == exactly((1 + 2 * 0.4) / 3)


def test_a_skip_after_the_end_changes_nothing_that_a_later_play_knows():
    """A track that ran to its end was played to its end, as far as anybody could know before the late SKIP."""
    rows = [(1, 1, "t0", at(0), False, True, False, 200_000), (1, 2, "t1", at(400), False, False, False, 300_000)]
    late = pl.DataFrame(rows, schema=PLAYS, orient="row")
    never = late.with_columns(skipped=pl.lit(False))
    columns = [features(log, dataset(log, TRACKS), parameters(TRACKS))[1] for log in (late, never)]
    assert columns[0].equals(columns[1])


def test_a_like_counts_from_when_it_comes_and_its_play_is_known():
    """Before its play has ended it does not count, nor before it comes, though its play has ended long ago."""
    starts = [(1, 0), (2, 150), (3, 250), (4, 400)]
    rows = [(1, session, "t0", at(start), False, False, start == 0, 200_000) for session, start in starts]
    log, known = timed(pl.DataFrame(rows, schema=PLAYS, orient="row")), (0, 0, 1, 2)
    for seconds, counted in ((100, (0, 0, 1, 1)), (300, (0, 0, 0, 1)), (500, (0, 0, 0, 0))):
        late = log.with_columns(liked_at=pl.when("liked").then(at(seconds)))
        columns = features(late, dataset(late, TRACKS), parameters(TRACKS))
        rates = [(likes + 5 * 0.2) / (plays + 5) for likes, plays in zip(counted, known, strict=True)]
        assert columns["like_rate"].to_list() == exactly(rates)
        assert columns["previous_liked"].to_list()[:3] == exactly([0.2, 0.2, counted[2]])


def test_before_a_like_or_a_late_skip_came_nobody_knew_of_it():
    """The dataset as it was known until then: the play has ended, and neither flag nor moment is there yet."""
    rows = [(1, 1, "t0", at(0), False, True, True, 200_000)]
    log = timed(pl.DataFrame(rows, schema=PLAYS, orient="row")).with_columns(
        skipped_at=pl.lit(at(300), MOMENT), liked_at=pl.lit(at(400), MOMENT)
    )
    told = {}
    for seconds in (250, 350, 450):
        (told[seconds],) = dataset(log, TRACKS).until(at(seconds)).plays.rows(named=True)
    events = ("skipped", "liked", "skipped_at", "liked_at")
    assert [told[250][name] for name in events] == [False, False, None, None]
    assert [told[350][name] for name in events] == [True, False, at(300), None]
    assert [told[450][name] for name in events] == [True, True, at(300), at(400)]


def test_premium_is_known_only_after_the_purchase():
    """And the rate within that state starts again at its prior."""
    assert small("premium") == [0, 0, 0, 0, 1, 1, 0]
    assert small("rate_in_premium_state")[3:6] == exactly([(1 + 2) / 7, 2 / 5, (1 + 2) / 6])


def test_the_session_knows_its_own_earlier_plays_and_advertisements():
    """The rate leans on the user's; the advertisement before a track is known when it starts."""
    rate = [(1 + 5 * 0.4) / (plays + 5) for plays in (2, 3)]
    assert small("session_rate")[3:5] == exactly([(1 + 2 * rate[0]) / 4, (1 + 2 * rate[1]) / 5])
    assert small("session_position") == exactly(np.log1p([0, 1, 0, 2, 3, 0, 0]).tolist())
    assert small("session_advertisements") == exactly(np.log1p([0, 0, 0, 1, 1, 0, 0]).tolist())
    assert small("session_minutes") == exactly(np.log1p([0, 200 / 60, 0, 4, 5, 0, 0]).tolist())
    assert small("advertisement_before") == [0, 0, 0, 1, 0, 0, 0]
    assert small("advertisement_rate")[4:6] == exactly([(1 + 0.5) / 8, (1 + 0.5) / 10])


def test_skips_of_similar_tracks_weigh_by_their_distance_in_quantiles():
    """By hand for one attribute: a Gaussian of .8 of 12 bins, three plays of prior; then both sides of 24 bins."""
    edge = np.array(parameters(TRACKS).edges["danceability"])
    bins = [int((edge <= value).sum()) for value in TRACKS["danceability"]]
    own, known = bins[5], [(bins[0], 0), (bins[1], 1), (bins[3], 0), (bins[2], 0), (bins[4], 1)]
    rate = (2 + 5 * 0.4) / 10

    def smoothed(weights: list[float], prior: float) -> float:
        skips = sum(weight * skipped for weight, (_, skipped) in zip(weights, known, strict=True))
        return (skips + prior * rate) / (sum(weights) + prior)

    near = [np.exp(-(((own // 2 - other // 2) / 0.8) ** 2) / 2) for other, _ in known]
    assert small("near_danceability")[5] == exactly(smoothed(near, 3))
    assert small("below_danceability")[5] == exactly(smoothed([float(b <= own) for b, _ in known], 2))
    assert small("above_danceability")[5] == exactly(smoothed([float(b >= own) for b, _ in known], 2))


def test_the_slope_effect_is_what_a_line_through_known_plays_adds_to_the_log_odds_of_the_rate():
    """By least squares over five plays and those of prior: 5 of the average track at .4, 16 for each slope."""
    rate = (2 + 5 * 0.4) / 10
    cuts = parameters(TRACKS).edges
    z = np.array([((TRACKS[name] - np.mean(cuts[name])) / np.std(cuts[name]) * 16).round() / 16 for name in SIDED]).T
    plays, skips = np.insert(z, 0, 1, axis=1)[[0, 1, 3, 2, 4]], np.array([0, 1, 0, 0, 1])
    prior, at_prior = np.diag([5, 16, 16, 16]) ** 0.5, np.array([5**0.5 * 0.4, 0, 0, 0])
    line = np.linalg.lstsq(np.concatenate([plays, prior]), np.concatenate([skips, at_prior]), rcond=None)[0]
    assert small("slope_effect")[5] == exactly((line @ [1, *z[5]] - rate) / (rate * (1 - rate)))
    assert small("slope_effect")[0] == 0


def test_steps_are_sixteenths_of_a_deviation():
    """At most four deviations from the mean; what is unknown counts as average, and so does what never varies."""
    values = pl.Series([0.5, 0.75, 0.24, 9.0, -9.0, None])
    assert steps(values, [0.25, 0.75]).tolist() == [0, 16, -17, 64, -64, 0]
    for cuts in ([], [0.5, 0.5]):
        assert steps(values, cuts).tolist() == [0] * 6


def test_a_favourite_genre_is_the_main_one_of_the_artist():
    """User 1 likes blues and disco, user 2 choral and electro; t0 and t5 are ambient first and blues only then."""
    assert small("favourite_genre") == [0, 1, 1, 0, 0, 0, 0]


def test_without_genres_nothing_is_a_favourite():
    """Neither null lists and empty ones nor missing users and artists are errors."""
    for lost in (None, []):
        users = SMALL.users.with_columns(favourite_genres=pl.lit(lost, pl.List(pl.String)))
        artists = SMALL.artists.with_columns(genres=pl.lit(lost, pl.List(pl.String)))
        for given in (
            replace(SMALL, users=users, artists=artists),
            replace(SMALL, users=users.clear()),
            replace(SMALL, artists=artists.clear()),
        ):
            assert features(LOG, given, parameters(TRACKS))["favourite_genre"].to_list() == [0] * 7


def test_smoothing_multiplies_the_plays_of_every_prior():
    """At 2 a rate starts with twice as many; counts and moments stay, and so does the baseline's rate."""
    columns = features(LOG, SMALL, msgspec.structs.replace(parameters(TRACKS), smoothing=2.0))[4].to_dicts()[0]
    own_rate = (1 + 10 * 0.4) / 13
    assert columns["user_rate"] == exactly(own_rate)
    assert columns["like_rate"] == exactly((1 + 10 * 0.2) / 13)
    assert columns["rate_in_premium_state"] == exactly(0.4)
    assert columns["last_8"] == exactly((1 + 4 * 0.4) / 7)
    assert columns["advertisement_rate"] == exactly((1 + 10 * 0.1) / 13)
    assert columns["session_rate"] == exactly((1 + 4 * own_rate) / 7)
    assert columns["user_plays"] == exactly(np.log1p(3))
    assert user_rate(LOG, PlayLog.of(SMALL), 0.4)[4] == exactly((1 + 5 * 0.4) / 8)


def test_however_much_smoothing_leaves_the_prior():
    """Every past rate then is its prior, and no slope is left."""
    columns = features(LOG, SMALL, msgspec.structs.replace(parameters(TRACKS), smoothing=1e9))
    names = pl.col("^(user|session)_rate$", "^(near|below|above)_.*$", "rate_in_premium_state", "last_8")
    assert columns.select(names).to_numpy() == exactly(0.4)
    assert columns["slope_effect"].to_numpy() == pytest.approx(0, abs=1e-6)


def test_what_was_fitted_before_there_was_smoothing_has_none():
    """Older versions stay readable."""
    older = {name: value for name, value in msgspec.to_builtins(parameters(TRACKS)).items() if name != "smoothing"}
    assert msgspec.convert(older, FeatureParameters) == parameters(TRACKS)


def test_an_unknown_track_has_no_attributes_and_lies_near_to_nothing():
    """Its user's own rate stands in for taste, and as a past play it counts for the rate alone."""
    stranger = LOG.with_columns(track_id=pl.lit("gone"))
    columns = features(stranger, replace(SMALL, plays=stranger), parameters(TRACKS))
    assert columns["valence"].null_count() == len(LOG)
    for name in ("near_valence", "below_valence", "above_valence"):
        assert columns[name].to_list() == columns["user_rate"].to_list()


def test_a_play_of_unknown_length_is_known_when_the_next_one_starts():
    """And never, where none follows in its session."""
    log = PlayLog.of(dataset(LOG, TRACKS.clear())).history
    assert log["known_at"].to_list()[:6] == [at(200), at(230), None, at(300), at(310), None]


def test_plays_that_start_together_do_not_know_each_other():
    """Though the one ends the other in their session."""
    rows = [(1, 1, name, at(0), False, False, True, 200_000) for name in ("t0", "t2")]
    log = pl.DataFrame(rows, schema=PLAYS, orient="row")
    assert features(log, dataset(log, TRACKS), parameters(TRACKS))["user_plays"].to_list() == [0, 0]


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_plays_changes_nothing(seed: int):
    """Neither that of the log nor that of the rows that are asked for."""
    given = tangled(tangle(seed), seed)
    whole = features(given.plays, given, parameters(given.tracks))
    order = np.random.default_rng(seed).permutation(len(given.plays))
    shuffled = replace(given, plays=given.plays[order])
    assert_frame_equal(features(shuffled.plays, shuffled, parameters(given.tracks)), whole[order], check_exact=True)


@pytest.mark.parametrize("seed", range(12))
def test_deleting_all_later_events_changes_no_earlier_play(seed: int):
    """The prefix test, from events on: sessions overlap, plays tie, SKIPs and LIKEs come late; rates are held fixed."""
    events = tangle(seed)
    given = tangled(events, seed)
    whole = features(given.plays, given, parameters(given.tracks))
    for moment in events["timestamp"].sort().gather_every(37):
        known = tangled(events, seed, moment)
        earlier = whole.filter(given.plays["started_at"] <= moment)
        assert_frame_equal(features(known.plays, known, parameters(given.tracks)), earlier, check_exact=True)


@pytest.mark.parametrize("seed", range(6))
def test_a_candidate_has_the_features_of_the_play_that_it_would_be(seed: int):
    """From a log without it and all that came later, a play in its session has the features that it had in training."""
    events = tangle(seed)
    given = tangled(events, seed)
    whole = features(given.plays, given, parameters(given.tracks))
    alone = given.plays.select(pl.struct("user_id", "started_at").is_unique()).to_series().arg_true()
    for row in alone.gather_every(5):
        asked = given.plays[row].select(ASKED)
        play = events.join(asked, left_on=("timestamp", *ASKED[:3]), right_on=("started_at", *ASKED[:3]), how="semi")
        others = events.join(play.filter(event_type="PLAY"), on=events.columns, how="anti")
        log = tangled(others, seed, asked["started_at"][0])
        assert_frame_equal(features(asked, log, parameters(given.tracks)), whole[row], check_exact=True)


@pytest.mark.parametrize("seed", range(6))
def test_a_candidate_in_the_past_does_not_see_what_came_later(seed: int):
    """Wherever it falls in its user's sessions, also between a PLAY and its LIKE, later events change nothing."""
    events = tangle(seed)
    given = tangled(events, seed)
    asked = given.plays.select(ASKED).with_columns(pl.col("started_at") + pl.duration(seconds=33))
    whole = features(asked, given, parameters(given.tracks))
    for row in range(0, len(asked), 11):
        log = tangled(events, seed, asked["started_at"][row])
        assert_frame_equal(features(asked[row], log, parameters(given.tracks)), whole[row], check_exact=True)


@pytest.mark.parametrize("seed", range(4))
def test_the_plays_of_a_row_s_user_are_enough(seed: int, monkeypatch: pytest.MonkeyPatch):
    """Features computed from the plays of one user equal, bit for bit, those computed from the whole log."""
    given = tangled(tangle(seed), seed)
    asked = pl.concat(
        [given.plays.select(ASKED), given.plays.select(ASKED).head(3).with_columns(user_id=pl.lit(99, pl.Int64))]
    )
    alone = [features(asked[row], given, parameters(given.tracks)) for row in range(0, len(asked), 7)]
    monkeypatch.setattr(PlayLog, "history_of", lambda log, _: log.history)
    whole = features(asked, given, parameters(given.tracks))
    assert_frame_equal(pl.concat(alone), whole[::7], check_exact=True)


def test_an_index_finds_the_first_row_of_a_key():
    """An unknown key and a null have the number of rows; so has every key in an empty table."""
    index = Index.of(pl.Series(["b", None, "a", "b"]))
    assert index.find(pl.Series(["a", "b", "c", "0", None])).tolist() == [2, 0, 4, 4, 4]
    assert index.has(pl.Series(["a", "c"])).tolist() == [True, False]
    assert Index.of(pl.Series([], dtype=pl.Int64)).find(pl.Series([1, None])).tolist() == [0, 0]


def test_candidates_do_not_see_each_other():
    """Many at once have, bit for bit, the features that each has alone."""
    given = tangled(tangle(1), 1)
    asked = given.plays.select(ASKED).with_columns(session_id=pl.lit(None, pl.Int64))
    whole = features(asked, given, parameters(given.tracks))
    for row in range(0, len(asked), 29):
        assert_frame_equal(features(asked[row], given, parameters(given.tracks)), whole[row], check_exact=True)


def test_what_is_fitted_comes_from_the_plays_rates_and_the_catalogue_s_quantiles():
    """Quantiles are of the tracks, whoever plays them."""
    fitted = FeatureParameters.fit(LOG, TRACKS)
    assert fitted.skip_rate == pytest.approx(3 / 7)
    assert fitted.like_rate == pytest.approx(2 / 7)
    assert fitted.advertisement_rate == pytest.approx(1 / 7)
    assert FeatureParameters.fit(LOG.head(1), TRACKS).edges == fitted.edges
    assert len(fitted.edges["tempo"]) == 23


@pytest.mark.real
@pytest.mark.parametrize(("edition", "one_in"), [("pozytywka-2023", 1), ("pozytywka-2024", 4)])
def test_deleting_all_later_events_changes_no_earlier_play_of_the_real_log(
    edition: str, one_in: int, real: Path, tmp_path: Path
):
    """Every feature of every play is the same, bit for bit, once plays are made again from the events up to a moment.

    Three moments of each edition; of 2024 every fourth user, 440,000 plays.
    """
    dataset = load(real / edition, tmp_path / "plays.parquet", lambda _: None)
    some = pl.col("user_id") % one_in == 0
    given = replace(dataset, plays=dataset.plays.filter(some))
    checked = check(real / edition, ("tracks", "sessions"), warnings=False)
    events, catalogue = checked.good("sessions").filter(some), checked.good("tracks")
    fitted = FeatureParameters.fit(given.plays, given.tracks)
    whole = features(given.plays, given, fitted)
    for moment in given.plays["started_at"].sort().gather_every(len(whole) // 3, offset=len(whole) // 4):
        plays = to_plays(events.filter(pl.col("timestamp") <= moment), catalogue).plays
        known = replace(given, plays=plays, purchases=given.purchases.filter(pl.col("purchased_at") <= moment))
        earlier = whole.filter(given.plays["started_at"] <= moment)
        assert_frame_equal(features(plays, known, fitted), earlier, check_exact=True)
