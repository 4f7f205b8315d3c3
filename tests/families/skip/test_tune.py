"""What a trial of skip's settings sees, and what it says."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise

import msgspec
import polars as pl
import pytest

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.skip import VARIANTS, tune
from pozytywka_cli.families.skip.features.history import canonical
from pozytywka_cli.families.skip.fit import learn
from pozytywka_cli.families.skip.splits import time_split
from pozytywka_cli.families.skip.training_data import TrainingData
from pozytywka_cli.settings import SkipSettings
from pozytywka_cli.tuning import drawn

from .worlds import at, listeners

QUICK = SkipSettings(epochs=4, learning_rate=5e-3)


@cache
def planted() -> Dataset:
    """Half of the users skip what one can dance to, the others what one cannot."""
    given = listeners(1, users=30, each=160, persona=True)
    return replace(given, plays=canonical(given.plays))


def loss(dataset: Dataset, variant: str = "advanced", **changes: float) -> float:
    """What a trial gives."""
    settings = msgspec.structs.replace(QUICK, **changes)
    return tune.trial(dataset, settings, variant=variant, seed=0, device="cpu")


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
@pytest.mark.parametrize("variant", tune.SPACES)
def test_no_trial_sees_the_test_part(change: Callable[[pl.DataFrame, pl.Series], pl.DataFrame], variant: str):
    """Whatever is done to the plays of the last fifth, the loss is the same to the last bit."""
    given = planted()
    test = pl.Series(time_split(given.plays).test)
    assert 0 < test.sum() < len(test) / 3
    changed = replace(given, plays=change(given.plays, test))
    assert not changed.plays.equals(given.plays)
    assert loss(changed, variant) == loss(given, variant)


def test_what_stops_the_training_is_not_what_is_scored(monkeypatch: pytest.MonkeyPatch):
    """Fitting, validation, score and test follow each other in time, and the score's plays decide the loss alone."""
    given, lessons = planted(), []

    def seen(variant: str, training_data: TrainingData, **more: object) -> object:
        lessons.append(training_data)
        return learn(variant, training_data, **more)

    monkeypatch.setattr(tune, "learn", seen)
    before = loss(given, "simple")
    (training_data,) = lessons
    whole = time_split(given.plays)
    parts = [
        training_data.dataset.plays.filter(flags)
        for flags in (training_data.split.fitting(0), training_data.split.validation(0))
    ]
    parts += [training_data.dataset.plays.filter(training_data.split.test), given.plays.filter(whole.test)]
    starts = [part["started_at"] for part in parts]
    assert all(earlier.max() < later.min() for earlier, later in pairwise(starts))
    assert sum(len(part) for part in parts) == len(given.plays)
    scored = given.plays["started_at"].is_between(starts[2].min(), starts[2].max())
    turned = given.plays.with_columns(skipped=scored ^ pl.col("skipped"))
    assert loss(replace(given, plays=turned), "simple") != before


def test_settings_decide_the_loss():
    """A network that hardly learns is no better than the constant; order in which plays come changes nothing."""
    given = planted()
    good, idle = loss(given), loss(given, learning_rate=1e-9)
    constant = loss(given, "constant")
    assert idle == pytest.approx(constant, abs=1e-3)
    assert good < constant - 0.03
    shuffled = given.plays.sample(fraction=1, shuffle=True, seed=3)
    assert loss(replace(given, plays=shuffled)) == good


@pytest.mark.parametrize("variant", tune.SPACES)
def test_every_point_of_a_space_is_a_setting(variant: str):
    """The names are settings, and every value drawn is one that they may have."""
    assert variant in VARIANTS
    found = [drawn(tune.SPACES[variant], QUICK, number, 0) for number in range(200)]
    assert all(isinstance(one, SkipSettings) for one in found)
    assert len(set(found)) == 200


def test_a_log_that_is_too_short_to_be_split_twice_is_refused():
    """It says of which part that is so."""
    given = listeners(0, users=8, each=50, persona=True)
    late = given.plays.filter(pl.col("started_at") < at(2 * 7200))
    with pytest.raises(RefusedError) as refused:
        loss(replace(given, plays=late))
    assert refused.value.message == (
        "--tune leaves out the log's last fifth; before it: only 16 plays by 8 users "
        "in the last eighth of the time before the log's last fifth, where skip is judged; it takes 20 by 2"
    )
    assert refused.value.hint == "Leave out stray later plays with --until, or give it more."
