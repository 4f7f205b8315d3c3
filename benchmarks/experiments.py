"""Experiments: simulated type-I errors and power beside the old way, and a million units analysed."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import sqlalchemy as sa

from benchmarks.figure import DATA, Figure
from benchmarks.timing import call
from pozytywka_cli.dataset.loading import load
from pozytywka_cli.dataset.sample import write_sample
from pozytywka_cli.experiments import database, lifecycle, recording
from pozytywka_cli.experiments.analysis import analyze
from pozytywka_cli.experiments.definition import FROM_THE_LOG, METRICS, Arm, Experiment, MetricDefinition
from pozytywka_cli.experiments.design import OLD_WAY, simulations
from pozytywka_cli.experiments.entries import Outcome
from pozytywka_cli.experiments.estimation import sample_ratio
from pozytywka_cli.experiments.play_totals import unit_plays
from pozytywka_cli.records import silent
from tests.postgresql import programs, server

DAYS, RUNS, LOOKS = 28, 10_000, 40
SAMPLE_USERS = 600
RERUNS = 3  # the fastest counts, for other work on the machine only adds
UNITS = 1_000_000
WITH_PAST = 0.8  # of the units
ARMS = [Arm("control", "1"), Arm("treatment", "1")]


def measured(scratch: Path) -> Iterator[Figure]:
    """Yield the figures, one after the other."""
    write_sample(scratch / "sample", users=SAMPLE_USERS, weeks=16, seed=0, report=silent)
    folders = {edition: DATA / f"pozytywka-{edition}" for edition in ("2023", "2024")} | {"sample": scratch / "sample"}
    for edition, folder in folders.items():
        plays = unit_plays(load(folder, scratch / f"{edition}.parquet", silent_message), "user")
        yield from simulated(edition, plays)
    mismatch = sample_ratio(np.array([5200.0, 4800.0]), np.ones(2))
    yield Figure("p-value of 5,200 : 4,800 units where 50:50 was planned", mismatch, 0.001)
    yield from a_million_units(f"sqlite:///{scratch / 'experiments.sqlite3'}", scratch, "SQLite")
    if (folder := programs()) is not None:
        with server(folder) as url:
            yield from a_million_units(url, scratch, "PostgreSQL")


def simulated(edition: str, plays: pl.DataFrame) -> Iterator[Figure]:
    """Yield errors and power of the analysis on an edition's users, and how often the old way rejects a true null."""
    started = time.perf_counter()
    rows = simulations(plays, FROM_THE_LOG, DAYS, runs=RUNS, looks=LOOKS, seed=0)
    took = time.perf_counter() - started
    for row in rows:
        name, detail = f"{edition}, {row.metric}, {row.check}", f"rejects {row.share:.2%}"
        if row.check.endswith(": error") and row.check != OLD_WAY:
            yield Figure(f"{name}: points from 5 %", abs(row.share - 0.05), 0.01, detail)
        elif "sequence" in row.check:
            yield Figure(name, row.share, 0.05)
        elif row.check.endswith(": power"):
            detail += f", computed {row.expected:.0%}"
            yield Figure(f"{name}: points from the formula", abs(row.share - (row.expected or 0)), 0.03, detail)
        else:  # what others do, which is no promise of ours
            yield Figure(name, row.share, 1.0)
    yield Figure(f"{edition}: seconds to simulate {RUNS:,} experiments on {len(FROM_THE_LOG)} metrics", took, 60.0)


def silent_message(_: str) -> None:
    """Ignore a message."""


def a_million_units(url: str, scratch: Path, name: str) -> Iterator[Figure]:
    """Yield the seconds that the analysis of a metric takes over a million units with a past, of each kind."""
    engine = database.connect(url, scratch)
    for metric in (METRICS["listened_seconds"], METRICS["skip_rate"]):
        stored = lifecycle.create(engine, Experiment(f"with-{metric.name}", "user", ARMS, "salt", [metric]))
        stored = lifecycle.start(engine, stored.experiment.name, stored.experiment.created_at)
        seconds = fill(engine, stored, metric)
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(sa.text("ANALYZE"))
        found = analyze(engine, stored)
        took = min(call(partial(analyze, engine, stored))().seconds for _ in range(RERUNS))
        detail = f"{found.units:,} units, {len(found.effects)} rows; written at {seconds:,.0f} exposures a second"
        yield Figure(f"{name}: seconds to analyse a {metric.kind} over a million units", took, 3.0, detail)
    engine.dispose()


def fill(engine: sa.Engine, stored: lifecycle.Stored, metric: MetricDefinition) -> float:
    """Log a million exposed units and their outcomes, and return how many exposures were written in a second."""
    chance, at = np.random.default_rng(0), lifecycle.now()
    units = [str(number) for number in range(UNITS)]
    started = time.perf_counter()
    for start in range(0, UNITS, 50_000):
        recording.expose(engine, stored, units[start : start + 50_000], at)
    seconds = time.perf_counter() - started
    values, weights = chance.gamma(2, 100, (UNITS, 2)).tolist(), chance.poisson(20, UNITS).tolist()
    for start in range(0, UNITS, 50_000):
        part = range(start, start + 50_000)
        rows = [Outcome(units[i], metric.name, "after", at, values[i][0], weights[i]) for i in part]
        past = (i for i in part if i % 10 < 10 * WITH_PAST)
        rows += [Outcome(units[i], metric.name, "before", at - 1, values[i][1], weights[i]) for i in past]
        recording.log_outcomes(engine, stored.id, rows)
    return UNITS / seconds
