"""The plan of a day and the replay of past days: nothing is known before it happened."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.planning import cache as planning
from pozytywka_cli.planning.cache import CachePlan
from pozytywka_cli.planning.charts import over_budgets
from pozytywka_cli.planning.days import daily_plays
from pozytywka_cli.planning.demand import ALWAYS, METHODS, Level, Method, Tracks, choose, levels
from pozytywka_cli.planning.full_plays import WINDOW, FullPlays, observed
from pozytywka_cli.planning.placement import Budgets
from pozytywka_cli.planning.replay import FREQUENCY, MOST_PLAYED, ORACLE, PLAN, PRESENT, RECENCY, Replay, answer
from pozytywka_cli.planning.storage import FAST, Storage
from pozytywka_cli.records import silent
from tests.planning.cache_worlds import START, dataset_of, plays_of, storage_of

DURATIONS = [60_000 + 7_000 * (number % 17) for number in range(40)]
BUDGET = Budgets(2.0)


@pytest.fixture
def storage() -> Storage:
    """Forty tracks, of which four are in FAST now."""
    return storage_of(DURATIONS, [("FAST" if number % 10 == 0 else "SLOW") for number in range(40)])


def planned(storage: Storage, plays: pl.DataFrame, version=None) -> CachePlan:
    return planning.cache(version, dataset_of(storage, plays), storage, BUDGET, silent)


def altered(plays: pl.DataFrame, storage: Storage, days: int) -> pl.DataFrame:
    """The plays with another track and outcome in the last days of the log, but for the last play."""
    finish = daily_plays(dataset_of(storage, plays), storage.tracks["track_id"]).finish
    late = (pl.col("started_at") >= finish - timedelta(days=days)) & (pl.int_range(pl.len()) < pl.len() - 1)
    return plays.with_columns(
        track_id=pl.when(late).then(pl.lit("t007")).otherwise("track_id"),
        listened_ms=pl.when(late).then(1000).otherwise("listened_ms"),
    )


@pytest.mark.parametrize("days", [1, 10, 20])
def test_no_day_sees_itself(storage, days):
    """If all plays of the last days are altered, plans change from the second of these days on, and none before."""
    plays = plays_of(storage, days=60, a_day=40)
    one, other = (planned(storage, each).replay for each in (plays, altered(plays, storage, days)))
    assert one is not None
    assert other is not None
    assert (one.days, one.log.finish) == (other.days, other.log.finish)
    first = len(one.days) - days  # the first altered day
    changed = (one.expected != other.expected).any(axis=1)
    assert changed.tolist() == [False] * (first + 1) + [True] * (days - 1)
    ours, theirs = (each.sets(BUDGET.fast) for each in (one, other))
    for policy in (PLAN, MOST_PLAYED, PRESENT):
        np.testing.assert_array_equal(ours[policy][: first + 1], theirs[policy][: first + 1])
    before = one.log.rows(range(one.days.start, one.days.start + first))
    ours, theirs = (each.policies(BUDGET.fast) for each in (one, other))
    for policy in (PLAN, MOST_PLAYED, FREQUENCY, RECENCY, PRESENT):
        count = before.stop - before.start
        np.testing.assert_array_equal(ours[policy][0][:count], theirs[policy][0][:count])


def test_the_plan_of_the_coming_day_sees_all_days(storage):
    """It changes with the last day, and the tracks played then are worth more."""
    plays = plays_of(storage, days=60, a_day=40)
    one, other = (planned(storage, each).rows for each in (plays, altered(plays, storage, 3)))
    assert other["expected_plays"][7] > one["expected_plays"][7]


def test_skip_is_trained_again_without_the_replayed_days(storage, monkeypatch):
    """On plays that had ended before the first of them; what it predicts for plays before a day is what counts."""
    seen = []

    class Halves:
        def predict(self, requests: pl.DataFrame) -> pl.DataFrame:
            seen.append(requests)
            return requests.with_columns(probability=0.5)

    def refit(version, dataset, report):
        seen.append(dataset)
        return lambda known: Halves()

    monkeypatch.setattr(planning, "refit", refit)
    monkeypatch.setattr(planning.registry, "get", lambda _: type("Family", (), {"open": lambda *_: Halves()})())
    plan = planned(storage, plays_of(storage, days=60, a_day=40), version=object())
    assert plan.replay is not None
    begins = plan.replay.log.begin(plan.replay.days.start)
    coming, dataset, requests = seen
    ended = dataset.plays["started_at"] + pl.duration(milliseconds=dataset.plays["listened_ms"])
    assert pl.select(ended.max()).item() <= begins
    assert dataset.cut == begins
    assert requests["at"].max() < plan.begins - timedelta(days=1)
    assert coming["at"].min() >= plan.begins - timedelta(days=WINDOW + 30)
    assert plan.rows["full_play_probability"].to_list() == pytest.approx([0.5] * 40)


def test_where_skip_cannot_be_trained_shares_stand_in(storage, monkeypatch):
    """With a note."""

    def refuse(*_):
        raise RefusedError("too few plays", "")

    plays = plays_of(storage, days=60, a_day=40)
    dataset, log = dataset_of(storage, plays), daily_plays(dataset_of(storage, plays), storage.tracks["track_id"])
    monkeypatch.setattr(planning, "refit", refuse)
    replay, notes = planning._replay(object(), dataset, log, storage, silent)
    without, _ = planning._replay(None, dataset, log, storage, silent)
    assert "too few plays" in notes[0]
    np.testing.assert_array_equal(replay.expected, without.expected)


@pytest.mark.parametrize(("days", "replayed"), [(20, None), (21, 7), (60, 20), (90, 28)])
def test_a_short_log_replays_a_third_or_nothing(storage, days, replayed):
    """With a note; the plan is made anyway."""
    plan = planned(storage, plays_of(storage, days=days, a_day=20))
    assert len(plan.rows) == 40
    if replayed is None:
        assert (plan.replay, plan.backtest) == (None, [])
        assert "no backtest" in plan.notes[0]
    else:
        assert {one.days for one in plan.backtest} == {replayed}
        assert plan.notes == []


def test_less_than_a_day_is_refused(storage):
    """Nothing tells what a track is played in a day."""
    plays = plays_of(storage, days=1, a_day=20).filter(pl.col("started_at") < START + timedelta(hours=20))
    with pytest.raises(RefusedError, match="less than a day"):
        planned(storage, plays)
    with pytest.raises(RefusedError, match="no plays"):
        planned(storage, plays.clear())


def test_the_rows_and_totals_of_a_plan(storage):
    """Every track has one row; what a class holds and costs agrees with them, and budgets are kept."""
    plan = planning.cache(None, dataset_of(storage, plays_of(storage, 60, 40)), storage, Budgets(2.0, 1.0), silent)
    rows = plan.rows
    assert rows["track_id"].to_list() == storage.tracks["track_id"].to_list()
    assert rows["artist"][1] == "Artist a1"
    np.testing.assert_allclose(rows["expected_full_plays"], rows["expected_plays"] * rows["full_play_probability"])
    for total in plan.totals:
        part = rows.filter(planned_class=total.storage_class)
        assert (total.tracks, total.cost) == (len(part), pytest.approx(part["daily_cost"].sum()))
        now = storage.tracks.filter(storage_class=total.storage_class)
        assert (total.tracks_now, total.cost_now) == (len(now), pytest.approx(now["daily_cost"].sum()))
    costs = {total.storage_class: total.cost for total in plan.totals}
    assert costs["FAST"] <= 2.0
    assert costs["MEDIUM"] <= 1.0


def test_a_backtest_agrees_with_a_count_by_hand(storage):
    """The plays and seconds of tracks in FAST, and the mean cost; the oracle is best, the difference is the plan's."""
    plan = planned(storage, plays_of(storage, days=90, a_day=40))
    replay = plan.replay
    assert replay is not None
    by_policy = {one.policy: one for one in plan.backtest}
    log, now = replay.log, storage.are_in(FAST)
    rows = log.rows(replay.days)
    share, seconds = now[log.track[rows]], log.listened[rows]
    present = by_policy[PRESENT]
    assert present.plays_served == pytest.approx(share.mean())
    assert present.time_served == pytest.approx(seconds[share].sum() / seconds.sum())
    assert present.cost == pytest.approx(storage.costs(FAST)[now].sum())
    for one in plan.backtest:
        assert one.plays == rows.stop - rows.start
        assert one.plays_served <= by_policy[ORACLE].plays_served
        assert one.behind == pytest.approx(by_policy[PLAN].plays_served - one.plays_served)
        assert one.policy == PRESENT or one.cost <= BUDGET.fast
        assert one.plays_low <= one.plays_served <= one.plays_high
    assert f"{by_policy[PLAN].plays_served:.1%}" in answer(plan.backtest)


