"""Charts of the evaluation, and of quality against cost."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import polars as pl

from pozytywka_cli.families.similar.card import METRICS
from pozytywka_cli.families.similar.metrics import HEADLINE
from pozytywka_cli.records import Panel, Row

VARIANT, QUALITY, FACTORS = "variant", f"{METRICS[HEADLINE].label} on split 0", "factors"
TRAINING, LOOKUP = "training, seconds", "one lookup, milliseconds"


class Point(NamedTuple):
    """The quality and the cost of a model with so many factors and at most so many iterations."""

    factors: int
    iterations: int
    headline: Row
    seconds: float
    milliseconds: float


def panels(rows: Sequence[Row]) -> list[Panel]:
    """Draw bars of each metric: in-sample, or the mean of the splits that settings were not tuned on."""
    reported = [row for row in rows if row.protocol != "split 0" and row.metric in METRICS]
    titles = {row.metric: "in-sample" if row.protocol == "in-sample" else "mean of splits 1 to 3" for row in reported}
    bars = []
    for metric, title in titles.items():
        label, values = METRICS[metric].label, [(row.variant, row.value) for row in reported if row.metric == metric]
        frame = pl.DataFrame(values, [VARIANT, label], orient="row")
        means = frame.group_by(VARIANT, maintain_order=True).agg(pl.col(label).mean())
        bars.append(Panel(f"{label}, {title}", "bar", means, label, VARIANT))
    return bars


def tradeoff(points: Sequence[Point]) -> list[Panel]:
    """Draw the headline metric over training time, a line for each number of factors, and over lookup time."""
    rows = [(p.seconds, p.milliseconds, p.headline.value, f"{p.factors} factors", p.iterations) for p in points]
    frame = pl.DataFrame(rows, [TRAINING, LOOKUP, QUALITY, FACTORS, "iterations"], orient="row")
    most = max(point.iterations for point in points)
    longest = frame.filter(pl.col("iterations") == most)
    # all points share their users, so that one width describes every interval
    width = median((point.headline.high or 0) - (point.headline.low or 0) for point in points) / 2
    return [
        Panel(f"Training, 95 % interval ± {width:.3f}", "line", frame, TRAINING, QUALITY, FACTORS, dots=True),
        Panel(f"Lookup, {most} iterations", "line", longest, LOOKUP, QUALITY, dots=True),
    ]
