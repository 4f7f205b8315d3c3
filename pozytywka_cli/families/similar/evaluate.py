"""Evaluation: all variants beside item neighbours and the old settings on four splits, and quality against cost."""

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
from msgspec import structs
from scipy.sparse import csr_matrix

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import Floats, Ints, differences
from pozytywka_cli.families.family import Evaluated, TrainingRun
from pozytywka_cli.families.similar import FAMILY, charts
from pozytywka_cli.families.similar.features import listens
from pozytywka_cli.families.similar.metrics import HEADLINE, Scorer, mean_row, measure, summary, top
from pozytywka_cli.families.similar.models.scorers import Embeddings, bm25, cosine, fitted
from pozytywka_cli.families.similar.settings import SimilarSettings
from pozytywka_cli.families.similar.splits import SPLITS, TUNING_SPLIT, Split, hold_out, without_hold_out
from pozytywka_cli.families.similar.train import choose
from pozytywka_cli.records import Row

STABILITY_ARTISTS = 500
FACTORS = (16, 32, 64, 128, 256)
ITERATIONS = (5, 15, 40)
LOOKUPS = 100
SEEDED = ("two-cosines", "als")
OLD_SETTINGS = SimilarSettings(weighting="bm25", factors=64, regularization=0.05, alpha=1.0, iterations=15)


def evaluate(dataset: Dataset, run: TrainingRun) -> Evaluated:
    """Measure every variant, ALS with the old system's settings, item cosine and BM25 on four splits.

    Of models that depend on the seed also measure stability@10 over two seeds, and own_library@5 (see `own_library`).

    Raises:
        RefusedError: there are too few listens to hold any out.
        UnavailableError: the device is "cuda" and cannot be used.
    """
    settings, counts = run.settings_as(SimilarSettings), listens(dataset).counts
    rows = []
    for number in SPLITS:
        split = hold_out(counts, seed=number, min_listeners=settings.min_listeners)
        rows += _evaluate_split(split, run)
    everything = without_hold_out(counts)
    rows += own_library(everything, _seeded(everything, run))
    chosen = choose(hold_out(counts, seed=TUNING_SPLIT, min_listeners=settings.min_listeners), run)
    return Evaluated([*rows, *chosen.rows], partial(charts.panels, rows), chosen.notes)


def _seeded(split: Split, run: TrainingRun) -> dict[str, Scorer]:
    """Fit the models that depend on the seed."""
    models = fitted(split, run, SEEDED)
    return models | {"als, old settings": Embeddings.fit(split, replace(run, settings=OLD_SETTINGS))}


def _evaluate_split(split: Split, run: TrainingRun) -> list[Row]:
    """Return the rows of a split; each model that depends on the seed is fitted with two."""
    protocol = f"split {split.seed}"
    models, others = (_seeded(split, replace(run, seed=run.seed + again)) for again in (0, 1))
    rest = [variant for variant in FAMILY.variants if variant not in models]
    plain: dict[str, Scorer] = fitted(split, run, rest)
    plain |= {"item cosine": cosine(split), "bm25 items": bm25(split)}
    values = measure(split, {**models, **plain}, run.progress)
    stable = [
        mean_row(protocol, name, "stability@10", *stability(split, models[name], others[name])) for name in models
    ]
    return [*summary(split, values), *stable, *_differences(protocol, values, run.variant)]


def _differences(protocol: str, values: Mapping[str, Floats], default: str) -> list[Row]:
    """Return the headline metric of every other variant minus the default's, over users for whom it is defined."""
    users = np.flatnonzero(~np.isnan(values[default][:, 0]))
    headline = {name: columns[users, 0] for name, columns in values.items()}
    return differences("similar", protocol, HEADLINE, headline, default, users)


