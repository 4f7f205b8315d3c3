"""Which plays a model learns from, is stopped on and is tested on."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pozytywka_cli.dataset.splits import time_cut, user_folds
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import Flags

TEST_TIME = 0.2  # of the log's time span
VALIDATION_TIME = 0.12  # of the rest's
FOLDS = 5  # of users
VALIDATION_FOLDS = 6  # of a fold's training users, one of which is kept back
MIN_PLAYS, MIN_USERS = 100, 2
MIN_JUDGED = 20  # plays that a model is stopped or tested on, by as many users as above: fewer would tell nothing
LONGER = "Give it a longer log."
MORE = "Give it a log with plays of both kinds."


@dataclass(frozen=True)
class Split:
    """Flags for each play: those that anything may be fitted on, and those that test it.

    Every one of `validations` is a part of `training`. A model of several networks keeps the first one back from the
    first network, to find its best epoch on, and so on, in turns; without any, nothing is kept back.
    """

    protocol: str
    training: Flags
    validations: tuple[Flags, ...]
    test: Flags

    def validation(self, member: int) -> Flags:
        """On which plays a network's best epoch is found."""
        return self.validations[member % len(self.validations)] if self.validations else np.zeros_like(self.test)

    def fitting(self, member: int) -> Flags:
        """On which plays a network's weights are fitted."""
        return self.training & ~self.validation(member)


def enough(plays: pl.DataFrame) -> pl.DataFrame:
    """The same plays.

    Raises:
        RefusedError: fewer than 100 plays or 2 users, or all plays went the same way.
    """
    users = plays["user_id"].n_unique()
    if len(plays) < MIN_PLAYS or users < MIN_USERS:
        problem = (
            f"only {len(plays)} plays by {users} users; skip needs at least {MIN_PLAYS} plays by {MIN_USERS} users"
        )
        raise RefusedError(problem, LONGER)
    if plays["skipped"].n_unique() < 2:
        kind = "every one" if plays["skipped"][0] else "none"
        raise RefusedError(f"of {len(plays)} plays {kind} was skipped: there is nothing to tell apart", MORE)
    return plays


def time_split(plays: pl.DataFrame) -> Split:
    """Protocol T: test on the last fifth of the time; stop on the last 12 % of the time before it.

    Raises:
        RefusedError: too few plays, too few of them in either part, or only one kind of them before the last fifth.
    """
    started = enough(plays)["started_at"]
    test = (started > time_cut(plays, 1 - TEST_TIME)).to_numpy()
    rest = plays.filter(~test)
    _judges(plays.filter(test), "the last fifth of the log's time")
    if rest["skipped"].n_unique() < 2:
        problem = f"of the {len(rest)} plays before the log's last fifth {rest['skipped'].sum()} were skipped"
        raise RefusedError(f"{problem}: there is nothing to tell apart", MORE)
    validation = (started > time_cut(rest, 1 - VALIDATION_TIME)).to_numpy() & ~test
    _judges(plays.filter(validation), "the last eighth of the time before the log's last fifth")
    return Split("time split", ~test, (validation,), test)


def _judges(plays: pl.DataFrame, part: str) -> None:
    """Refuse a part of the log that could not tell a good model from a bad one."""
    users = plays["user_id"].n_unique()
    if len(plays) < MIN_JUDGED or users < MIN_USERS:
        problem = f"only {len(plays)} plays by {users} users in {part}, where skip is judged; it takes {MIN_JUDGED}"
        raise RefusedError(f"{problem} by {MIN_USERS}", "Leave out stray later plays with --until, or give it more.")


def user_splits(plays: pl.DataFrame) -> list[Split]:
    """Protocol G: five folds by user, each tested once; each network stops on another sixth of a fold's training users.

    A test user's own earlier plays still feed that user's features; nothing is fitted on them.

    Raises:
        RefusedError: fewer than 12 users, or all plays of a fold's training users went the same way.
    """
    users, skipped = plays["user_id"].to_numpy(), plays["skipped"].to_numpy()
    needed = FOLDS + VALIDATION_FOLDS + 1
    if (count := len(np.unique(users))) < needed:
        raise RefusedError(f"only {count} users; the protocol by user needs at least {needed}", LONGER)
    fold, splits = user_folds(users, FOLDS), []
    for number in range(FOLDS):
        training = fold != number
        if len(np.unique(skipped[training])) < 2:
            raise RefusedError("the plays of four fifths of the users all went the same way", MORE)
        kept_back = np.full(len(plays), -1)
        kept_back[training] = user_folds(users[training], VALIDATION_FOLDS)
        validations = tuple(kept_back == sixth for sixth in range(VALIDATION_FOLDS))
        splits.append(Split("user folds", training, validations, ~training))
    return splits


def everything(plays: pl.DataFrame) -> Split:
    """Fit on all plays, with nothing left to stop or to test on."""
    nothing = np.zeros(len(plays), np.bool_)
    return Split("none", ~nothing, (), nothing)
