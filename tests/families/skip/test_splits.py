"""Training, validation and test plays."""

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.skip.splits import everything, time_split, user_splits

from .worlds import MOMENT, START, at, listeners


def plays() -> pl.DataFrame:
    """30 users with 80 plays each."""
    return listeners(1, users=30, each=80, persona=True).plays


def test_the_time_split_tests_on_the_last_fifth_and_validates_on_the_last_eighth_before_it():
    """No play is in two parts, and each part is later than the one before."""
    log = plays()
    split = time_split(log)
    parts = [log.filter(flags)["started_at"] for flags in (split.fitting(0), split.validation(0), split.test)]
    assert sum(map(len, parts)) == len(log)
    assert parts[0].max() < parts[1].min() <= parts[1].max() < parts[2].min()
    assert split.test.mean() == pytest.approx(0.2, abs=0.06)


def test_every_user_is_tested_in_one_fold_and_the_parts_of_a_fold_share_no_user():
    """The validation users of each network are another sixth of a fold's training users."""
    log = plays()
    users, splits = log["user_id"].to_numpy(), user_splits(log)
    assert sum(split.test.astype(int) for split in splits).tolist() == [1] * len(log)
    for split in splits:
        for member in range(3):
            parts = [set(users[flags]) for flags in (split.fitting(member), split.validation(member), split.test)]
            assert [len(part) for part in parts] == [20, 4, 6]
            assert len(set.union(*parts)) == 30
        assert np.array_equal(split.training, ~split.test)
        assert sum(validation.astype(int) for validation in split.validations).tolist() == split.training.tolist()


def test_folds_do_not_depend_on_the_order_of_plays():
    """The folds depend on who the users are, and on nothing else."""
    log = plays()
    order = np.random.default_rng(0).permutation(len(log))
    for split, shuffled in zip(user_splits(log), user_splits(log[order]), strict=True):
        assert np.array_equal(split.test[order], shuffled.test)
        assert np.array_equal(split.validation(1)[order], shuffled.validation(1))


def test_too_few_users_are_refused():
    """As are training users with one outcome."""
    few = listeners(1, users=11, each=80, persona=True).plays
    with pytest.raises(RefusedError, match=r"only 11 users.*12"):
        user_splits(few)
    one = plays().with_columns(skipped=pl.col("user_id") == 3)
    with pytest.raises(RefusedError, match="one outcome"):
        user_splits(one)


def test_the_final_model_is_fitted_on_everything():
    """Without validation or test plays."""
    split = everything(plays())
    assert split.fitting(0).all()
    assert not split.validation(0).any()
    assert not split.test.any()


def test_a_log_without_skips_before_its_last_fifth_is_refused():
    """A model cannot be fitted on one outcome."""
    log = plays()
    late = log.with_columns(skipped=pl.col("skipped") & (pl.col("started_at") > at(7 * 7200)))
    with pytest.raises(RefusedError, match="0 of 1,800 plays before the last fifth"):
        time_split(late)


@pytest.mark.parametrize(
    ("later", "message"),
    [
        ([], "only 0 plays by 0 users in the last fifth"),
        ([(1, 40)], "only 1 play by 1 user in the last fifth"),
        ([(1, 40)] * 30, "only 30 plays by 1 user in the last fifth"),
        ([(1, 40), (2, 40)] * 9, "only 18 plays by 2 users in the last fifth"),
        ([(1, 40), (2, 40)] * 15, "only 0 plays by 0 users in the last eighth"),
    ],
)
def test_validation_and_test_need_plays_of_several_users(later: list[tuple[int, int]], message: str):
    """One stray play, or one user, months after all others must not decide which model is promoted."""
    log = plays().with_columns(started_at=pl.lit(START, MOMENT))
    stray = [
        log.head(1).with_columns(user_id=pl.lit(user, pl.Int64), started_at=pl.lit(at(days * 86_400), MOMENT))
        for user, days in later
    ]
    with pytest.raises(RefusedError, match=f"{message}.*20 plays by 2 users"):
        time_split(pl.concat([log, *stray]))


def test_strays_do_not_move_the_parts():
    """A user's plays of a clock that was reset, years before or after, leave the other plays in their parts."""
    log = plays()
    split = time_split(log)
    stray = log.filter(pl.col("user_id") == 1).head(40)
    for days in (-3652, 3652):
        moved = stray.with_columns(pl.col("started_at") + pl.duration(days=days))
        divided = time_split(pl.concat([log, moved]))
        assert np.array_equal(divided.test[: len(log)], split.test)
        assert np.array_equal(divided.validation(0)[: len(log)], split.validation(0))


@pytest.mark.parametrize(
    ("early", "message"),
    [
        ([(1, 0), (2, 0)] * 9, "only 18 plays by 2 users before the last fifth"),
        ([(1, 0), (2, 0)] * 9 + [(1, 30), (2, 30)] * 15, "only 18 plays by 2 users before the last eighth"),
    ],
)
def test_the_training_plays_are_enough(early: list[tuple[int, int]], message: str):
    """A few plays long before all others must not be all that a model is fitted on."""
    log = plays().with_columns(started_at=pl.lit(at(40 * 86_400), MOMENT))
    first = [
        log.filter(pl.col("skipped") == bool(number % 4 < 2))
        .head(1)
        .with_columns(user_id=pl.lit(user, pl.Int64), started_at=pl.lit(at(days * 86_400), MOMENT))
        for number, (user, days) in enumerate(early)
    ]
    with pytest.raises(RefusedError, match=f"{message}.*20 plays by 2 users") as raised:
        time_split(pl.concat([log, *first]))
    assert "earliest" in raised.value.hint
