"""What the quality of ALS costs: PM on split 0 over factors and iterations, beside the time of training and lookup."""

import time
from functools import partial
from itertools import product

from msgspec import structs

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.similar import charts
from pozytywka_cli.families.similar.charts import Point
from pozytywka_cli.families.similar.evaluate import TUNED, latent, rows
from pozytywka_cli.families.similar.features import Listens, listens
from pozytywka_cli.families.similar.metrics import best, measure
from pozytywka_cli.families.similar.scorers import Latent
from pozytywka_cli.families.similar.splits import Split, hold_out
from pozytywka_cli.records import Evaluated, Report, Row
from pozytywka_cli.settings import SimilarSettings

FACTORS = (16, 32, 64, 128, 256)
ITERATIONS = (5, 15, 40)
LOOKUPS = 100


def evaluate(
    source: Dataset | Listens, settings: SimilarSettings, *, seed: int, device: str, report: Report
) -> Evaluated:
    """PM, seconds of training and milliseconds of a lookup for each number of factors and of iterations.

    A lookup is an artist's cosines with all candidates and the ten highest of them, in memory. All the rest of
    `settings` holds for every model.

    Raises:
        RefusedError: too few listens to hold any out.
        UnavailableError: `device` is "cuda" and cannot be used.
    """
    split = hold_out(listens(source).counts, seed=TUNED, min_listeners=settings.min_listeners)
    points = []
    for factors, iterations in product(FACTORS, ITERATIONS):
        given = structs.replace(settings, factors=factors, iterations=iterations)
        started = time.perf_counter()
        model = latent(split, given, seed=seed, device=device, report=report)
        seconds = time.perf_counter() - started
        name = f"als, {factors} factors, {iterations} iterations"
        pm = rows(split, measure(split, {name: model}, report))[0]
        points.append(Point(factors, iterations, pm, seconds, _lookup(split, model)))
    return Evaluated([row for point in points for row in _rows(point)], partial(charts.curve, points))


def _lookup(split: Split, model: Latent) -> float:
    """The mean time of a lookup, in milliseconds."""
    asked = split.candidates[:LOOKUPS]
    best(model.of_artists(asked[:1]), 10)  # the first one finds the directions
    started = time.perf_counter()
    for place in range(len(asked)):
        best(model.of_artists(asked[place : place + 1]), 10)
    return 1000 * (time.perf_counter() - started) / len(asked)


def _rows(point: Point) -> list[Row]:
    costs = {"training, seconds": point.seconds, "lookup, milliseconds": point.milliseconds}
    return [point.pm, *(structs.replace(point.pm, metric=m, value=v, low=None, high=None) for m, v in costs.items())]
