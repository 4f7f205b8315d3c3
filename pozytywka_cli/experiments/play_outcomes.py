"""Exposures and outcomes from the log itself: a user is exposed at the first play after the start of an experiment."""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl
import sqlalchemy as sa

from pozytywka_cli.experiments import database as db
from pozytywka_cli.experiments.entries import Outcome
from pozytywka_cli.experiments.lifecycle import Stored
from pozytywka_cli.experiments.play_totals import PAST_DAYS, PLAYS, VALUES
from pozytywka_cli.experiments.recording import expose, replace_outcomes


def expose_players(engine: sa.Engine, stored: Stored, plays: pl.DataFrame) -> int:
    """Expose every unit at its first play since the start, and return how many units have one.

    Args:
        engine: the database.
        stored: a running experiment.
        plays: see `play_totals.unit_plays`.
    """
    since = pl.col("started_at").dt.epoch("us") >= (stored.experiment.started_at or 0)
    first = plays.filter(since).group_by("unit").agg(at=pl.col("started_at").min().dt.epoch("us")).sort("unit")
    expose(engine, stored, first["unit"].to_list(), first["at"].to_list())
    return len(first)


def log_plays(engine: sa.Engine, stored: Stored, plays: pl.DataFrame) -> int:
    """Replace all outcomes of the metrics from the log by those of these plays, and return their number.

    For each exposed unit there is an outcome a day and metric, from four weeks before its exposure on; the day of the
    exposure has two, before and after.
    """
    exposed = _exposed(engine, stored.id)
    metrics = [metric.name for metric in stored.experiment.metrics if metric.name in VALUES]
    near = (
        plays.join(exposed, on="unit")
        .filter(pl.col("started_at") >= pl.col("exposed_at") - timedelta(days=PAST_DAYS))
        .with_columns(day=pl.col("started_at").dt.date(), since=pl.col("started_at") >= pl.col("exposed_at"))
    )
    daily = (
        near.group_by("unit", "day", "since")
        .agg(
            PLAYS,
            pl.col("started_at").min().dt.epoch("us").alias("at"),
            *(VALUES[metric].alias(metric) for metric in metrics),
        )
        .sort("unit", "day", "since")
    )
    outcomes = [outcome for metric in metrics for outcome in _outcomes(daily, metric)]
    replace_outcomes(engine, stored.id, metrics, outcomes)
    return len(outcomes)


def _outcomes(daily: pl.DataFrame, metric: str) -> Sequence[Outcome]:
    event = pl.format("log:{}:{}", "day", pl.when("since").then(pl.lit("after")).otherwise(pl.lit("before")))
    rows = daily.select("unit", event.alias("event"), "at", metric, "plays")
    return [Outcome(unit, metric, name, at, value, plays) for unit, name, at, value, plays in rows.iter_rows()]


def _exposed(engine: sa.Engine, experiment: int) -> pl.DataFrame:
    """Return unit and exposed_at of all exposed units."""
    table = db.exposures.c
    with db.reading(engine) as connection:
        rows = connection.execute(sa.select(table.unit, table.exposed_at).where(table.experiment == experiment)).all()
    schema = {"unit": pl.String, "exposed_at": pl.Int64}
    frame = pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row")
    return frame.with_columns(pl.from_epoch("exposed_at", time_unit="us").dt.replace_time_zone("UTC"))