def test_most_played_goes_by_what_was_played_before():
    """Each day another track is played twice as often as all before together; the oracle knows it on that day."""
    storage = storage_of([60_000] * 5)
    track = [day for day in range(5) for _ in range(2**day)]
    minutes = [24 * 60 * day + 1 + number for day in range(5) for number in range(2**day)]
    plays = pl.DataFrame(
        {
            "user_id": 1,
            "track_id": [f"t{number:03}" for number in [0, *track, 0]],
            "started_at": [START + timedelta(minutes=minute) for minute in [-1, *minutes, 5 * 24 * 60 - 1]],
            "listened_ms": 60_000,
        }
    )
    log = daily_plays(dataset_of(storage, plays), storage.tracks["track_id"])
    assert log.counts(3).tolist() == [0, 0, 0, 8, 0]
    sets = Replay(log, storage, range(2, 5), np.zeros((3, 5))).sets(0.24)
    assert [taken.tolist().index(True) for taken in sets[MOST_PLAYED]] == [1, 2, 3]
    assert [taken.tolist().index(True) for taken in sets[ORACLE]] == [2, 3, 4]


def test_the_plan_beats_most_played_where_habits_change(storage):
    """For the first half of the log half of the tracks were played, later the others, by artist."""
    plays = plays_of(storage, days=120, a_day=60)
    artist = pl.col("track_id").str.slice(1).cast(pl.Int64) % 3 == 0
    early = pl.col("started_at") < START + timedelta(days=80)
    plan = planned(storage, plays.filter((artist == early) | (pl.int_range(pl.len()) == pl.len() - 1)))
    by_policy = {one.policy: one for one in plan.backtest}
    assert by_policy[MOST_PLAYED].behind_low > 0


