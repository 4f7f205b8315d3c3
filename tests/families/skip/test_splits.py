"""Which plays a model learns from and is tested on."""

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.skip.splits import enough, everything, time_split, user_splits

from .worlds import MOMENT, START, at, listeners


def plays() -> pl.DataFrame:
    """30 users with 80 plays each."""
    return listeners(1, users=30, each=80, persona=True).plays


def test_the_time_split_tests_on_the_last_fifth_and_stops_on_the_last_eighth_before_it():
    """No play is in two parts, and each part is later than the one before."""
    log = plays()
    split = time_split(log)
    parts = [log.filter(flags)["started_at"] for flags in (split.fitting(0), split.validation(0), split.test)]
    assert sum(map(len, parts)) == len(log)
    assert parts[0].max() < parts[1].min() <= parts[1].max() < parts[2].min()
    assert split.test.mean() == pytest.approx(0.2, abs=0.06)


def test_every_user_is_tested_in_one_fold_and_stopped_on_in_no_other_part_of_it():
    """Each network keeps another sixth of a fold's training users back; no user is in two parts."""
    log = plays()
    users, splits = log["user_id"].to_numpy(), user_splits(log)
    assert sum(split.test.astype(int) for split in splits).tolist() == [1] * len(log)
    for split in splits:
        for member in range(3):
            parts = [set(users[flags]) for flags in (split.fitting(member), split.validation(member), split.test)]
            assert [len(part) for part in parts] == [20, 4, 6]
            assert len(set.union(*parts)) == 30
        assert np.array_equal(split.training, ~split.test)
        assert sum(kept_back.astype(int) for kept_back in split.validations).tolist() == split.training.tolist()


def test_users_are_dealt_out_alike_whatever_order_their_plays_come_in():
    """The folds depend on who the users are, and on nothing else."""
    log = plays()
    order = np.random.default_rng(0).permutation(len(log))
    for split, shuffled in zip(user_splits(log), user_splits(log[order]), strict=True):
        assert np.array_equal(split.test[order], shuffled.test)
        assert np.array_equal(split.validation(1)[order], shuffled.validation(1))


def test_too_few_users_cannot_be_dealt_out():
    """It says how many there are and are needed; so it does where all others went the same way."""
    few = listeners(1, users=11, each=80, persona=True).plays
    with pytest.raises(RefusedError, match="only 11 users; the protocol by user needs at least 12"):
        user_splits(few)
    one = plays().with_columns(skipped=pl.col("user_id") == 3)
    with pytest.raises(RefusedError, match="the plays of four fifths of the users all went the same way"):
        user_splits(one)


def test_everything_is_fitted_on_for_the_model_that_serves():
    """Nothing is left to stop on or to test on."""
    split = everything(plays())
    assert split.fitting(0).all()
    assert not split.validation(0).any()
    assert not split.test.any()


def test_a_log_without_skips_before_its_last_fifth_is_refused():
    """The training part decides."""
    log = plays()
    late = log.with_columns(skipped=pl.col("skipped") & (pl.col("started_at") > at(7 * 7200)))
    with pytest.raises(
        RefusedError, match="of the 1800 plays before the log's last fifth 0 were skipped: there is noth"
    ):
        time_split(late)
    assert enough(late) is late


@pytest.mark.parametrize(
    ("later", "message"),
    [
        ([], "only 0 plays by 0 users in the last fifth of the log's time"),
        ([(1, 40)], "only 1 plays by 1 users in the last fifth"),
        ([(1, 40)] * 30, "only 30 plays by 1 users in the last fifth"),
        ([(1, 40), (2, 40)] * 9, "only 18 plays by 2 users in the last fifth"),
        ([(1, 40), (2, 40)] * 15, "only 0 plays by 0 users in the last eighth of the time before the log's last fifth"),
    ],
)
def test_a_part_that_judges_needs_plays_of_several_users(later: list[tuple[int, int]], message: str):
    """One stray play, or one user, months after all others must not decide which model serves."""
    log = plays().with_columns(started_at=pl.lit(START, MOMENT))
    stray = [
        log.head(1).with_columns(user_id=pl.lit(user, pl.Int64), started_at=pl.lit(at(days * 86_400), MOMENT))
        for user, days in later
    ]
    with pytest.raises(RefusedError, match=f"{message}.*, where skip is judged; it takes 20 by 2"):
        time_split(pl.concat([log, *stray]))
