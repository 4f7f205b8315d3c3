"""Which plays a model learns from, is stopped on and is tested on."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pozytywka_cli.dataset.split import time_cut, user_folds
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.skip.history import Flags

TEST_TIME = 0.2  # of the log's time span
VALIDATION_TIME = 0.12  # of the rest's
FOLDS = 5  # of users
VALIDATION_FOLDS = 6  # of a fold's training users, one of which is kept back
MIN_PLAYS, MIN_USERS = 100, 2
LONGER = "Give it a longer log."
MORE = "Give it a log with plays of both kinds."


@dataclass(frozen=True)
class Split:
    """Three flags for each play: weights are fitted on the first, the best epoch is found on the second."""

    protocol: str
    fitting: Flags
    validation: Flags
    test: Flags

    @property
    def training(self) -> Flags:
        """All that anything may be fitted on."""
        return self.fitting | self.validation


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
        RefusedError: too few plays, all at one moment, or only one kind of them before the last fifth.
    """
    started = enough(plays)["started_at"]
    test = (started > time_cut(plays, 1 - TEST_TIME)).to_numpy()
    rest = plays.filter(~test)
    if not test.any():
        problem = f"all {len(plays)} plays start at one moment; skip is measured on later plays than it learns from"
        raise RefusedError(problem, LONGER)
    if rest["skipped"].n_unique() < 2:
        problem = f"of the {len(rest)} plays before the log's last fifth {rest['skipped'].sum()} were skipped"
        raise RefusedError(f"{problem}: there is nothing to tell apart", MORE)
    validation = (started > time_cut(rest, 1 - VALIDATION_TIME)).to_numpy() & ~test
    return Split("time", ~test & ~validation, validation, test)


def user_splits(plays: pl.DataFrame) -> list[Split]:
    """Protocol G: five folds by user, each tested once; stop on a sixth of a fold's training users.

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
        test = fold == number
        if len(np.unique(skipped[~test])) < 2:
            raise RefusedError("the plays of four fifths of the users all went the same way", MORE)
        validation = np.zeros(len(plays), np.bool_)
        validation[~test] = user_folds(users[~test], VALIDATION_FOLDS) == 0
        splits.append(Split("user", ~test & ~validation, validation, test))
    return splits


def everything(plays: pl.DataFrame) -> Split:
    """Fit on all plays, with nothing left to stop or to test on."""
    nothing = np.zeros(len(plays), np.bool_)
    return Split("none", ~nothing, nothing, nothing)