def test_days_are_counted_back_from_the_end(storage):
    """A day has 24 hours; a play belongs to the day of its start, and is known on that of its end."""
    moments = [0, 30 * 3600, 40 * 3600, 50 * 3600 - 60, 60 * 3600 - 60]  # s
    plays = pl.DataFrame(
        {
            "user_id": [1] * 5,
            "track_id": ["t000", "t001", "nobodys", "t000", "t000"],
            "started_at": pl.Series([START + timedelta(seconds=s) for s in moments]).dt.cast_time_unit("us"),
            "listened_ms": [60_000, 1000, 1000, 60_000, 60_000],
        }
    )
    log = daily_plays(dataset_of(storage, plays), storage.tracks["track_id"])
    assert log.finish == START + timedelta(hours=60, microseconds=1)
    assert log.days == 2  # the first play is before them, and nobody's is not counted
    assert log.begin(0) == log.finish - timedelta(days=2)
    assert log.start.tolist() == [0, 1, 1]
    assert log.end.tolist() == [0, 1, 1]
    assert log.full.tolist() == [False, True, True]
    assert log.track.tolist() == [1, 0, 0]
    assert log.counts(1)[:2].tolist() == [2, 0]


def test_levels_forget_by_half_lives(storage):
    """After a half-life a play counts half; so does the day."""
    log = daily_plays(dataset_of(storage, plays_of(storage, 30, 5)), storage.tracks["track_id"])
    [last] = levels(log, range(30, 31))
    weights = 0.5 ** ((29 - np.arange(30)) / 7)
    ended = np.array([np.bincount(log.track[log.end == day], minlength=40) for day in range(30)])
    np.testing.assert_allclose(last[7.0].plays, weights @ ended)
    assert last[7.0].days == pytest.approx(weights.sum())
    assert last[ALWAYS].plays.sum() == len(log.track)


