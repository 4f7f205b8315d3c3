"""Design an experiment before it starts: power on the service's own units, and a simulation of the analysis."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import numpy as np
import polars as pl

from pozytywka_cli.errors import RefusedError, UsageError
from pozytywka_cli.experiments.moments import Moments, of_units
from pozytywka_cli.experiments.play_totals import totals, window
from pozytywka_cli.experiments.power import detectable, needed_units, spread
from pozytywka_cli.experiments.simulation import METHODS, Simulated, mismatches, old_way, simulate
from pozytywka_cli.records import Progress, Report, silent

OLD_WAY = "t-test over plays, user_id % 2 (the old way): error"
CHECKED_UNITS = 10_000  # of the simulated checks of sample ratios


class Power(msgspec.Struct, frozen=True):
    """What an experiment on a metric finds.

    value: the metric as it is
    deviation: the standard deviation of a unit
    units: of both arms together
    detectable: the smallest effect that so many units find with the wanted power; `relative` to the value
    effect, needed: an effect, and how many units of both arms find it; None if none was given
    """

    metric: str
    method: str
    value: float
    deviation: float
    units: int
    detectable: float
    relative: float | None
    effect: float | None = None
    needed: int | None = None


class Effect(msgspec.Struct, frozen=True):
    """An effect, absolute or as a share of the metric's value."""

    size: float
    is_relative: bool


def parse_effect(text: str) -> Effect:
    """Parse `5%` (of the value) or `0.01`; a UsageError if it is no number other than 0."""
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = 0.0
    if not 0 < abs(number) < 1e12:
        raise UsageError(f"--effect {text!r} is no size of an effect", "Write it as 5% (of the value) or 0.01.")
    is_relative = text.endswith("%")
    return Effect(number / 100 if is_relative else number, is_relative)


def powers(
    plays: pl.DataFrame,
    metrics: Sequence[str],
    days: int,
    *,
    units: int | None = None,
    effect: Effect | None = None,
    wanted: float = 0.8,
    alpha: float = 0.05,
) -> list[Power]:
    """Return what an experiment of so many days finds on each metric, plain and with CUPED, in two equal arms.

    Args:
        plays: see `play_totals.unit_plays`; the last days are taken for those of the experiment.
        metrics: names of metrics from the log.
        days: how long the experiment lasts.
        units: of both arms together; the active ones of the last days if None.
        effect: the smallest one that would matter.
        wanted: the power.
        alpha: the level of the test.

    Raises:
        RefusedError: there are too few units with plays.
    """
    start, end = _window(plays, days)
    rows = []
    for metric in metrics:
        moments = of_units(totals(plays, metric, start, [end])[0])
        rows += [_power(metric, method, moments, units, effect, wanted, alpha) for method in METHODS]
    return rows


def _power(
    metric: str, method: str, moments: Moments, units: int | None, effect: Effect | None, wanted: float, alpha: float
) -> Power:
    metric_spread = spread(moments, adjusted=METHODS[method])
    value, count = metric_spread.value, units or int(moments.count)
    found = detectable(metric_spread, count, alpha, wanted)
    size = None if effect is None else effect.size * (value if effect.is_relative else 1)
    needed = None if size is None else needed_units(size, metric_spread, alpha, wanted)
    relative = found / abs(value) if value else None
    return Power(metric, method, value, metric_spread.deviation, count, found, relative, size, needed)


def simulations(
    plays: pl.DataFrame,
    metrics: Sequence[str],
    days: int,
    *,
    runs: int,
    looks: int,
    seed: int,
    report: Report = silent,
) -> list[Simulated]:
    """Simulate experiments on the last days of the plays, beside the old way; see `simulation`.

    Raises:
        RefusedError: there are too few units with plays.
    """
    start, end = _window(plays, days)
    times = [start + (end - start) * look / looks for look in range(1, looks + 1)]
    rows: list[Simulated] = []
    for number, metric in enumerate(metrics, 1):
        rows += simulate(metric, totals(plays, metric, start, times), runs, seed)
        rows += _old_way(plays.filter(pl.col("started_at") >= start), metric, runs, seed)
        report(Progress("metrics", number, len(metrics)))
    for share, what in ((0.5, "of 50:50 (p < .001)"), (0.52, "of 52:48 where 50:50 was planned (p < .001)")):
        check = f"alarms of the sample-ratio check at {CHECKED_UNITS:,} units {what}"
        expected = 0.001 if share == 0.5 else None
        rows.append(Simulated("", check, mismatches(CHECKED_UNITS, share, runs, seed), expected))
    return rows


def _window(plays: pl.DataFrame, days: int) -> tuple[datetime, datetime]:
    if plays.is_empty():
        raise RefusedError("there are no plays", "Check the data: `pozytywka validate`.")
    start, end = window(plays, days)
    active = plays.filter(pl.col("started_at") >= start)["unit"].n_unique()
    if active < 4:
        raise RefusedError(f"only {active} units have plays in the last {days} days", "Take more days (--days).")
    return start, end


def _old_way(plays: pl.DataFrame, metric: str, runs: int, seed: int) -> list[Simulated]:
    """Return the errors of the t-test over plays, of the metrics that are a value of each play."""
    of_plays = {"skip_rate": pl.col("skipped").cast(pl.Float64), "listened_seconds": pl.col("listened_ms") / 1000}
    if metric not in of_plays:
        return []
    grouped = plays.select("unit", value=of_plays[metric]).drop_nulls().group_by("unit", maintain_order=True)
    sums = grouped.agg(n=pl.len(), s=pl.col("value").sum(), q=(pl.col("value") ** 2).sum())
    count, total, squares = (sums[name].to_numpy().astype(np.float64) for name in ("n", "s", "q"))
    return [Simulated(metric, OLD_WAY, old_way(count, total, squares, runs, seed), 0.05)]
