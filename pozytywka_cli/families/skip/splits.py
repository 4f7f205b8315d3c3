"""Splits of the plays into training, validation and test plays."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pozytywka_cli.dataset.splits import time_cut, user_folds
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.evaluation import Flags

TIME, USER = "time split", "user folds"  # the protocols
TEST_TIME, VALIDATION_TIME = 0.2, 0.12  # of the log's time span, and of the rest
FOLDS, VALIDATION_FOLDS = 5, 6  # of users, and of a fold's training users, one of which is held out for validation
MIN_PLAYS, MIN_USERS = 100, 2
MIN_HELD_OUT = 20  # plays for validation or test, by as many users as above: with fewer, chance would decide
LONGER = "Use a longer log."
LATE = "Leave out the few latest plays with --until, or use a longer log."
EARLY = "Leave out the few earliest plays, or use a longer log."


@dataclass(frozen=True)
class Split:
    """Flags for each play: the training plays, which everything may be fitted on, and the test plays.

    Every one of `validations` is a part of `training`. Where a model of several networks is validated, the first one is
    held out from its first network, and so on, in turns; without any, nothing is held out.
    """

    protocol: str
    training: Flags
    validations: tuple[Flags, ...]
    test: Flags

    def validation(self, member: int) -> Flags:
        """Return the plays that a network is validated on."""
        return self.validations[member % len(self.validations)] if self.validations else np.zeros_like(self.test)

    def fitting(self, member: int) -> Flags:
        """Return the plays that a network is fitted on where it is validated."""
        return self.training & ~self.validation(member)


def time_split(plays: pl.DataFrame) -> Split:
    """Test on the last fifth of the time; validate on the last 12 % of the time before it.

    Raises:
        RefusedError: fewer than 100 plays or 2 users, fewer than 20 plays or 2 users in any part, or one outcome only,
            in all plays or before the last fifth.
    """
    _enough(plays, MIN_PLAYS, ";", LONGER)
    _both_outcomes(plays, "plays")
    started = plays["started_at"]
    test = (started > time_cut(plays, 1 - TEST_TIME)).to_numpy()
    rest = plays.filter(~test)
    _enough(plays.filter(test), MIN_HELD_OUT, " in the last fifth of the log's time, where", LATE)
    _enough(rest, MIN_HELD_OUT, " before the last fifth of the log's time, where", EARLY)
    _both_outcomes(rest, "plays before the last fifth of the log's time")
    validation = (started > time_cut(rest, 1 - VALIDATION_TIME)).to_numpy() & ~test
    eighth = " in the last eighth of the time before the log's last fifth, where"
    _enough(plays.filter(validation), MIN_HELD_OUT, eighth, LATE)
    before = " before the last eighth of the time before the log's last fifth, where"
    _enough(plays.filter(~test & ~validation), MIN_HELD_OUT, before, EARLY)
    return Split(TIME, ~test, (validation,), test)


def _enough(plays: pl.DataFrame, least: int, where: str, hint: str) -> None:
    """Refuse plays that could not tell a good model from a bad one."""
    users = plays["user_id"].n_unique()
    if len(plays) < least or users < MIN_USERS:
        count = f"{len(plays):,} play{'s' * (len(plays) != 1)} by {users:,} user{'s' * (users != 1)}"
        raise RefusedError(f"only {count}{where} skip needs at least {least} plays by {MIN_USERS} users", hint)


def _both_outcomes(plays: pl.DataFrame, part: str) -> None:
    """Refuse plays that were all skipped, or all played to their end."""
    if plays["skipped"].n_unique() < 2:
        problem = f"{plays['skipped'].sum():,} of {len(plays):,} {part} were skipped: there is only one outcome"
        raise RefusedError(problem, "Use a log with skipped plays and others.")


def user_splits(plays: pl.DataFrame) -> list[Split]:
    """Test each of five folds of users once; each network validates on another sixth of a fold's training users.

    A test user's own earlier plays still are in that user's features; nothing is fitted on them.

    Raises:
        RefusedError: fewer than 12 users, or training users whose plays have one outcome only.
    """
    users = plays["user_id"].to_numpy()
    needed = FOLDS + VALIDATION_FOLDS + 1
    if (count := len(np.unique(users))) < needed:
        raise RefusedError(f"only {count} users; {USER} need at least {needed}", LONGER)
    fold, splits = user_folds(users, FOLDS), []
    for number in range(FOLDS):
        training = fold != number
        _both_outcomes(plays.filter(training), "plays by four fifths of the users")
        validation_fold = np.full(len(plays), -1)
        validation_fold[training] = user_folds(users[training], VALIDATION_FOLDS)
        validations = tuple(validation_fold == sixth for sixth in range(VALIDATION_FOLDS))
        splits.append(Split(USER, training, validations, ~training))
    return splits


def everything(plays: pl.DataFrame) -> Split:
    """Fit on all plays, without validation or test plays."""
    nothing = np.zeros(len(plays), np.bool_)
    return Split("none", ~nothing, (), nothing)