def test_a_forecast_follows_popularity_artist_and_track():
    """A track without plays is expected to be played like others of its artist, and of its popularity."""
    storage = storage_of([100_000] * 40, artists=4)
    tracks = Tracks.of(storage)
    plays = np.where(tracks.artist == 1, 30.0, 1.0)
    plays[[1, 2]] = 0.0, 40.0
    level = Level(plays, 30.0)
    rate = tracks.forecast(Method(ALWAYS, ALWAYS, 10.0), {ALWAYS: level})
    assert rate.sum() == pytest.approx(plays.sum() / 30, rel=0.2)
    assert rate[1] > 3 * rate[0]  # of a loved artist, though never played
    assert rate[2] > 3 * rate[6]  # of another artist, but often played
    popular = Level(np.where(tracks.popularity >= 80, 20.0, 1.0), 30.0)
    unknown = replace(tracks, artist=np.arange(40))
    rate = unknown.forecast(Method(ALWAYS, ALWAYS, 100.0), {ALWAYS: popular})
    assert rate[9] > 5 * rate[0]


def test_the_method_is_chosen_by_likelihood(storage):
    """Where nothing ever changes, the longest memory and the largest prior; none is chosen from no days."""
    same = storage_of([100_000] * 40, artists=1)
    flat = same.tracks.with_columns(popularity=50)
    storage = Storage(flat, same.rates)
    random = np.random.default_rng(1)
    plays = plays_of(storage, 100, 60)
    tracks = storage.tracks["track_id"].gather(random.integers(0, 40, len(plays)))
    log = daily_plays(dataset_of(storage, plays.with_columns(track_id=tracks)), storage.tracks["track_id"])
    method = choose(log, Tracks.of(storage), range(70, 100))
    assert method.track_prior >= 100
    assert method.artist_half_life >= 28
    assert choose(log, Tracks.of(storage), range(70, 70)) not in METHODS[:1]


def test_a_probability_is_a_mean_of_past_plays_and_a_prior(storage):
    """Only of plays that ended in the 56 days before."""
    log = daily_plays(dataset_of(storage, plays_of(storage, 90, 20)), storage.tracks["track_id"])
    full_plays = FullPlays(log, range(80, 90), observed(log))
    part = (log.end >= 85 - WINDOW) & (log.end < 85)
    mine = part & (log.track == 3)
    expected = (log.full[mine].sum() + 10 * log.full[part].mean()) / (mine.sum() + 10)
    assert full_plays.before(85, 10.0)[3] == pytest.approx(expected)
    assert full_plays.choose(range(80, 90)) >= 30  # all tracks are alike


def test_the_backtest_is_drawn_over_budgets(storage):
    """Each policy has a line over seven budgets; more budget serves no less."""
    replay = planned(storage, plays_of(storage, days=60, a_day=40)).replay
    assert replay is not None
    plays, time = over_budgets(replay, 2.0)
    assert plays.rows is time.rows
    assert plays.rows["policy"].n_unique() == 6
    oracle = plays.rows.filter(policy=ORACLE).sort(plays.x)
    assert len(oracle) == 7
    assert oracle[plays.y].is_sorted()
