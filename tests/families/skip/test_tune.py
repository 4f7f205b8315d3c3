"""Trials of settings: which plays they take, and the loss that they return."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise

import msgspec
import polars as pl
import pytest

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.family import TrainingRun
from pozytywka_cli.families.skip import FAMILY, tune
from pozytywka_cli.families.skip.features.play_log import canonical
from pozytywka_cli.families.skip.fitting import FittedModel, TrainingData
from pozytywka_cli.families.skip.settings import SkipSettings
from pozytywka_cli.families.skip.splits import time_split
from pozytywka_cli.families.skip.validation import fit
from pozytywka_cli.tuning import drawn

from .worlds import at, listeners

QUICK = SkipSettings(epochs=4, learning_rate=5e-3)
TUNABLE = [name for name, variant in FAMILY.variants.items() if variant.space]


@cache
def personas() -> Dataset:
    """Half of the users skip danceable tracks, the others all other tracks."""
    given = listeners(1, users=30, each=160, persona=True)
    return replace(given, plays=canonical(given.plays))


def loss(dataset: Dataset, variant: str = "advanced", **changes: float) -> float:
    """The loss of a trial."""
    settings = msgspec.structs.replace(QUICK, **changes)
    return FAMILY.trial(dataset, TrainingRun(settings, variant))


def deleted(plays: pl.DataFrame, test: pl.Series) -> pl.DataFrame:
    """No test play but the last, whose start is where the log ends and so decides where it is cut."""
    return plays.filter(~test | (pl.col("started_at") == plays["started_at"].max()))


def altered(plays: pl.DataFrame, test: pl.Series) -> pl.DataFrame:
    """Test plays but user 0's in one running session, all but the last as early as can be, of the other outcome."""
    moved = test & (plays["started_at"] < plays["started_at"].max())
    running = plays.filter(~test)[-1]
    return plays.with_columns(
        pl.when(moved).then(plays.filter(test)["started_at"].min()).otherwise("started_at").alias("started_at"),
        *(
            pl.when(test & (plays["user_id"] > 0)).then(pl.lit(running[name][0])).otherwise(name).alias(name)
            for name in ("user_id", "session_id")
        ),
        track_id=pl.when(test).then(pl.lit("t1")).otherwise("track_id"),
        skipped=test ^ plays["skipped"],
        liked=test ^ plays["liked"],
        listened_ms=pl.when(test).then(1).otherwise("listened_ms"),
    )


@pytest.mark.parametrize("change", [deleted, altered])
@pytest.mark.parametrize("variant", TUNABLE)
def test_no_trial_depends_on_the_test_plays(change: Callable[[pl.DataFrame, pl.Series], pl.DataFrame], variant: str):
    """Whatever is done to the plays of the last fifth, the loss is the same to the last bit."""
    given = personas()
    test = pl.Series(time_split(given.plays).test)
    assert 0 < test.sum() < len(test) / 3
    changed = replace(given, plays=change(given.plays, test))
    assert not changed.plays.equals(given.plays)
    assert loss(changed, variant) == loss(given, variant)


def test_the_plays_that_the_gate_is_judged_on_are_not_those_that_rate_the_settings(monkeypatch: pytest.MonkeyPatch):
    """Training, validation, scored and test plays follow each other in time, and the loss is of the scored plays."""
    given, seen = personas(), []

    def recorded(variant: str, data: TrainingData, run: TrainingRun) -> FittedModel:
        seen.append(data)
        return fit(variant, data, run)

    monkeypatch.setattr(tune, "fit", recorded)
    before = loss(given, "simple")
    (data,) = seen
    whole = time_split(given.plays)
    split = data.split
    parts = [data.log.plays.filter(flags) for flags in (split.fitting(0), split.validation(0), split.test)]
    parts.append(given.plays.filter(whole.test))
    starts = [part["started_at"] for part in parts]
    assert all(earlier.max() < later.min() for earlier, later in pairwise(starts))
    assert sum(len(part) for part in parts) == len(given.plays)
    scored = given.plays["started_at"].is_between(starts[2].min(), starts[2].max())
    turned = given.plays.with_columns(skipped=scored ^ pl.col("skipped"))
    assert loss(replace(given, plays=turned), "simple") != before


def test_settings_decide_the_loss():
    """With networks that hardly learn the regression beside them is what is learned; the order changes nothing."""
    given = personas()
    good, idle = loss(given), loss(given, learning_rate=1e-9)
    constant = loss(given, "constant")
    assert good < idle - 0.03
    assert idle < constant - 0.03
    shuffled = given.plays.sample(fraction=1, shuffle=True, seed=3)
    assert loss(replace(given, plays=shuffled)) == good


@pytest.mark.parametrize("variant", TUNABLE)
def test_every_point_of_a_space_is_a_setting(variant: str):
    """The names are settings, and every value drawn is one that they may have."""
    candidates = [drawn(FAMILY.variants[variant].space, QUICK, number, 0) for number in range(200)]
    assert all(isinstance(one, SkipSettings) for one in candidates)
    assert len(set(candidates)) == 200


def test_a_log_that_is_too_short_to_be_split_twice_is_refused():
    """The message names the part."""
    given = listeners(0, users=8, each=50, persona=True)
    late = given.plays.filter(pl.col("started_at") < at(2 * 7200))
    with pytest.raises(RefusedError) as refused:
        loss(replace(given, plays=late))
    for part in ("--tune", "last fifth", "16 plays by 8 users", "last eighth", "20 plays by 2 users"):
        assert part in refused.value.message
    assert "--until" in refused.value.hint
