"""The family's figures on held-out listens, beside its baselines."""

from collections.abc import Mapping

import numpy as np
from scipy.sparse import csr_matrix

from pozytywka_cli.dataset.service import Service
from pozytywka_cli.evaluation import mean_interval
from pozytywka_cli.records import Evaluated, Report, Row
from pozytywka_cli.settings import SimilarSettings
from pozytywka_cli.similar import als, scorers
from pozytywka_cli.similar.features import Listens, listens
from pozytywka_cli.similar.protocol import METRICS, Floats, Scorer, best, measure
from pozytywka_cli.similar.split import Ints, Split, hold_out

SPLIT = 0  # settings are tuned on split 0, and every figure that is stored or compared comes from it
STABILITY_ARTISTS = 500


def evaluate(
    source: Service | Listens, settings: SimilarSettings, *, seed: int, device: str, report: Report
) -> Evaluated:
    """ALS, popularity, item cosine and BM25 on split 0, with 95 % intervals over users.

    Beside the metrics of the protocol, for the record: "own library@5", the share of an artist's five most similar that
    the same user's training library holds, which measures memory; and for ALS "stability@10", how much of an
    artist's ten most similar another seed keeps (Jaccard, over 500 artists).

    Raises:
        RefusedError: too few listens to hold any out.
        UnavailableError: `device` is "cuda" and cannot be used.
    """
    split = hold_out(listens(source).counts, seed=SPLIT, min_listeners=settings.min_listeners)
    model, other = (latent(split, settings, seed=seed + again, device=device, report=report) for again in (0, 1))
    found: dict[str, Scorer] = {
        "als": model,
        "popularity": scorers.Popularity(split.listeners),
        "item cosine": scorers.cosine(split),
        "bm25 items": scorers.bm25(split),
    }
    memory = [
        _row(variant, "own library@5", own_library(split, scorer), split.users) for variant, scorer in found.items()
    ]
    stable = _row("als", "stability@10", *stability(split, model, other))
    return Evaluated([*rows(split, measure(split, found, report)), *memory, stable])


def latent(split: Split, settings: SimilarSettings, *, seed: int, device: str, report: Report) -> scorers.Latent:
    """ALS fitted on the training part of a split."""
    users, artists = als.fit(split.training, settings, seed=seed, device=device, report=report, stage="fit on split 0")
    return scorers.Latent(users, artists, split.candidates)


def rows(split: Split, figures: Mapping[str, Floats]) -> list[Row]:
    """Means over users of `measure`'s figures, with 95 % intervals."""
    return [
        _row(variant, metric, column, split.users)
        for variant, matrix in figures.items()
        for metric, column in zip(METRICS, matrix.T, strict=True)
    ]


def own_library(split: Split, scorer: Scorer) -> Floats:
    """For each user of the split, the share of the five most similar of each held-in artist that is held in too."""
    heard = split.training[split.users].sign()
    artists = np.unique(heard.indices)
    top = neighbours(split, scorer, artists, 5)
    where = (np.repeat(artists, top.shape[1]), top.ravel())
    likeness = csr_matrix((np.ones(top.size, dtype=np.float32), where), shape=(heard.shape[1],) * 2)
    shared = (heard @ likeness).multiply(heard).sum(axis=1)
    shares: Floats = np.asarray(shared, dtype=np.float64).ravel() / (np.diff(heard.indptr) * top.shape[1])
    return shares


def stability(split: Split, one: Scorer, other: Scorer) -> tuple[Floats, Ints]:
    """Jaccard similarity of two scorers' ten most similar, for 500 random candidates; and those candidates."""
    size = min(STABILITY_ARTISTS, len(split.candidates))
    artists = np.random.default_rng(split.seed).choice(split.candidates, size, replace=False)
    ours, theirs = (neighbours(split, scorer, artists, 10) for scorer in (one, other))
    shared = (ours[:, :, None] == theirs[:, None, :]).sum(axis=(1, 2))
    return shared / (ours.shape[1] + theirs.shape[1] - shared), artists


def neighbours(split: Split, scorer: Scorer, artists: Ints, n: int) -> Ints:
    """The `n` candidates most similar to each artist, itself left out, as columns of the counts."""
    blocks = np.array_split(artists, 1 + len(artists) * len(split.candidates) // 2**24)
    return np.vstack([_without_itself(split, scorer, block, n) for block in blocks])


def _without_itself(split: Split, scorer: Scorer, artists: Ints, n: int) -> Ints:
    scores = scorer.of_artists(artists).copy()
    scores[artists[:, None] == split.candidates] = -np.inf
    return split.candidates[best(scores, min(n, len(split.candidates) - 1))]


def _row(variant: str, metric: str, values: Floats, groups: Ints) -> Row:
    known = ~np.isnan(values)
    value, low, high = mean_interval(values[known], groups[known])
    return Row("similar", variant, f"split {SPLIT}", metric, value, low, high)
