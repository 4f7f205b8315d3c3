"""What the variants reach, and what the quality of ALS costs."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import polars as pl

from pozytywka_cli.records import Panel, Row

VARIANT = "variant"
PM, FACTORS = "PM on split 0", "factors"
TRAINING, LOOKUP = "training, seconds", "one lookup, milliseconds"


class Point(NamedTuple):
    """What a model of so many factors, after at most so many iterations, reaches and costs."""

    factors: int
    iterations: int
    pm: Row
    seconds: float
    milliseconds: float


def panels(rows: Sequence[Row]) -> list[Panel]:
    """For each metric the variants' figures: in-sample, or the mean of the splits that settings were not tuned on."""
    reported = [row for row in rows if row.protocol != "split 0"]
    measured = {row.metric: "in-sample" if row.protocol == "in-sample" else "mean of splits 1 to 3" for row in reported}
    return [
        Panel(f"{metric}, {how}", "bar", _means(reported, metric), metric, VARIANT) for metric, how in measured.items()
    ]


def curve(points: Sequence[Point]) -> list[Panel]:
    """PM over the time that training takes, a line for each number of factors, and over the time of a lookup."""
    told = pl.DataFrame(
        {
            TRAINING: [point.seconds for point in points],
            LOOKUP: [point.milliseconds for point in points],
            PM: [point.pm.value for point in points],
            FACTORS: [f"{point.factors} factors" for point in points],
        }
    )
    most = max(point.iterations for point in points)
    longest = told.filter(pl.Series([point.iterations == most for point in points]))
    # intervals overlap, for all points share their users: one width says what a difference is worth
    width = median((point.pm.high or 0) - (point.pm.low or 0) for point in points) / 2
    return [
        Panel(f"Training, 95 % of each PM: ± {width:.3f}", "line", told, TRAINING, PM, FACTORS, dots=True),
        Panel(f"Lookup, {most} iterations", "line", longest, LOOKUP, PM, dots=True),
    ]


def _means(rows: Sequence[Row], metric: str) -> pl.DataFrame:
    figures = [(row.variant, row.value) for row in rows if row.metric == metric]
    frame = pl.DataFrame(figures, {VARIANT: pl.String, metric: pl.Float64}, orient="row")
    return frame.group_by(VARIANT, maintain_order=True).agg(pl.col(metric).mean())
