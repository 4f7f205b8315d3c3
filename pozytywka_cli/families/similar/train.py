"""Training: measure a variant on held-out artists beside the baseline, then fit it on all listens."""

import numpy as np
from numpy.typing import NDArray

from pozytywka_cli import evaluation
from pozytywka_cli.artifacts import Draft
from pozytywka_cli.dataset.loading import Dataset
from pozytywka_cli.errors import RefusedError
from pozytywka_cli.families.family import Trained, TrainingRun
from pozytywka_cli.families.similar import FAMILY, card
from pozytywka_cli.families.similar.features import Listens, listens
from pozytywka_cli.families.similar.metrics import HEADLINE, Floats, Scorer, measure, summary
from pozytywka_cli.families.similar.models import als
from pozytywka_cli.families.similar.models.excluded import Excluded
from pozytywka_cli.families.similar.models.factors import Factors
from pozytywka_cli.families.similar.models.scorers import Embeddings, Popularity, unit
from pozytywka_cli.families.similar.settings import SimilarSettings
from pozytywka_cli.families.similar.splits import TUNING_SPLIT, frequent_artists, hold_out
from pozytywka_cli.records import Gate, Row

MARGIN = 0.01
SIGNATURE = {
    "inputs": {"artist": "string", "by_id": "bool", "count": "int"},
    "outputs": {"query": "string", "matched": "string", "name": "string", "id": "string", "score": "float32, cosine"},
}


def train(dataset: Dataset, run: TrainingRun) -> Trained:
    """Measure a variant and the baseline on one split, then fit the variant on all listens.

    Raises:
        RefusedError: there are too few listens to hold any out, or no artist has enough listeners.
        UnavailableError: the device is "cuda" and cannot be used.
    """
    settings = run.settings_as(SimilarSettings)
    counted = listens(dataset)

    split = hold_out(counted.counts, seed=TUNING_SPLIT, min_listeners=settings.min_listeners)
    scorers: dict[str, Scorer] = {FAMILY.baseline: Popularity(split.listeners)}
    if run.variant != FAMILY.baseline:
        scorers = {run.variant: Embeddings.fit(split, run), **scorers}
    values = measure(split, scorers, run.progress)
    metrics = summary(split, values)

    constant = np.ones((len(counted.artist_ids), 1), dtype=np.float32)
    baseline_metrics = [row for row in metrics if row.variant == FAMILY.baseline]
    baseline = _draft(FAMILY.baseline, _artifact(counted, constant, settings), settings, baseline_metrics)
    if run.variant == FAMILY.baseline:
        return Trained(baseline, baseline)

    factors, notes = fit_all(counted, run)
    gate = _gate(values[run.variant], values[FAMILY.baseline])
    return Trained(_draft(run.variant, factors, settings, metrics, gate, notes), baseline)


def fit_all(counted: Listens, run: TrainingRun) -> tuple[Factors, list[str]]:
    """Fit ALS on all listens, and return the artists that have enough listeners, with notes on the fit.

    Raises:
        RefusedError: no artist has enough listeners, or the factors are not finite.
        UnavailableError: the device is "cuda" and cannot be used.
    """
    fit = als.fit(counted.counts, run, stage="fit on all data")
    if not np.isfinite(fit.artists).all():
        hint = "Raise similar.regularization or similar.alpha with --set."
        raise RefusedError("the factors are not finite numbers", hint)
    return _artifact(counted, unit(fit.artists), run.settings_as(SimilarSettings)), fit.notes


def _artifact(counted: Listens, factors: NDArray[np.float32], settings: SimilarSettings) -> Factors:
    """Return the artists with enough listeners, and the names of those without; `factors` are (artists, k)."""
    included = frequent_artists(counted.counts, settings.min_listeners)
    others = np.setdiff1d(np.arange(len(counted.names)), included)
    excluded = [(counted.names[column], int(counted.listeners[column])) for column in others]
    excluded += [(name, 0) for name in counted.unheard]
    return Factors.of(
        factors[included],
        counted.listeners[included],
        [counted.artist_ids[column] for column in included],
        [counted.names[column] for column in included],
        Excluded.of(excluded, settings.min_listeners),
    )


def _gate(values: Floats, baseline: Floats) -> Gate:
    """Compare the headline metric, the first column of (users, metrics), of users for whom it is defined."""
    users = np.flatnonzero(~np.isnan(values[:, 0]))
    return evaluation.gate(
        HEADLINE, FAMILY.baseline, values[users, 0], baseline[users, 0], users, margin=MARGIN, score=True
    )


def _draft(
    variant: str,
    factors: Factors,
    settings: SimilarSettings,
    metrics: list[Row],
    gate: Gate | None = None,
    notes: list[str] | None = None,
) -> Draft:
    return Draft(variant, factors.save, SIGNATURE, metrics, card.text(variant, settings), gate, notes or [])
