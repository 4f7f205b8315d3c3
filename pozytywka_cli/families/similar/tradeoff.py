"""Quality against cost: the headline metric on split 0, training time and lookup time over factors and iterations."""

import time
from dataclasses import replace
from functools import partial
from itertools import product

from msgspec import structs

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.families.family import Evaluated, TrainingRun
from pozytywka_cli.families.similar import charts
from pozytywka_cli.families.similar.charts import Point
from pozytywka_cli.families.similar.features import listens
from pozytywka_cli.families.similar.metrics import measure, summary, top
from pozytywka_cli.families.similar.models.scorers import Embeddings
from pozytywka_cli.families.similar.settings import SimilarSettings
from pozytywka_cli.families.similar.splits import TUNING_SPLIT, Split, hold_out
from pozytywka_cli.records import Row

FACTORS = (16, 32, 64, 128, 256)
ITERATIONS = (5, 15, 40)
LOOKUPS = 100


def tradeoff(dataset: Dataset, run: TrainingRun) -> Evaluated:
    """Measure ALS for each number of factors and iterations; all other settings are those of the run.

    A lookup computes an artist's cosines with all candidates and takes the ten highest, in memory.

    Raises:
        RefusedError: there are too few listens to hold any out.
        UnavailableError: the device is "cuda" and cannot be used.
    """
    settings = run.settings_as(SimilarSettings)
    split = hold_out(listens(dataset).counts, seed=TUNING_SPLIT, min_listeners=settings.min_listeners)
    points = []
    for factors, iterations in product(FACTORS, ITERATIONS):
        smaller = structs.replace(settings, factors=factors, iterations=iterations)
        started = time.perf_counter()
        model = Embeddings.fit(split, replace(run, settings=smaller))
        seconds = time.perf_counter() - started
        name = f"als, {factors} factors, {iterations} iterations"
        headline = summary(split, measure(split, {name: model}, run.progress))[0]
        points.append(Point(factors, iterations, headline, seconds, _lookup_milliseconds(split, model)))
    return Evaluated([row for point in points for row in _rows(point)], partial(charts.tradeoff, points))


def _lookup_milliseconds(split: Split, model: Embeddings) -> float:
    """Return the mean time of a lookup."""
    artists = split.candidates[:LOOKUPS]
    top(model.of_artists(artists[:1]), 10)  # not timed: it computes the directions
    started = time.perf_counter()
    for place in range(len(artists)):
        top(model.of_artists(artists[place : place + 1]), 10)
    return 1000 * (time.perf_counter() - started) / len(artists)


def _rows(point: Point) -> list[Row]:
    costs = {"training_seconds": point.seconds, "lookup_milliseconds": point.milliseconds}
    rows = (structs.replace(point.headline, metric=m, value=v, low=None, high=None) for m, v in costs.items())
    return [point.headline, *rows]