def own_library(everything: Split, models: Mapping[str, Scorer]) -> list[Row]:
    """Return own_library@5, the old system's metric, of models fitted on all listens, and of item cosine.

    The share of an artist's five most similar artists that a user of the artist has listened to: a mean over each
    user's artists, then over users. It is in-sample, so it rewards memory.
    """
    scorers: dict[str, Scorer] = {**models, "item cosine": cosine(everything)}
    library, artists = everything.training.sign(), everything.candidates
    rows = []
    for name, scorer in scorers.items():
        similar = neighbours(everything, scorer, artists, 5)
        where = (np.repeat(artists, similar.shape[1]), similar.ravel())
        adjacency = csr_matrix((np.ones(similar.size, dtype=np.float32), where), shape=(library.shape[1],) * 2)
        shared = np.asarray((library @ adjacency).multiply(library).sum(axis=1), dtype=np.float64).ravel()
        shares = shared / (np.diff(library.indptr) * similar.shape[1])
        rows.append(mean_row("in-sample", name, "own_library@5", shares, np.arange(len(shares))))
    return rows


def stability(split: Split, one: Scorer, other: Scorer) -> tuple[Floats, Ints]:
    """Compare the ten most similar artists of two scorers for 500 random candidates, or for all if there are fewer.

    Returns:
        the Jaccard similarities (artists,), 0 to 1, and the artists (artists,) as columns of the counts.
    """
    size = min(STABILITY_ARTISTS, len(split.candidates))
    artists = np.random.default_rng(split.seed).choice(split.candidates, size, replace=False)
    first, second = (neighbours(split, scorer, artists, 10) for scorer in (one, other))
    shared = (first[:, :, None] == second[:, None, :]).sum(axis=(1, 2))
    return shared / (first.shape[1] + second.shape[1] - shared), artists


def neighbours(split: Split, scorer: Scorer, artists: Ints, n: int) -> Ints:
    """Return the `n` candidates most similar to each artist, without itself, as columns of the counts."""
    parts = []
    for block in np.array_split(artists, 1 + len(artists) * len(split.candidates) // 2**24):
        scores = scorer.of_artists(block).copy()
        scores[block[:, None] == split.candidates] = -np.inf
        parts.append(split.candidates[top(scores, min(n, len(split.candidates) - 1))])
    return np.vstack(parts)


def tradeoff(dataset: Dataset, run: TrainingRun) -> Evaluated:
    """Measure ALS on split 0 for each number of factors and iterations; all other settings are those of the run.

    A lookup computes an artist's cosines with all candidates and takes the ten highest, in memory. The errors are those
    of `evaluate`.
    """
    settings, rows, points = run.settings_as(SimilarSettings), list[Row](), []
    split = hold_out(listens(dataset).counts, seed=TUNING_SPLIT, min_listeners=settings.min_listeners)
    for factors, iterations in product(FACTORS, ITERATIONS):
        smaller = structs.replace(settings, factors=factors, iterations=iterations)
        started = time.perf_counter()
        model = Embeddings.fit(split, replace(run, settings=smaller))
        seconds = time.perf_counter() - started
        name = f"als, {factors} factors, {iterations} iterations"
        headline = summary(split, measure(split, {name: model}, run.progress))[0]
        costs = {"training_seconds": seconds, "lookup_milliseconds": _lookup_milliseconds(split, model)}
        rows += [headline, *(Row("similar", name, headline.protocol, metric, cost) for metric, cost in costs.items())]
        points.append(charts.Point(factors, iterations, headline, *costs.values()))
    return Evaluated(rows, partial(charts.tradeoff, points))


def _lookup_milliseconds(split: Split, model: Embeddings) -> float:
    """Return the mean time of a lookup."""
    artists = split.candidates[:LOOKUPS]
    top(model.of_artists(artists[:1]), 10)  # not timed: it computes the directions
    started = time.perf_counter()
    for place in range(len(artists)):
        top(model.of_artists(artists[place : place + 1]), 10)
    return 1000 * (time.perf_counter() - started) / len(artists)
