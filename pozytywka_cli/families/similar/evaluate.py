"""The family's figures on held-out listens, beside its baselines."""

from collections.abc import Mapping
from functools import partial

import numpy as np
from scipy.sparse import csr_matrix

from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.evaluation import mean_interval
from pozytywka_cli.families.similar import als, charts, scorers
from pozytywka_cli.families.similar.features import Listens, listens
from pozytywka_cli.families.similar.metrics import METRICS, Floats, Scorer, best, measure
from pozytywka_cli.families.similar.splits import Ints, Split, hold_out, nothing_held_out
from pozytywka_cli.records import Evaluated, Report, Row
from pozytywka_cli.settings import SimilarSettings

TUNED = 0  # the split that settings are tuned on, and that the figures kept with a model come from
SPLITS = (TUNED, 1, 2, 3)  # the others report
STABILITY_ARTISTS = 500
OLD = SimilarSettings(weighting="bm25", factors=64, regularization=0.05, alpha=1.0, iterations=15)  # the old system's


def evaluate(
    source: Dataset | Listens, settings: SimilarSettings, *, seed: int, device: str, report: Report
) -> Evaluated:
    """ALS, with the old system's settings too, popularity, item cosine and BM25 on four splits, with 95 % intervals.

    Beside the metrics of the protocol, for ALS "stability@10": how much of an artist's ten most similar another seed
    keeps (Jaccard, over 500 artists). And for the record the old system's metric, see `in_sample`.

    Raises:
        RefusedError: too few listens to hold any out.
        UnavailableError: `device` is "cuda" and cannot be used.
    """
    counts, of_als, found = listens(source).counts, {"als": settings, "als, old settings": OLD}, []
    fit = partial(latent, device=device, report=report)
    for number in SPLITS:
        split = hold_out(counts, seed=number, min_listeners=settings.min_listeners)
        models = {name: [fit(split, given, seed=seed + again) for again in (0, 1)] for name, given in of_als.items()}
        found += _compared(split, models, report)
    everything = nothing_held_out(counts)
    found += in_sample(everything, {name: fit(everything, given, seed=seed) for name, given in of_als.items()})
    return Evaluated(found, partial(charts.panels, found))


def latent(split: Split, settings: SimilarSettings, *, seed: int, device: str, report: Report) -> scorers.Latent:
    """ALS fitted on the training part of a split."""
    stage = f"fit on split {split.seed}" if split.held_out.nnz else "fit on everything"
    found = als.fit(split.training, settings, seed=seed, device=device, report=report, stage=stage)
    return scorers.Latent(found.users, found.artists, split.candidates)


def rows(split: Split, figures: Mapping[str, Floats]) -> list[Row]:
    """Means over users of `measure`'s figures, with 95 % intervals."""
    return [
        _row(f"split {split.seed}", variant, metric, column, split.users)
        for variant, matrix in figures.items()
        for metric, column in zip(METRICS, matrix.T, strict=True)
    ]


def in_sample(everything: Split, models: Mapping[str, scorers.Latent]) -> list[Row]:
    """The old system's metric, "own library@5", of models that learned from all listens, and of item cosine.

    The share of an artist's five most similar, of all artists, that the user holds who holds the artist: a mean over
    each user's artists, then over users. It asks for what was learned by heart, so memory alone does best.
    """
    found: dict[str, Scorer] = {**models, "item cosine": scorers.cosine(everything)}
    users = np.arange(everything.training.shape[0])
    return [
        _row("in-sample", name, "own library@5", _own_library(everything, scorer), users)
        for name, scorer in found.items()
    ]


def _own_library(split: Split, scorer: Scorer) -> Floats:
    heard = split.training.sign()
    top = neighbours(split, scorer, split.candidates, 5)
    where = (np.repeat(split.candidates, top.shape[1]), top.ravel())
    likeness = csr_matrix((np.ones(top.size, dtype=np.float32), where), shape=(heard.shape[1],) * 2)
    shared = (heard @ likeness).multiply(heard).sum(axis=1)
    shares: Floats = np.asarray(shared, dtype=np.float64).ravel() / (np.diff(heard.indptr) * top.shape[1])
    return shares


def stability(split: Split, one: Scorer, other: Scorer) -> tuple[Floats, Ints]:
    """Jaccard similarities (500,), 0 to 1, of two scorers' ten most similar, for random candidates; and those (500,).

    Fewer where there are no more candidates, which are columns of the counts.
    """
    size = min(STABILITY_ARTISTS, len(split.candidates))
    artists = np.random.default_rng(split.seed).choice(split.candidates, size, replace=False)
    ours, theirs = (neighbours(split, scorer, artists, 10) for scorer in (one, other))
    shared = (ours[:, :, None] == theirs[:, None, :]).sum(axis=(1, 2))
    return shared / (ours.shape[1] + theirs.shape[1] - shared), artists


def neighbours(split: Split, scorer: Scorer, artists: Ints, n: int) -> Ints:
    """The `n` candidates most similar to each artist, itself left out, as columns of the counts."""
    blocks = np.array_split(artists, 1 + len(artists) * len(split.candidates) // 2**24)
    return np.vstack([_without_itself(split, scorer, block, n) for block in blocks])


def _compared(split: Split, models: Mapping[str, list[scorers.Latent]], report: Report) -> list[Row]:
    """All rows of a split; each model is fitted twice, from different seeds."""
    found: dict[str, Scorer] = {
        **{name: model for name, (model, _) in models.items()},
        "popularity": scorers.Popularity(split.listeners),
        "item cosine": scorers.cosine(split),
        "bm25 items": scorers.bm25(split),
    }
    protocol = f"split {split.seed}"
    stable = [_row(protocol, name, "stability@10", *stability(split, *model)) for name, model in models.items()]
    return [*rows(split, measure(split, found, report)), *stable]


def _without_itself(split: Split, scorer: Scorer, artists: Ints, n: int) -> Ints:
    scores = scorer.of_artists(artists).copy()
    scores[artists[:, None] == split.candidates] = -np.inf
    return split.candidates[best(scores, min(n, len(split.candidates) - 1))]


def _row(protocol: str, variant: str, metric: str, values: Floats, groups: Ints) -> Row:
    known = ~np.isnan(values)
    value, low, high = mean_interval(values[known], groups[known])
    return Row("similar", variant, protocol, metric, value, low, high)
