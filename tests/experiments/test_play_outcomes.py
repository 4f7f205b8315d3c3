"""Exposures and outcomes from the log."""

from datetime import timedelta

import polars as pl
import pytest

sa = pytest.importorskip("sqlalchemy", reason="the extra `experiments` is not installed")

from pozytywka_cli.experiments import database, lifecycle  # noqa: E402
from pozytywka_cli.experiments.analysis import analyze  # noqa: E402
from pozytywka_cli.experiments.definition import METRICS, Arm, Experiment  # noqa: E402
from pozytywka_cli.experiments.entries import Outcome  # noqa: E402
from pozytywka_cli.experiments.play_outcomes import expose_players, log_plays  # noqa: E402
from pozytywka_cli.experiments.recording import log_outcomes  # noqa: E402
from tests.experiments.worlds import START, plays  # noqa: E402


@pytest.fixture
def started(engine):
    """An experiment that starts with the second half of the plays."""
    arms = [Arm("control", "1"), Arm("treatment", "1")]
    names = ("skip_rate", "listened_seconds", "full_plays")
    lifecycle.create(engine, Experiment("test", "user", arms, "salt", [METRICS[name] for name in names]))
    return lifecycle.start(engine, "test", lifecycle.microseconds(START))


def test_users_are_exposed_at_their_first_play(engine, started):
    """After the start."""
    frame = plays(40)
    since = frame.filter(pl.col("started_at") >= START)
    assert expose_players(engine, started, frame) == since["unit"].n_unique()
    with database.reading(engine) as connection:
        rows = connection.execute(sa.select(database.exposures.c.unit, database.exposures.c.exposed_at)).all()
    first = since.group_by("unit").agg(pl.col("started_at").min().dt.epoch("us"))
    assert {tuple(row) for row in rows} == set(first.iter_rows())


def test_the_analysis_is_that_of_the_plays(engine, started):
    """Values of both arms, counted directly; all of them again after the same plays were logged again."""
    frame = plays(40)
    expose_players(engine, started, frame)
    assert log_plays(engine, started, frame) > 0
    with database.reading(engine) as connection:
        arms = {row.unit: row.arm for row in connection.execute(sa.select(database.exposures))}
    since = frame.filter(pl.col("started_at") >= START).with_columns(arm=pl.col("unit").replace_strict(arms))
    for _ in range(2):
        effects = {one.metric: one for one in analyze(engine, started).effects if one.method == "plain"}
        for side, arm in (("control", "control"), ("treatment", "treatment")):
            part = since.filter(pl.col("arm") == arm)
            units = part["unit"].n_unique()
            assert getattr(effects["skip_rate"], side) == pytest.approx(part["skipped"].mean())
            assert getattr(effects["full_plays"], side) == pytest.approx((~part["skipped"]).sum() / units)
            assert getattr(effects["listened_seconds"], side) == pytest.approx(part["listened_ms"].sum() / 1000 / units)
        log_plays(engine, started, frame)


def test_the_time_before_is_four_weeks(engine, started):
    """Plays longer ago than that are not in it, and those of users who were not exposed are nowhere."""
    kept = pl.DataFrame({"unit": ["a"] * 3 + ["b"], "day": [-29, -27, 1, -1]}).select(
        "unit",
        started_at=(pl.lit(START) + pl.duration(days="day")).dt.cast_time_unit("us"),
        skipped=pl.lit(False),
        listened_ms=pl.lit(1000),
    )
    expose_players(engine, started, kept)
    assert log_plays(engine, started, kept) == 2 * 3
    with database.reading(engine) as connection:
        events = {(row.unit, row.event) for row in connection.execute(sa.select(database.outcomes))}
    days = [(START + timedelta(days=day)).date() for day in (-27, 1)]
    assert events == {("a", f"log:{days[0]}:before"), ("a", f"log:{days[1]}:after")}


def test_other_outcomes_stay(engine, started):
    """Those of metrics that are not computed from the log; of those that are, none is counted twice."""
    log_outcomes(engine, started.id, [Outcome("0", name, "e 1", 1, 1.0) for name in ("clicks", "skip_rate")])
    expose_players(engine, started, plays(5))
    log_plays(engine, started, plays(5))
    with database.reading(engine) as connection:
        rows = connection.execute(sa.select(database.outcomes).where(database.outcomes.c.event == "e 1")).all()
    assert [row.metric for row in rows] == ["clicks"]
