"""Trials of the LSTM's settings."""

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.weekly import FAMILY
from pozytywka_cli.families.weekly.series import full_weeks

from .trained import noise, run
from .worlds import dataset_from


@cache
def loss(weeks: int, altered_from: int | None = None, **changes: float) -> float:
    """The loss of a trial on so many weeks of noise, of which the last may be altered."""
    dataset = noise(weeks)
    if altered_from is not None:
        dataset = altered(dataset, altered_from)
    return FAMILY.trial(dataset, run(**changes))


def altered(dataset: Dataset, week: int) -> Dataset:
    """The same but for how long was listened from a week on."""
    later = pl.col("started_at").dt.date() >= full_weeks(dataset.plays)[week]
    listened = pl.when(later).then(7_000_000).otherwise("listened_ms").alias("listened_ms")
    return replace(dataset, plays=dataset.plays.with_columns(listened))


def test_no_trial_sees_a_test_week():
    """Whatever was listened to in the last 13 weeks, the loss is the same to the last bit; one week more is seen.

    Eight of them test the model, and all of them are what `plan rates` is backtested over.
    """
    assert loss(48, altered_from=35) == loss(48)
    assert loss(48, altered_from=34) != loss(48)


def test_neither_does_one_of_a_farther_horizon():
    """With three weeks ahead, the two weeks before the test weeks belong to the test too."""
    assert loss(52, altered_from=37, horizon=3) == loss(52, horizon=3)
    assert loss(52, altered_from=36, horizon=3) != loss(52, horizon=3)


def test_settings_decide_the_loss():
    """Where a network can learn more than the mixture knows: listening doubles in every other week."""
    random = np.random.default_rng(2)
    dataset = dataset_from(random.gamma(100, 70, (40, 48)) * (1 + np.arange(48) % 2))
    rates = {"epochs": 20, "patience": 20, "batch_size": 64}
    losses = [FAMILY.trial(dataset, run(**rates, learning_rate=rate)) for rate in (1e-9, 0.01)]
    assert losses[1] < 0.8 * losses[0]


def test_too_few_weeks_to_be_split_again_are_refused():
    """The message names how many there are before the test weeks, and how many are needed."""
    with pytest.raises(RefusedError) as refused:
        loss(27)
    assert "only 18 full weeks of plays; lstm needs at least 20" in refused.value.message
    assert loss(29) > 0
